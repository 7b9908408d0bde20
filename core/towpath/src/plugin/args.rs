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
    /// Makes a pair of keys to sign plugins with. The private one is encrypted with the password in COSIGN_PASSWORD.
    ///
    /// Example: towpath plugin key release
    Key(KeyArgs),
    /// Publishes a component in a registry, and says what it is called there for good.
    ///
    /// Example: towpath plugin push my-gate.wasm registry.example/team/my-gate:1.0.0
    Push(PushArgs),
    /// Signs a plugin where it is, as cosign does.
    ///
    /// Example: towpath plugin sign registry.example/team/my-gate:1.0.0 --key release.key
    Sign(SignArgs),
    /// Fetches a plugin from a registry or a folder, when it is signed by whom you believe.
    ///
    /// Example: towpath plugin pull registry.example/team/my-gate:1.0.0 -o my-gate.wasm --key release.pub
    Pull(PullArgs),
    /// Says who signed a plugin, of those that you believe, and fetches nothing else.
    ///
    /// Example: towpath plugin verify registry.example/team/my-gate:1.0.0 --key release.pub
    Verify(VerifyArgs),
    /// Copies a plugin with its signatures from its registry into a folder, for machines without a network.
    ///
    /// Example: towpath plugin save registry.example/team/my-gate:1.0.0 offline; there: towpath plugin install /offline#registry.example/team/my-gate:1.0.0
    Save(SaveArgs),
    /// Copies a plugin with its signatures from a folder to the registry of its name.
    ///
    /// Example: towpath plugin load offline registry.example/team/my-gate:1.0.0
    Load(LoadArgs),
    /// Attaches a list of materials (CycloneDX or SPDX in JSON) to a plugin that does not carry one itself.
    ///
    /// Example: towpath plugin attach registry.example/team/my-gate:1.0.0 my-gate.cdx.json
    Attach(AttachArgs),
}

/// How registries are reached.
#[derive(Clone, Debug, Args)]
pub(crate) struct Places {
    /// What is special about registries: mirrors, credentials, authorities, as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) registries: Option<PathBuf>,
}

/// What to call the keys.
#[derive(Clone, Debug, Args)]
pub(crate) struct KeyArgs {
    /// Their name: NAME.key and NAME.pub are written, and must not be there.
    pub(crate) name: PathBuf,
}

/// What to publish.
#[derive(Clone, Debug, Args)]
pub(crate) struct PushArgs {
    /// The component.
    pub(crate) file: PathBuf,
    /// Where to, like registry.example/team/my-gate:1.0.0, or FOLDER#REFERENCE.
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// What to sign.
#[derive(Clone, Debug, Args)]
pub(crate) struct SignArgs {
    /// The plugin in its registry, or FOLDER#REFERENCE.
    pub(crate) reference: String,
    /// The private key: cosign's, encrypted with the password in COSIGN_PASSWORD, or PKCS#8 in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// How the signature is written.
    #[arg(long, value_enum, default_value_t = Format::Bundle)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// What cosign writes from its third version on.
    Bundle,
    /// What every version of cosign verifies.
    Simple,
}

/// What to fetch.
#[derive(Clone, Debug, Args)]
pub(crate) struct PullArgs {
    /// The plugin in its registry, or FOLDER#REFERENCE.
    pub(crate) reference: String,
    /// Where to write the component.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// The public key that must have signed it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["trust", "allow_unsigned"])]
    pub(crate) key: Option<PathBuf>,
    /// Whose signatures are believed for what, as JSON: the file that `towpath server --plugin-trust` takes.
    #[arg(long, value_name = "FILE", conflicts_with = "allow_unsigned")]
    pub(crate) trust: Option<PathBuf>,
    /// Take it whoever signed it, or nobody.
    #[arg(long)]
    pub(crate) allow_unsigned: bool,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// What to verify.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The plugin in its registry, or FOLDER#REFERENCE.
    pub(crate) reference: String,
    /// The public key that must have signed it.
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    pub(crate) key: Option<PathBuf>,
    /// Whose signatures are believed for what, as JSON: the file that `towpath server --plugin-trust` takes.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// What to copy into a folder.
#[derive(Clone, Debug, Args)]
pub(crate) struct SaveArgs {
    /// The plugin in its registry.
    pub(crate) reference: String,
    /// The folder; it is made when it is not there.
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// What to copy out of a folder.
#[derive(Clone, Debug, Args)]
pub(crate) struct LoadArgs {
    /// The folder.
    pub(crate) folder: PathBuf,
    /// The plugin, as it is called in its registry.
    pub(crate) reference: String,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// What to attach.
#[derive(Clone, Debug, Args)]
pub(crate) struct AttachArgs {
    /// The plugin in its registry, or FOLDER#REFERENCE.
    pub(crate) reference: String,
    /// The list of materials.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) places: Places,
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
    /// Where cargo keeps what it compiled; without it, in the target folder of the plugin's workspace, or in towpath/guests in the user's
    /// cache folder for a plugin that stands alone.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) target_dir: Option<PathBuf>,
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
