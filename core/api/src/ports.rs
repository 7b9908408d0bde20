//! What the services need from outside: the plugins' catalog, the artifact store, and what services measure.

use async_trait::async_trait;
use model::{Artifact, Digest, Scope, Timestamp};
use serde::{Deserialize, Serialize};

/// A plugin that the server knows, as its manifest tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginInfo {
    /// Its name, as paths and environments call it.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Digest of its component.
    pub digest: Digest,
    /// What it can be used as ("target", "gate", "health").
    pub kinds: Vec<String>,
    /// The powers it asks for, each with its reason.
    pub powers: Vec<(String, String)>,
    /// The JSON Schema of its settings: one for each kind that it has one for.
    pub settings_schemas: Vec<(String, String)>,
    /// The component's size in bytes.
    pub bytes: u64,
}

/// The plugins that the server knows.
#[async_trait]
pub trait Plugins: Send + Sync + 'static {
    /// Returns all of them, by name.
    fn list(&self) -> Vec<PluginInfo>;

    /// Returns the plugin with a digest, whatever its name stands for now; `None` where it is not installed or cannot be used.
    fn by_digest(&self, digest: &Digest) -> Option<PluginInfo>;

    /// Returns whether a plugin of this name is part of the program: its name is not to be had.
    fn is_own(&self, name: &str) -> bool;

    /// Returns why an installed component cannot be used on this server; `None` when it can.
    fn problem(&self, digest: &Digest) -> Option<String>;

    /// Returns what a plugin that is part of the program was made from; `None` for every other one.
    fn own_materials(&self, digest: &Digest) -> Option<Materials>;

    /// Returns how often a plugin was called and what it used since it was loaded.
    fn usage(&self, digest: &Digest) -> PluginUsage;

    /// Returns a grant in the form that the plugin host reads, with every field; refuses what it cannot read.
    fn grant(&self, powers: &str) -> Result<serde_json::Value, String>;

    /// Fetches a component and reads what it is. Keeps nothing.
    async fn fetch(&self, reference: &str) -> Result<Fetched, FetchError>;

    /// Makes a fetched component usable and keeps its bytes; durable on return. It has no name yet.
    async fn keep(&self, fetched: &Fetched) -> Result<(), FetchError>;

    /// Takes over what the catalog says now: names, digests and grants. From the return on, it holds at this server.
    async fn refresh(&self) -> Result<(), String>;

    /// Returns what a target can do with these settings (a JSON object). Runs the plugin, with no power at all.
    async fn describe_target(&self, name: &str, settings: &str) -> Result<path::TargetDescriptor, PluginsError>;
}

/// A component as it came from its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// What it is.
    pub info: PluginInfo,
    /// Its bytes.
    pub component: Vec<u8>,
    /// Where it came from, with what pins it.
    pub source: String,
    /// The digest of its manifest, when it came from a registry.
    pub manifest_digest: Option<String>,
    /// Who signed it, as far as that was verified.
    pub signed_by: Vec<String>,
    /// What it was made from, as far as it or its registry says so.
    pub materials: Option<Materials>,
}

/// What a plugin was made from, as its author says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Materials {
    /// How the list was written ("cargo-auditable", "cyclonedx", "spdx").
    pub format: String,
    /// What is in it, in the order of the list; bounded.
    pub list: Vec<Material>,
    /// How many more there are.
    pub more: u32,
}

/// One thing that a plugin was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Material {
    /// Its name.
    pub name: String,
    /// Its version; empty when none is told.
    pub version: String,
    /// Its package URL; empty when none is told.
    pub purl: String,
    /// Its licence; empty when none is told.
    pub licence: String,
}

/// A component could not be had, sorted by fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// There is no such thing, or it cannot be read.
    #[error("{0}")]
    NotFound(String),
    /// It is there and cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// It could not be kept.
    #[error("{0}")]
    NotKept(String),
}

/// How often a plugin was called, and what it used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginUsage {
    /// Calls that ended.
    pub calls: u64,
    /// Those of them that gave no answer.
    pub failed: u64,
    /// Uses by power: all, failed, refused.
    pub powers: Vec<(String, [u64; 3])>,
    /// The latest uses, newest first; bounded.
    pub latest: Vec<LatestUse>,
}

/// One use of a power.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LatestUse {
    /// The power.
    pub power: String,
    /// What was asked, without anything secret.
    pub what: String,
    /// "done", "failed" or "refused".
    pub outcome: &'static str,
    /// What came of it in a few words, or why nothing did.
    pub why: String,
    /// When it began, in Unix milliseconds.
    pub at_ms: i64,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
    /// The deployment that the call was for; empty outside of one.
    pub deployment: String,
    /// The service that the call was for.
    pub service: String,
    /// The environment.
    pub environment: String,
}

/// A plugin could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("plugin {plugin} could not say what it can do: {message}")]
pub struct PluginsError {
    /// Which one.
    pub plugin: String,
    /// Why.
    pub message: String,
}

/// The artifact store.
#[async_trait]
pub trait Artifacts: Send + Sync + 'static {
    /// Copies what a reference names into the store and returns it, pinned. The bytes are durable on return.
    async fn import(&self, reference: &ArtifactReference) -> Result<Artifact, ArtifactsError>;
}

/// A reference that cannot move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtifactReference {
    /// A folder or a file on the server's machine, by absolute path; its content is pinned when it is copied.
    Local(String),
    /// Something that the store has already.
    Pinned {
        /// What it is called.
        name: String,
        /// What it is.
        digest: Digest,
    },
}

/// An artifact could not be taken, sorted by fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactsError {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// What is there cannot be an artifact: too large, a device, a link that leads out.
    #[error("{0}")]
    Unusable(String),
    /// The stored copy is not what it was when it was registered; the text shows both digests.
    #[error("{0}")]
    Changed(String),
    /// No space is left for it.
    #[error("{0}")]
    Full(String),
    /// The store failed.
    #[error("{0}")]
    Failed(String),
}

/// What services measure, as this server knows it.
pub trait Measured: Send + Sync + 'static {
    /// Returns what is known of every service and environment that measures anything, in the order of their names, with what is usual in the
    /// hour of the week of `now`.
    fn list(&self, now: Timestamp) -> Vec<MeasuredScope>;

    /// Returns how many points came of nobody that the server knows, and why they were turned away last.
    fn strangers(&self) -> (u64, String);
}

/// What a service measures in an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredScope {
    /// Whose.
    pub scope: Scope,
    /// Points that were taken since the server started.
    pub taken: u64,
    /// Points that were refused.
    pub refused: u64,
    /// Why one was refused last.
    pub last_refusal: String,
    /// Series that are kept.
    pub series: u64,
    /// Series that were turned away in the last hour.
    pub series_turned_away: u64,
    /// What is learnt, by name.
    pub metrics: Vec<MeasuredMetric>,
    /// Metrics that are not learnt, for there are too many.
    pub metrics_not_learnt: u64,
}

/// What is usual of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuredMetric {
    /// The metric.
    pub name: String,
    /// Each aspect of which anything was learnt.
    pub usual: Vec<Usual>,
}

/// What is usual in one hour of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct Usual {
    /// Of what.
    pub of: UsualOf,
    /// Over how many minutes it was learnt.
    pub minutes: u32,
    /// The mean over them.
    pub mean: f64,
    /// The standard deviation of a minute.
    pub deviation: f64,
    /// The mean of the last seven days over that of the weeks before.
    pub drift: Option<f64>,
}

/// What of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsualOf {
    /// The mean of its values.
    Mean,
    /// The share of them that tell of an error.
    Errors,
    /// How many values a second.
    Rate,
}
