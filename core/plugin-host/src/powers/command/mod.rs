//! `command`: programs on the server's machine that the operator allowed.
//!
//! Each runs in a folder of its own (mode 0700, removed afterwards) with an environment of its own: a short `PATH`, `HOME` and `TMPDIR`
//! in that folder, and what the grant adds. No shell is between: arguments are passed as they are, and checked before. A program and
//! all that it started in its process group are killed when its time is over, when the call ends, and when the program itself has
//! ended. A program that leaves its process group on purpose is the operator's own choice of program.
//!
//! Each process may use so much memory of its own, so much time of the cores, and write files so large, as its rule says; it dumps no core.
//! The limits are the kernel's, set as soon as the program is started and inherited by what it starts. What they do not bound is the number of
//! its processes, which the kernel counts per user, and a program runs as the server's; and all its files together, for which there is no
//! limit without a quota of the file system. Its time ends both.
//!
//! A program has an effect, unless the grant says that it only reads: it runs in a reconcile alone.

pub(crate) mod grant;

mod bounds;
mod guest;
mod run;
#[cfg(test)]
mod tests;
