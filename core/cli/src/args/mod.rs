//! What a person can say. The help texts are these comments.

mod catalog;
mod deployment;
mod plugin;

use clap::{Args, Subcommand};

pub use catalog::{
    ApplyArgs, EnvironmentCommand, NameArgs, PathCommand, PathNameArgs, PathsArgs, ReleaseArgs, ReleaseCommand,
    ReleaseCreateArgs, ServiceArgs, ServiceCommand,
};
pub use deployment::{
    ApproveArgs, DeployArgs, ListArgs, LooksArgs, PlanArgs, RollbackArgs, StatusArgs, SteerArgs, TelemetryArgs, WatchArgs, Which,
};
pub use plugin::{GrantPlace, PluginCommand, PluginGrantArgs, PluginInstallArgs, PluginRemoveArgs, PluginRevokeArgs};

/// The exit codes, as they are shown below the help text.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  it was done; a watched deployment succeeded
  1  a watched deployment ended in any other way; a plugin is not what it should be
  2  the command line or a file is wrong
  3  no server answers
  4  the server refused: not known, not possible now, moved meanwhile
  5  the caller is not known to the server
  6  something broke: a full disk, a damaged store, a port in use
 75  the server has to be started again, and then goes on where it was";

/// What is said to a server.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Services: what product teams own and deploy.
    #[command(subcommand)]
    Service(ServiceCommand),
    /// Environments: where services run.
    #[command(subcommand)]
    Environment(EnvironmentCommand),
    /// Golden paths: the ways to production that platform teams publish.
    #[command(subcommand)]
    Path(PathCommand),
    /// Releases: immutable snapshots of what can be deployed.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Shows the plan that a deployment would follow; has no effect.
    Plan(PlanArgs),
    /// Deploys a release to an environment.
    Deploy(DeployArgs),
    /// Follows a deployment to its end.
    Watch(WatchArgs),
    /// Shows one deployment as it is now.
    Show(WatchArgs),
    /// Lists every look of a deployment's health checks, with the numbers that its verdict rests on.
    Looks(LooksArgs),
    /// Shows what runs where.
    Status(StatusArgs),
    /// Shows what services measure, what is usual of it at this hour, and how that drifts.
    Telemetry(TelemetryArgs),
    /// Lists deployments, newest first.
    List(ListArgs),
    /// Halts a deployment where it stands.
    Pause(SteerArgs),
    /// Lets a halted deployment go on.
    Resume(SteerArgs),
    /// Goes on to the next step without waiting any longer.
    Promote(SteerArgs),
    /// Stops a deployment and takes back what it did.
    Abort(SteerArgs),
    /// Takes a deployment back, or goes to an earlier release where none runs.
    Rollback(RollbackArgs),
    /// Says yes to a deployment that waits for approval.
    Approve(ApproveArgs),
    /// Says no to a deployment that waits for approval.
    Reject(SteerArgs),
}

/// What makes a retry of a command safe, and what it is compared with.
#[derive(Clone, Debug, Default, Args)]
pub struct RetryArgs {
    /// An id of your own for this command; repeating it with the same id does nothing twice.
    #[arg(long, value_name = "ID")]
    pub request_id: Option<String>,
}
