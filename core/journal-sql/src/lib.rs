//! The SQL store: one body of statements over a tiny executor, with an adapter for SQLite.
//!
//! The body (`body`) holds every statement and every rule; it knows no driver. `sqlite` holds what is SQLite's own: one writer
//! thread that groups commits, read-only connections, pragmas that are read back, and what its errors mean.
#![forbid(unsafe_code)]

mod body;
mod clock;
mod dialect;
mod executor;
mod sqlite;

pub use sqlite::{Options, SqliteStore};
