//! The SQL store: one body of statements over a tiny executor, with an adapter for SQLite and one for PostgreSQL.
//!
//! The body (`body`) holds every statement and every rule; it knows no driver. `sqlite` holds what is SQLite's own: one writer
//! thread that groups commits, read-only connections, pragmas that are read back, and what its errors mean. `postgres` holds what is PostgreSQL's own: one writer that groups commits
//! under a lock of all replicas, sessions that read, one that listens, and which servers are refused.
#![forbid(unsafe_code)]

mod again;
mod body;
mod clock;
mod dialect;
mod executor;
mod postgres;
mod sqlite;

pub use postgres::{Options as PostgresOptions, PostgresStore};
pub use sqlite::{Options, SqliteStore, back_up, restore};
