//! The command line: arguments become one API call and a readable answer.
//!
//! This room sees the contract's client and the path linter, and nothing else of the server. It reads no environment and does not
//! exit: the binary resolves a [`Context`] once and turns an [`Error`] into an exit code. What goes to `out` is data, what goes to
//! `err` is everything else.
//!
//! In reading order: [`args`] is what a person can say, `command` has one function for each of it, `watch` is the live view,
//! `client` is the way to the server.
#![forbid(unsafe_code)]

pub mod args;
pub mod error;
pub mod text;

mod client;
mod clock;
mod command;
mod json;
mod output;
mod paint;
mod table;
mod watch;

pub use client::ServerFile;
pub use command::{run, run_plugin};
pub use error::{Error, Exit, print_error};
pub use output::{Context, Output};
