//! How the target is set up in an environment, and how a release says it is run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the target is set up in an environment.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// How often an instance may be started again during one movement before the release is given up.
    #[schemars(range(min = 1, max = 100))]
    pub restarts_max: u32,
    /// How long to wait before looking again, in milliseconds.
    #[schemars(range(min = 10, max = 60_000))]
    pub retry_after_ms: u32,
    /// Whether answers carry the header `x-towpath-release`.
    pub release_header: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { restarts_max: 3, retry_after_ms: 100, release_header: false }
    }
}

/// How a release is run: the shape of `configuration` for this target.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Configuration {
    /// Program and arguments; a program with a slash, or one at the top of the release's folder, is run from the folder.
    pub(crate) command: Vec<String>,
    /// Variables beside `PORT` and `HOST`.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// The public port; 0: the runtime picks one and keeps it.
    pub(crate) port: u16,
    /// How many processes are full capacity.
    #[serde(default = "instances")]
    pub(crate) instances: u16,
    /// When a process may take requests.
    #[serde(default)]
    pub(crate) readiness: Readiness,
    /// How long a process gets to stop, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub(crate) stop_timeout_ms: u64,
    /// How long requests in flight may take to finish, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub(crate) drain_timeout_ms: u64,
}

/// When a process may take requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Readiness {
    path: String,
    interval_ms: u64,
    timeout_ms: u64,
    successes: u32,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { path: "/".to_owned(), interval_ms: 200, timeout_ms: 1_000, successes: 2 }
    }
}

/// One process serves; whoever needs more says so.
fn instances() -> u16 {
    1
}

/// What most services need to finish their requests.
fn timeout_ms() -> u64 {
    5_000
}
