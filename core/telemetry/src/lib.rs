//! What services measure of themselves: it comes in by OTLP, is summed up over short windows for each release, and is compared with
//! what is usual.
//!
//! This room keeps sums in bounded memory and learns what is usual; it judges nothing: health checks do, with what they read here. It
//! knows no deployment and no store: which release is stable is told, and what is usual is kept behind a port. Everything but
//! [`receiver`] is without I/O, and time is an argument.
//!
//! In reading order: [`point`] is one value as it comes in, [`Sums`] and [`Buckets`] are what is kept of values; `scope` holds the series
//! of a service in an environment and makes windows of points; [`query`] asks about them; [`router`] makes a metric of what the local
//! router counts; [`usual`] learns; [`Telemetry`] joins all that; [`otlp`] translates from the wire, and [`receiver`] listens.
#![forbid(unsafe_code)]

mod aggregates;
mod buckets;
pub mod limits;
pub mod otlp;
mod outcome;
pub mod point;
pub mod query;
pub mod receiver;
pub mod router;
mod scope;
mod sums;
mod telemetry;
pub mod usual;

pub use aggregates::{Aggregates, ScopeView};
pub use buckets::Buckets;
pub use outcome::Outcome;
pub use query::{Fault, Filter, Query, Reading, Window};
pub use router::RouterCounters;
pub use scope::{Tally, Usage};
pub use sums::Sums;
pub use telemetry::{Strangers, Telemetry};
pub use usual::shelf::{Kept, MemoryShelf, Shelf, ShelfError};
pub use usual::{Aspect, Baselines, Expectation, LearntView, MetricView};
