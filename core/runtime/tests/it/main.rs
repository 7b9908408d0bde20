//! The runtime as its callers see it: real processes, real sockets, folders that go with the test.

mod fences;
mod leftovers;
mod metrics;
mod prometheus;
mod routing;
mod shifting;
mod stage;
mod supervision;
mod telemetry;
