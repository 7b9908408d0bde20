//! What can be said to `towpath verdict`. The help texts are these comments.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with verdicts.
#[derive(Debug, Subcommand)]
pub(crate) enum VerdictCommand {
    /// Runs a policy over recorded data, look by look, and shows when it would have decided. Ends with status 1 unless it finds the
    /// candidate healthy.
    ///
    /// Example: towpath verdict replay --policy policy.json incident.csv
    Replay(ReplayArgs),
}

/// What to replay.
#[derive(Debug, Args)]
#[command(
    after_help = "The record is CSV with a header: time (RFC 3339, or seconds since 1970), metric, side (candidate or stable), and \
                        events and trials, or value. Rows are in the order of their times.\n\n\
                        The policy is JSON, like {\"metrics\": [{\"name\": \"error rate\", \"shares\": {}}]}. The tests are shares (against \
                        stable's), limit, mean and times; core/verdict/README.md says what each asks."
)]
pub(crate) struct ReplayArgs {
    /// The record.
    pub(crate) record: PathBuf,
    /// The policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
}
