//! Views: a state and its history as people and clients see them. Nothing here decides anything.

pub(crate) mod deployment;
pub(crate) mod event;
pub mod outcome;
pub(crate) mod step;
pub(crate) mod timeline;
pub(crate) mod watch;

pub(crate) use deployment::{deployment, summary};
pub(crate) use timeline::Timeline;
