//! `towpath verdict`: what a policy makes of data, without a server. One file per command.

pub(crate) mod args;

mod policy;
mod range;
mod record;
mod replay;

use std::process::ExitCode;

use cli::Output;

use self::args::VerdictCommand;
use crate::failure::Failure;

/// Runs a command.
pub(crate) async fn run(command: &VerdictCommand, output: &mut Output) -> Result<ExitCode, Failure> {
    match command {
        VerdictCommand::Replay(args) => replay::run(args, output).await,
    }
}

/// Returns the failure of a policy or a record that cannot be used.
fn unusable(file: &std::path::Path, why: impl std::fmt::Display) -> Failure {
    Failure::new("TP0701", format!("{}: {why}", file.display())).usage()
}
