//! The loop: take input, decide, journal, then perform what the durable state owes.
//!
//! The engine defines its ports ([`Driver`], [`Clock`]; the journal's is `journal::Store`) and knows no SQL, no wasmtime, no
//! wire format, no file and no environment variable. Start, step and recovery after a crash are the same call.
//!
//! In reading order: [`Handle`] is what everybody else holds; `submit` takes a wish to deploy; `worker` is the loop of one deployment,
//! `turn` its one decision, `perform` its one place that acts; `roster` knows all workers, `queue` says whose turn it is in a scope.
//! Where servers share a store: `shard` spreads the scopes, `lease` keeps this server's share of them, `tenure` is one grant with
//! everybody who works under it, `letters` ask the server that has a scope. `housekeeping` packs what is old.
#![forbid(unsafe_code)]

pub mod limits;
pub mod ports;
pub mod request;

mod fingerprint;
mod handle;
mod hold;
mod housekeeping;
mod lease;
mod letters;
mod nudge;
mod perform;
mod queue;
mod roster;
mod row;
mod shard;
mod shared;
mod start;
mod stream;
mod submit;
mod tasks;
mod tenure;
mod turn;
mod worker;

pub use handle::Handle;
pub use ports::{Clock, Driver};
pub use request::{Accepted, CommandRequest, EngineError, StartRequest, Update};
pub use start::{Engine, EngineOptions};
