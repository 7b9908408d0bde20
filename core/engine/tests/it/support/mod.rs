//! What the tests stand on: a bench with store, driver and clock; plans; a world to deploy into.

pub(crate) mod bench;
pub(crate) mod clock;
pub(crate) mod driver;
pub(crate) mod plans;
pub(crate) mod store;
pub(crate) mod world;

pub(crate) use bench::{Bench, actor};
