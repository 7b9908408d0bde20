//! Services, environments, paths and releases.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with services.
#[derive(Clone, Debug, Subcommand)]
pub enum ServiceCommand {
    /// Writes a service down from its file.
    ///
    /// Example: towpath service apply examples/services/hello.yaml
    Apply(ApplyArgs),
    /// Shows one service.
    Get(NameArgs),
    /// Lists all services.
    List,
}

/// What can be done with environments.
#[derive(Clone, Debug, Subcommand)]
pub enum EnvironmentCommand {
    /// Writes an environment down from its file.
    ///
    /// Example: towpath environment apply examples/environments/local.yaml
    Apply(ApplyArgs),
    /// Shows one environment.
    Get(NameArgs),
    /// Lists all environments.
    List,
}

/// What can be done with golden paths.
#[derive(Clone, Debug, Subcommand)]
pub enum PathCommand {
    /// Publishes a version of a path; it never changes afterwards.
    ///
    /// Example: towpath path publish examples/paths/web-canary.yaml
    Publish(ApplyArgs),
    /// Shows one version of a path.
    ///
    /// Example: towpath path get web-canary@1.0.0
    Get(PathNameArgs),
    /// Lists all versions of all paths.
    List(PathsArgs),
    /// Checks a path file, without a server.
    ///
    /// Example: towpath path lint examples/paths/web-canary.yaml
    Lint(ApplyArgs),
}

/// What can be done with releases.
#[derive(Clone, Debug, Subcommand)]
pub enum ReleaseCommand {
    /// Makes a release of a service from an artifact.
    ///
    /// Example: towpath release create --service hello --label v2 --artifact ./build --evidence junit=report.xml
    Create(ReleaseCreateArgs),
    /// Shows one release.
    ///
    /// Example: towpath release get hello v2
    Get(ReleaseArgs),
    /// Lists the releases of a service, newest first.
    List(ServiceArgs),
}

/// A file.
#[derive(Clone, Debug, Args)]
pub struct ApplyArgs {
    /// The file; `-` reads standard input.
    pub file: PathBuf,
}

/// A name.
#[derive(Clone, Debug, Args)]
pub struct NameArgs {
    /// Its name.
    pub name: String,
}

/// A path's name.
#[derive(Clone, Debug, Args)]
pub struct PathNameArgs {
    /// NAME for the newest version, NAME@VERSION for one.
    pub name: String,
}

/// All paths.
#[derive(Clone, Debug, Args)]
pub struct PathsArgs {}

/// A service's name.
#[derive(Clone, Debug, Args)]
pub struct ServiceArgs {
    /// The service.
    pub service: String,
}

/// One release.
#[derive(Clone, Debug, Args)]
pub struct ReleaseArgs {
    /// The service.
    pub service: String,
    /// The release's label or id.
    pub release: String,
}

/// A release to be made.
#[derive(Clone, Debug, Args)]
pub struct ReleaseCreateArgs {
    /// The service.
    #[arg(long)]
    pub service: String,
    /// What people shall call it.
    #[arg(long)]
    pub label: String,
    /// A folder or file, or NAME@sha256:… for an artifact that the server has.
    #[arg(long, value_name = "PATH|NAME@DIGEST")]
    pub artifact: String,
    /// The commit it was built from.
    #[arg(long, default_value = "")]
    pub commit: String,
    /// A result to attach, as KIND=FILE; may be given several times.
    #[arg(long, value_name = "KIND=FILE", value_parser = kind_and_file)]
    pub evidence: Vec<(String, PathBuf)>,
}

fn kind_and_file(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((kind, file)) if !kind.is_empty() && !file.is_empty() => Ok((kind.to_owned(), file.into())),
        _ => Err("expected KIND=FILE, for example junit=report.xml".to_owned()),
    }
}
