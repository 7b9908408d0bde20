//! The engine against a store in memory, a scripted driver and a clock that stands still until everybody waits.

mod crashes;
mod faults;
mod runs;
mod support;
