//! A world to deploy into, in memory, and plans to follow in it. The machine's walks and the model check stand on both.
#![forbid(unsafe_code)]

pub mod plans;
pub mod rng;
pub mod world;
