//! What can be said to the binary. The help texts are these comments.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Takes a release from built to proven in production, and brings it back by itself when it is not healthy.
#[derive(Debug, Parser)]
#[command(name = "towpath", version, max_term_width = 100, after_help = cli::args::EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Common {
    /// The server to speak to, HOST:PORT; without it, the data folder says where one runs [env: TOWPATH_SERVER].
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub(crate) server: Option<String>,
    /// The data folder [env: TOWPATH_DATA_DIR; default: towpath in the user's data folder].
    #[arg(long, global = true, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The file with the bearer token [env: TOWPATH_TOKEN_FILE; default: token in the data folder].
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Whether to use colours; `auto` uses them on a terminal unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// What the server, runtime and up write to their log, like `info` or `engine=debug,warn`.
    #[arg(long, global = true, default_value = "info", value_name = "FILTER")]
    pub(crate) log: String,
    /// Write the log as one JSON object per line.
    #[arg(long, global = true)]
    pub(crate) log_json: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// Everything there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Starts runtime and server in one go, for one machine.
    Up(UpArgs),
    /// Runs the server.
    Server(ServerArgs),
    /// Runs the local runtime, which starts the services of this machine and routes to them.
    Runtime(RuntimeArgs),
    /// Shows the main job on real processes and real traffic.
    Demo(DemoOptions),
    /// Plugins: everything that touches the outside world.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Looks at the record of what happened.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Verdicts: what a policy makes of measurements.
    #[command(subcommand)]
    Verdict(crate::verdict::args::VerdictCommand),
    /// Copies the journal to a file, whether or not a server is writing it.
    Backup(BackupArgs),
    /// Puts a copy of the journal in its place. No server may be running on the data folder.
    Restore(RestoreArgs),
    /// Prints a script that completes command lines in a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    #[command(flatten)]
    Client(cli::args::Command),
}

/// Where the server listens when nothing else is said: a number that nobody else has registered.
const LISTEN: &str = "127.0.0.1:8697";

/// A month: who looks at what was before it looks at a few.
const PACK_AFTER_DAYS: u32 = 30;

/// The server.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath server --data-dir ./data --listen 127.0.0.1:8697")]
pub(crate) struct ServerArgs {
    /// Where to listen; port 0 has the system choose one.
    #[arg(long, default_value = LISTEN, value_name = "HOST:PORT")]
    pub(crate) listen: SocketAddr,
    /// The PostgreSQL database that the journal lives in, as postgres://USER:PASSWORD@HOST/DATABASE; without it, a file in the data
    /// folder. TOWPATH_STORE says it as well, and shows the password to nobody who lists processes.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<Secret>,
    /// A group that the holder of the token belongs to; may be given several times.
    #[arg(long = "group", default_value = "group:operators", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// What plugins may do; examples/grants.json shows the form and what holds without a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) grants: Option<PathBuf>,
    /// The registries that plugins are installed from: mirrors, credentials, authorities, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin_registries: Option<PathBuf>,
    /// Whose signatures on plugins are believed, for which references, as JSON. Without it nothing is installed from a registry.
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin_trust: Option<PathBuf>,
    /// A PEM file of authorities that plugins' https requests and connections to the database trust besides the machine's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Pack the records of deployments that have been over for so many days. Everything stays readable, and the chain verifiable.
    #[arg(long, default_value_t = PACK_AFTER_DAYS, value_name = "DAYS")]
    pub(crate) pack_after_days: u32,
    /// Forget what operators did with plugins more than so many days ago; without it, that is kept for ever.
    #[arg(long, value_name = "DAYS")]
    pub(crate) forget_plugin_records_after_days: Option<u32>,
    /// Take every caller on this machine for its one user, without a token. Only on a loopback address.
    #[arg(long)]
    pub(crate) insecure_local: bool,
    /// Stop when standard input ends: so that it does not outlive whoever started it.
    #[arg(long, hide = true)]
    pub(crate) stop_with_stdin: bool,
}

/// A word that is never shown.
#[derive(Clone)]
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(not shown)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// The runtime.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath runtime --data-dir ./data")]
pub(crate) struct RuntimeArgs {
    #[command(flatten)]
    pub(crate) watched: WatchedArgs,
    /// Stop when standard input ends.
    #[arg(long, hide = true)]
    pub(crate) stop_with_stdin: bool,
}

/// How services on the runtime are watched from outside.
#[derive(Clone, Debug, Args)]
pub(crate) struct WatchedArgs {
    /// Where a Prometheus may read the router's counters (/metrics) and which instances are ready (/discovery); port 0 has the system
    /// choose one, and metrics.json in the data folder says which. Whoever reaches the address may read; without it, nobody may.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Where services are told to send their telemetry by OTLP, as OTEL_EXPORTER_OTLP_ENDPOINT; a service's own variables win.
    #[arg(long, value_name = "URL", value_parser = otlp_endpoint)]
    pub(crate) otlp_endpoint: Option<String>,
}

/// Returns an endpoint that a service can be told: it ends up in the environment of every service, so it must hold no password.
fn otlp_endpoint(text: &str) -> Result<String, String> {
    let parsed: hyper::Uri = text.parse().map_err(|error| format!("{error}; expected a URL like http://127.0.0.1:4318"))?;
    match (parsed.scheme_str(), parsed.authority()) {
        (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => Ok(text.to_owned()),
        (Some("http" | "https"), Some(_)) => Err("it holds a user; services would all know the password".to_owned()),
        _ => Err("expected a URL like http://127.0.0.1:4318".to_owned()),
    }
}

/// What can be asked of the record.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Reads every record and finds those that were changed, removed or reordered. Asks the journal itself and no server.
    ///
    /// Example: towpath audit verify --data-dir ./data
    Verify {
        /// The PostgreSQL database that the journal lives in [env: TOWPATH_STORE]; without it, the file in the data folder.
        #[arg(long, value_name = "URL")]
        store: Option<Secret>,
        /// A PEM file of authorities that the connection to the database trusts besides the machine's own.
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
    /// Shows who did what, when, from where, and what came of it. Asks the journal itself and no server.
    ///
    /// Example: towpath audit show --since 24h --service hello
    Show(AuditShowArgs),
}

/// What to show of the record.
#[derive(Debug, Args)]
pub(crate) struct AuditShowArgs {
    /// From when on: so long ago, like 24h or 7d, or an instant, like 2026-11-23T08:00:00Z; without it the last 7 days, or all of the
    /// deployment that is named.
    #[arg(long, value_name = "WHEN", value_parser = Since::parse)]
    pub(crate) since: Option<Since>,
    /// Only of this deployment.
    #[arg(long, value_name = "ID")]
    pub(crate) deployment: Option<String>,
    /// Only of this service.
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
    /// Only in this environment.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// Only what was done with this plugin: installed, granted, revoked, approved, removed.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["deployment", "service"])]
    pub(crate) plugin: Option<String>,
    /// Only by this person, or `towpath` for what it decided by itself.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
    /// The PostgreSQL database that the journal lives in [env: TOWPATH_STORE]; without it, the file in the data folder.
    #[arg(long, value_name = "URL")]
    pub(crate) store: Option<Secret>,
    /// A PEM file of authorities that the connection to the database trusts besides the machine's own.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}

/// An instant, or how long before now it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Since {
    Instant(jiff::Timestamp),
    Ago(jiff::SignedDuration),
}

impl Since {
    fn parse(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        let ago = text.parse::<jiff::Span>().and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()));
        match ago {
            Ok(ago) if !ago.is_negative() => Ok(Self::Ago(ago)),
            Ok(_) => Err("it is in the future".to_owned()),
            Err(_) => Err("expected how long ago, like 24h or 7d, or an instant, like 2026-11-23T08:00:00Z".to_owned()),
        }
    }
}

/// What to copy to.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath backup --data-dir ./data journal-2026-11-23.db")]
pub(crate) struct BackupArgs {
    /// The file to write; it must not exist.
    pub(crate) file: PathBuf,
}

/// What to put back.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath restore --data-dir ./data journal-2026-11-23.db --replace")]
pub(crate) struct RestoreArgs {
    /// A file that `towpath backup` wrote.
    pub(crate) file: PathBuf,
    /// Do it although there is a journal; that one is kept beside it under another name.
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Server and runtime.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath up --data-dir ./data")]
pub(crate) struct UpArgs {
    #[command(flatten)]
    pub(crate) server: ServerArgs,
    #[command(flatten)]
    pub(crate) watched: WatchedArgs,
}

/// What can be done with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    #[command(flatten)]
    Local(crate::plugin::args::LocalCommand),
    #[command(flatten)]
    Known(cli::args::PluginCommand),
}

/// What to show.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example: towpath demo --scenario engine-crash")]
pub(crate) struct DemoOptions {
    /// Which story to tell.
    #[arg(long, value_enum, default_value_t = Scenario::Rollback)]
    pub(crate) scenario: Scenario,
    /// The program of the demo's service; `hello-service` beside this program when nothing is said.
    #[arg(long, value_name = "FILE")]
    pub(crate) service: Option<PathBuf>,
}

/// The stories that the demo can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// A good release goes out; a faulty one is caught and taken back.
    Rollback,
    /// The engine is killed in the middle of a canary, which goes on when it is back.
    EngineCrash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_otlp_endpoint_is_a_url_without_a_user() {
        let check = |text: &str, expect: &str| {
            let found = otlp_endpoint(text).unwrap_or_else(|error| error);
            assert!(found.contains(expect), "{text}: {found}");
        };
        check("http://127.0.0.1:4318", "http://127.0.0.1:4318");
        check("https://collector.example/otlp", "https://collector.example/otlp");
        check("127.0.0.1:4318", "expected a URL like");
        check("ftp://127.0.0.1", "expected a URL like");
        check("", "expected a URL like");
        check("http://me:secret@collector.example", "it holds a user");
    }
}
