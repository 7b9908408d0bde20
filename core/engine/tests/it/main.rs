//! The engine against a store in memory, a scripted driver and a clock that stands still until everybody waits.

mod commands;
mod crashes;
mod faults;
mod lease;
mod queue;
mod replicas;
mod runs;
mod storm;
mod support;
mod watching;
