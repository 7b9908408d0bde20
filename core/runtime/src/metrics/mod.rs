//! What a Prometheus may read over TCP: what was counted, and which instances are ready.
//!
//! `GET /metrics` answers in Prometheus' text format, `GET /discovery` as its HTTP service discovery wants it; both take `service` and
//! `environment` as parameters, to be about less. Off until an address is named; then whoever reaches the address may read.
//!
//! What it is not: the control interface. Nothing can be changed here, and nothing of a service's command or variables is told.

mod answer;
mod discovery;
mod exposition;
mod families;
mod server;

pub(crate) use server::{Metrics, open};
