//! What judges services in a test: a real Prometheus and a real Alertmanager, started from the machine's programs on free loopback
//! ports and gone afterwards, and a double of Loki.
//!
//! There is no Loki among the packages that a machine for tests can have, so [`LokiDouble`] stands for it; it says in its own module
//! what it does as Loki's documentation has it, and refuses the rest in words. The other two are the programs themselves.
//!
//! All calls block, and may be made inside of a runtime of tokio's as well. What goes wrong here ends the test with what was found, as
//! tests do.
#![forbid(unsafe_code)]

mod alertmanager;
pub mod http;
mod loki;
mod process;
mod prometheus;

pub use alertmanager::Alertmanager;
pub use loki::{Fault, LokiDouble};
pub use process::until;
pub use prometheus::{Prometheus, Sample, Target, check_config, check_metrics};
