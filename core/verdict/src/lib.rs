//! The statistics of a verdict: is the candidate worse than stable, is it proven not to be, or is it not yet known?
//!
//! Pure functions and plain states: no I/O, no clock, no randomness. Time comes in as a number of milliseconds and goes out in a
//! sentence. Usable in a plugin (it compiles for `wasm32-unknown-unknown`), by a simulation and by a replay of what was recorded; with the
//! feature `serde`, the state between two looks can be written down.
//!
//! In reading order:
//! [`sample`] is what comes in and what of it can be used;
//! [`rank`] and [`counts`] compare two samples once, and [`once`] makes a verdict of that;
//! [`sequential`] holds the tests that may be looked at after every observation;
//! [`monitor`] joins several metrics to one verdict with a sentence;
//! [`kayenta`] reproduces that judge's rules.
#![forbid(unsafe_code)]

pub mod counts;
pub mod kayenta;
pub mod monitor;
pub mod once;
pub mod rank;
pub mod sample;
pub mod sequential;
mod special;
mod text;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use special::{normal_cdf, normal_quantile};
