//! `command`: programs on the server's machine that the operator allowed.
//!
//! Each runs in a folder of its own (mode 0700, removed afterwards) with an environment of its own: a short `PATH`, `HOME` and `TMPDIR`
//! in that folder, and what the grant adds. No shell is between: arguments are passed as they are, and checked before. A program and
//! all that it started in its process group are killed when its time is over, when the call ends, and when the program itself has
//! ended. A program that leaves its process group on purpose is the operator's own choice of program.
//!
//! A program has an effect, unless the grant says that it only reads: it runs in a reconcile alone.

pub(crate) mod grant;

mod guest;
mod run;
#[cfg(test)]
mod tests;
