//! What a plan is compiled from. Everything that this room may not find out by itself is handed in.

use model::{Artifact, BasisPoints, Digest, PluginUse, Policies, ReleaseId, ReleaseSpec, Scope};
use serde_json::{Value, json};

use crate::rules::environment::Environment;
use crate::rules::golden_path::GoldenPath;
use crate::rules::service::Service;

/// What one plan is compiled from.
#[derive(Clone, Copy)]
pub struct CompileInput<'a> {
    /// The path.
    pub path: &'a GoldenPath,
    /// What is deployed.
    pub service: &'a Service,
    /// Where to.
    pub environment: &'a Environment,
    /// Which release.
    pub release: &'a ReleaseInput,
    /// Whether nothing is stable there yet.
    pub first: bool,
    /// What the release changes besides the artifact; seen by `when`.
    pub change: &'a Change,
    /// The plugins that are installed.
    pub plugins: &'a dyn PluginCatalog,
    /// What the environment's target says it can do, asked with [`Environment::target_settings`].
    pub target: &'a TargetDescriptor,
}

/// A release before its configuration is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseInput {
    /// The name that it was registered under; none to name it by the hash of what it would run.
    pub id: Option<ReleaseId>,
    /// What people call it.
    pub label: String,
    /// What runs. The parameter marked `x-towpath: artifact` gets it.
    pub artifact: Artifact,
}

/// What a release changes besides the artifact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The migrations it brings.
    pub migrations: Vec<Migration>,
    /// How risky its author or a rule judged it to be.
    pub risk: Risk,
}

/// A migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its name.
    pub name: String,
    /// Whether it cannot be taken back.
    pub irreversible: bool,
}

/// How risky a change is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Risk {
    /// Nothing could go wrong that a rollback does not repair.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// People should look.
    High,
}

impl Change {
    /// Returns the change as expressions see it; `first` says whether nothing was stable before it.
    pub(crate) fn to_json(&self, first: bool) -> Value {
        let risk = match self.risk {
            Risk::Low => "low",
            Risk::Normal => "normal",
            Risk::High => "high",
        };
        let migration = |m: &Migration| json!({ "name": m.name, "irreversible": m.irreversible });
        json!({ "migrations": self.migrations.iter().map(migration).collect::<Vec<_>>(), "risk": risk, "first": first })
    }
}

/// The plugins that a plan may use.
pub trait PluginCatalog {
    /// Returns what is known of a plugin, or `None` when there is none of that name.
    fn find(&self, name: &str) -> Option<PluginFacts>;

    /// Returns the names of all plugins, for "did you mean".
    fn names(&self) -> Vec<String>;
}

/// What is known of a plugin without running it.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginFacts {
    /// The component that would run.
    pub digest: Digest,
    /// What it can be.
    pub kinds: Vec<PluginKind>,
    /// The JSON Schema of its settings, from its manifest: one for each kind that it has one for.
    pub settings_schemas: Vec<(PluginKind, Value)>,
}

/// What a plugin can be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginKind {
    /// Reconciles an environment.
    Target,
    /// Answers yes or no once.
    Gate,
    /// Judges a candidate again and again.
    Health,
    /// Does something once.
    Action,
    /// Tells people.
    Notifier,
}

impl PluginKind {
    /// Returns the kind as people say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Gate => "gate",
            Self::Health => "health check",
            Self::Action => "action",
            Self::Notifier => "notifier",
        }
    }
}

/// What a target can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetDescriptor {
    /// Traffic can be split by weight.
    pub weights: bool,
    /// The smallest share that can be set.
    pub weight_granularity: BasisPoints,
    /// Requests can be sent to a side by a header.
    pub header_match: bool,
    /// Requests can be sent to a side by a cookie.
    pub cookie_match: bool,
    /// A caller can be kept on one side.
    pub sticky: bool,
    /// Requests can be copied to the candidate.
    pub mirror: bool,
    /// All traffic can be moved at once.
    pub instant_switch: bool,
}

/// What a plan that goes straight to an earlier release is made from. Nothing is read anew: the release brings its own
/// configuration, target and policies, as they were when it was good.
#[derive(Clone, Debug)]
pub struct RestoreInput {
    /// Where.
    pub scope: Scope,
    /// The earlier release, whole.
    pub release: ReleaseSpec,
    /// The path that it came along ("web-canary@1.2.0").
    pub path: String,
    /// The environment's target.
    pub target: PluginUse,
    /// What the target can do.
    pub descriptor: TargetDescriptor,
    /// What holds for the run.
    pub policies: Policies,
}
