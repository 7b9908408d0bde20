//! What can be said to `towpath plugin` without a server. The help texts are these comments.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What an author of plugins does.
#[derive(Debug, Subcommand)]
pub(crate) enum LocalCommand {
    /// Makes a project that builds and passes its tests as it is.
    ///
    /// Example: towpath plugin new --kind gate --language javascript my-gate
    New(NewArgs),
    /// Builds a plugin: a crate, or a folder with a plugin.json beside JavaScript or Python.
    ///
    /// Example: towpath plugin build plugins/health-http -o health-http.wasm
    Build(BuildArgs),
    /// Says what a component is, what it asks for, and whether a host would take it. Ends with status 1 when none would.
    ///
    /// Example: towpath plugin check my-gate.wasm
    Check(CheckArgs),
    /// Asks a plugin one question from a file, and shows the answer, the log and every use of a power.
    ///
    /// Example: towpath plugin run my-gate.wasm call.json
    Run(RunArgs),
    /// Has a plugin prove what every plugin of its kind owes. Ends with status 1 when something does not hold.
    ///
    /// Example: towpath plugin test my-gate.wasm --case case.json
    Test(TestArgs),
}

/// What to make.
#[derive(Clone, Debug, Args)]
pub(crate) struct NewArgs {
    /// The plugin's name; a folder of that name is made. May have a path before it.
    pub(crate) name: PathBuf,
    /// What it is.
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// What it is written in.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    pub(crate) language: Language,
    /// The folder of towpath-sdk, for a plugin in Rust; without it, the version of a registry is named.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) sdk: Option<PathBuf>,
}

/// A kind of plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Brings an environment to a desired state.
    Target,
    /// Answers once before a step.
    Gate,
    /// Is asked again and again while a candidate takes traffic.
    Health,
}

/// What a plugin is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// With towpath-sdk.
    Rust,
    /// With componentize-js.
    #[value(name = "javascript", alias = "js")]
    JavaScript,
    /// With componentize-py.
    #[value(alias = "py")]
    Python,
}

/// What to build.
#[derive(Clone, Debug, Args)]
pub(crate) struct BuildArgs {
    /// The plugin's folder.
    pub(crate) folder: PathBuf,
    /// Where to write the component; the plugin's name and `.wasm` when nothing is said.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// A folder where componentize-js or componentize-py is looked for first; may be given several times.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) tools: Vec<PathBuf>,
}

/// What to check.
#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// Do not compile it: quicker, but what does not fit the host's powers is not found.
    #[arg(long)]
    pub(crate) no_compile: bool,
}

/// What to run.
#[derive(Clone, Debug, Args)]
pub(crate) struct RunArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// The call, as JSON: what is asked, with which settings, under which grants.
    pub(crate) call: PathBuf,
}

/// What to prove.
#[derive(Clone, Debug, Args)]
pub(crate) struct TestArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// The case, as JSON: settings, and what is good and bad; without one, what every plugin can be asked is asked.
    #[arg(long, value_name = "FILE")]
    pub(crate) case: Option<PathBuf>,
}
