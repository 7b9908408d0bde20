//! Deployments.

use clap::Args;

use super::RetryArgs;

/// What to plan.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath plan hello local --release v2")]
pub struct PlanArgs {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The release's label or id.
    #[arg(long)]
    pub release: String,
}

/// What to deploy.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath deploy hello local --release v2 --watch")]
pub struct DeployArgs {
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
    /// The release's label or id.
    #[arg(long)]
    pub release: String,
    /// Follow it to its end; the exit code tells how it ended.
    #[arg(long)]
    pub watch: bool,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub retry: RetryArgs,
}

/// One deployment, by its id or by where it runs.
#[derive(Clone, Debug, Args)]
pub struct Which {
    /// The deployment's id; or, with an environment behind it, the service.
    #[arg(value_name = "DEPLOYMENT|SERVICE")]
    pub first: String,
    /// The environment, when the first word is a service.
    pub environment: Option<String>,
}

/// What to follow.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath watch hello local")]
pub struct WatchArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub which: Which,
}

/// Whose looks to list.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath looks hello local --csv >looks.csv")]
pub struct LooksArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub which: Which,
    /// As CSV, a row for each number. With --json and without this, a line of JSON for each look.
    #[arg(long)]
    pub csv: bool,
}

/// What to show.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath status hello")]
pub struct StatusArgs {
    /// Only this service.
    pub service: Option<String>,
    /// Only this environment.
    pub environment: Option<String>,
}

/// Of whom.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath telemetry hello production")]
pub struct TelemetryArgs {
    /// Only of this service.
    pub service: Option<String>,
    /// Only of this environment.
    pub environment: Option<String>,
}

/// What to list.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath list --service hello --unfinished")]
pub struct ListArgs {
    /// Only this service's.
    #[arg(long)]
    pub service: Option<String>,
    /// Only this environment's.
    #[arg(long)]
    pub environment: Option<String>,
    /// Only those that are not over.
    #[arg(long)]
    pub unfinished: bool,
    /// At most so many.
    #[arg(long, default_value_t = 20)]
    pub limit: u32,
}

/// A command to a running deployment.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath pause hello local --reason 'waiting for the data team'")]
pub struct SteerArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub which: Which,
    /// Why; everybody sees it.
    #[arg(long, default_value = "")]
    pub reason: String,
    /// Refuse when the deployment is not at this version any more.
    #[arg(long, value_name = "VERSION")]
    pub expected_version: Option<u64>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub retry: RetryArgs,
}

/// What to take back.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath rollback hello local --to v1 --watch")]
pub struct RollbackArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub steer: SteerArgs,
    /// Where no deployment runs: the release to go to, instead of the one that was stable before.
    #[arg(long, value_name = "RELEASE")]
    pub to: Option<String>,
    /// Follow it to its end.
    #[arg(long)]
    pub watch: bool,
}

/// A yes.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath approve hello production")]
pub struct ApproveArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub which: Which,
    /// The hash of the plan that you read; without it, the one in force now.
    #[arg(long, value_name = "HASH")]
    pub plan: Option<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "a comment would become part of the help text")]
    pub retry: RetryArgs,
}
