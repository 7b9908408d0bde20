//! Tests of golden paths, from text to plan.

mod diagnostics;
mod examples;
mod mutations;
mod plans;
mod refusals;
mod restore;
mod support;
mod watching;
