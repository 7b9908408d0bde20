//! The tool on real plugins: those that it makes, those in `examples/`, and some that no host takes.

mod check;
mod conform;
mod fixture;
mod guide;
mod new;
mod run;
