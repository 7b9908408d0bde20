//! The loop: take input, decide, journal, then perform what the durable state owes.
//!
//! The engine defines its ports ([`Driver`], [`Clock`]; the journal's is `journal::Store`) and knows no SQL, no wasmtime, no
//! wire format, no file and no environment variable. Start, step and recovery after a crash are the same call.
#![forbid(unsafe_code)]

pub mod ports;
pub mod request;

pub use ports::{Clock, Driver};
pub use request::{Accepted, CommandRequest, EngineError, StartRequest, Update};
