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
                        stable's), limit, mean and times; core/verdict/README.md says what each asks, and what a metric says of Prometheus."
)]
pub(crate) struct ReplayArgs {
    /// The record.
    #[arg(required_unless_present = "prometheus")]
    pub(crate) record: Option<PathBuf>,
    /// The policy.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
}

/// A range of Prometheus instead of a record.
#[derive(Debug, Args)]
#[command(next_help_heading = "From Prometheus")]
pub(crate) struct RangeArgs {
    /// Read from the Prometheus at this address what the policy's metrics say of it.
    ///
    /// Example: towpath verdict replay --policy policy.json --prometheus http://127.0.0.1:9090 --from 2026-11-24T08:00:00Z --to 2026-11-24T08:30:00Z
    #[arg(long, value_name = "URL", conflicts_with = "record", requires = "from", requires = "to")]
    pub(crate) prometheus: Option<String>,
    /// The first instant: RFC 3339, or seconds since 1970.
    #[arg(long, value_name = "TIME", requires = "prometheus")]
    pub(crate) from: Option<String>,
    /// The last instant.
    #[arg(long, value_name = "TIME", requires = "prometheus")]
    pub(crate) to: Option<String>,
    /// The time from one reading to the next: the interval of scrapes, or longer.
    #[arg(long, value_name = "TIME", default_value = "15s", requires = "prometheus")]
    pub(crate) step: String,
    /// Write what was read to this file, as a record that can be replayed without the server.
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    pub(crate) save: Option<PathBuf>,
    /// A PEM file of authorities that are trusted besides the machine's own.
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    pub(crate) ca_file: Option<PathBuf>,
    /// The file with a bearer token; TOWPATH_PROMETHEUS_TOKEN in the environment holds one as well.
    #[arg(long, value_name = "FILE", requires = "prometheus", conflicts_with = "user")]
    pub(crate) bearer_file: Option<PathBuf>,
    /// The user of a password.
    #[arg(long, requires = "prometheus")]
    pub(crate) user: Option<String>,
    /// The file with that user's password; TOWPATH_PROMETHEUS_PASSWORD in the environment holds one as well.
    #[arg(long, value_name = "FILE", requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
}
