//! What an author of plugins does at the command line: new, build, check, run, test.
//!
//! What it is: one file per command, each a function that takes options and returns what it found; the binary reads the arguments
//! and prints. In reading order: [`new`] makes a project, [`build`] a component of it, [`check`] says what a component is and whether a
//! host would take it, [`run`] asks it one question and shows all that it did, [`conform`] has it prove what every plugin of its kind owes.
//! [`call`] is the form that calls have in files.
//!
//! What it is not: it speaks to no server, and knows nothing of deployments. What it runs, it runs in the sandbox that a server has.
#![forbid(unsafe_code)]

pub mod build;
pub mod call;
pub mod check;
pub mod conform;
pub mod new;
pub mod run;

mod error;
mod host;

pub use error::ToolError;
