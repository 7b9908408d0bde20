//! The whole product on real processes and real traffic, through the commands that a user has.

mod apart;
mod audit;
mod authors;
mod beside;
mod crash;
mod disk;
mod judged;
mod keep;
mod languages;
mod machines;
mod mistakes;
mod observability;
mod pins;
mod plugins;
mod policies;
mod postgres;
mod replicas;
mod rig;
mod telemetry;
mod travel;
mod verdicts;
mod verdicts_range;
mod walkthrough;
