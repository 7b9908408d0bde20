//! What the tests stand on: plans to follow, a deployment that checks every invariant as it goes, and a world to deploy into.

pub(crate) mod run;
pub(crate) mod scene;

pub(crate) use test_world::{plans, rng, world};

pub(crate) use run::{Run, actor, member};
pub(crate) use scene::Scene;
