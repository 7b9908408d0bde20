//! How what divides the traffic is set up.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::Fault;

use super::{are_options, is_folder, is_word};

/// What divides the traffic.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum BalancerSettings {
    /// HAProxy, through its runtime API.
    Haproxy(Haproxy),
    /// nginx, through a file with the servers of an upstream and a reload.
    Nginx(Nginx),
    /// Envoy, through the files that it reads its endpoints and routes from.
    Envoy(Envoy),
}

/// How HAProxy is reached, and what of it is ours. Its servers are called `HOST-a` and `HOST-b`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Haproxy {
    /// The hosts that it runs on, by their names in the grant of `ssh`; all of them are told the same.
    #[schemars(length(min = 1, max = 8))]
    pub hosts: Vec<String>,
    /// Its stats socket there, with level admin: `127.0.0.1:PORT`, or an absolute path.
    #[schemars(example = "127.0.0.1:9999")]
    pub socket: String,
    /// The backend whose servers they are.
    #[serde(default = "backend")]
    pub backend: String,
    /// The file that its `server-state-file` names: written after every change, so that it begins again with the same weights.
    pub state_file: Option<String>,
    /// The cookie that keeps callers on a side, if the backend inserts one.
    pub cookie: Option<String>,
    /// What a server is given that HAProxy does not have and is told of while it runs: words as behind the address in its configuration, whose
    /// `default-server` does not count here.
    #[serde(default = "new_server")]
    pub new_server: String,
    /// The folder for fence and orders there; absent: `root`.
    pub root: Option<String>,
    /// Whether the scripts are run through `sudo` there; absent: as on the other hosts.
    pub sudo: Option<bool>,
}

/// How nginx is reached, and what of it is ours. `{service}` and `{environment}` stand for what is deployed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nginx {
    /// The hosts that it runs on, by their names in the grant of `ssh`; all of them are told the same.
    #[schemars(length(min = 1, max = 8))]
    pub hosts: Vec<String>,
    /// The file that the upstream includes, and that nobody else writes.
    #[schemars(regex(pattern = "^/"), example = "/etc/nginx/towpath/{service}.conf")]
    pub include: String,
    /// The upstream whose servers they are.
    #[serde(default = "backend")]
    pub upstream: String,
    /// The file with the routes, that nobody else writes and that is included beside the upstream: then requests can go to a side by a header or
    /// cookie of theirs, and be copied. It defines the variables `$towpath_UPSTREAM`, where requests go, and `$towpath_UPSTREAM_copy`.
    #[schemars(regex(pattern = "^/"), example = "/etc/nginx/towpath/{service}-routes.conf")]
    pub routes: Option<String>,
    /// nginx's program.
    #[serde(default = "program")]
    pub program: String,
    /// Its configuration, where that is not the usual one.
    pub configuration: Option<String>,
    /// The file with the id of its first process.
    #[serde(default = "pid_file")]
    pub pid_file: String,
    /// The folder for fence and orders there; absent: `root`.
    pub root: Option<String>,
    /// Whether the scripts are run through `sudo` there; absent: as on the other hosts.
    pub sudo: Option<bool>,
}

/// How Envoy is reached, and what of it is ours. `{service}` and `{environment}` stand for what is deployed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envoy {
    /// The hosts that it runs on, by their names in the grant of `ssh`; all of them are told the same.
    #[schemars(length(min = 1, max = 8))]
    pub hosts: Vec<String>,
    /// Its admin interface there: `127.0.0.1:PORT`, or an absolute path.
    #[schemars(example = "127.0.0.1:9901")]
    pub admin: String,
    /// The cluster whose servers they are.
    #[serde(default = "backend")]
    pub cluster: String,
    /// The folder with the files that it reads and that nobody else writes: `CLUSTER.json` with the cluster's endpoints.
    #[schemars(regex(pattern = "^/"), example = "/etc/envoy/towpath")]
    pub folder: String,
    /// How the cluster's routes are, where they are ours as well: then requests can go to a side by a header or cookie of theirs, and be copied.
    /// `CLUSTER-routes.json` holds them, under the cluster's name; the clusters `CLUSTER-stable` and `CLUSTER-candidate` read files of their names.
    pub routes: Option<EnvoyRoutes>,
    /// The folder for fence and orders there; absent: `root`.
    pub root: Option<String>,
    /// Whether the scripts are run through `sudo` there; absent: as on the other hosts.
    pub sudo: Option<bool>,
}

/// How the routes of a cluster are.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvoyRoutes {
    /// How long an answer may take to be complete, in milliseconds; 0: as long as it likes.
    #[serde(default)]
    pub timeout_ms: u32,
}

impl BalancerSettings {
    /// Returns whether requests can go another way than by weights.
    pub(crate) fn has_routes(&self) -> bool {
        match self {
            Self::Haproxy(_) => false,
            Self::Nginx(nginx) => nginx.routes.is_some(),
            Self::Envoy(envoy) => envoy.routes.is_some(),
        }
    }

    /// Returns the cookie that keeps callers on a side, if there is one.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match self {
            Self::Haproxy(haproxy) => haproxy.cookie.as_deref(),
            Self::Nginx(_) | Self::Envoy(_) => None,
        }
    }

    /// Fails unless the names in it are plain: they become part of lines that the balancer reads.
    pub(super) fn check(&self) -> Result<(), Fault> {
        let (name, folder) = match self {
            Self::Haproxy(haproxy) => {
                are_options("newServer", &haproxy.new_server)?;
                (&haproxy.backend, haproxy.root.as_ref())
            }
            Self::Nginx(nginx) => {
                for (what, file) in [("include", Some(&nginx.include)), ("routes", nginx.routes.as_ref())] {
                    file.map_or(Ok(()), |file| is_folder(what, &file.replace(['{', '}'], "")))?;
                }
                (&nginx.upstream, nginx.root.as_ref())
            }
            Self::Envoy(envoy) => {
                is_folder("Envoy's folder", &envoy.folder.replace(['{', '}'], ""))?;
                match envoy.admin.starts_with('/') {
                    true => is_folder("Envoy's admin interface", &envoy.admin)?,
                    false => is_word("Envoy's admin interface", &envoy.admin)?,
                }
                (&envoy.cluster, envoy.root.as_ref())
            }
        };
        is_word("the balancer's backend", &name.replace(['{', '}'], ""))?;
        folder.map_or(Ok(()), |folder| is_folder("the balancer's root", folder))
    }
}

fn program() -> String {
    "nginx".to_owned()
}

fn pid_file() -> String {
    "/run/nginx.pid".to_owned()
}

fn backend() -> String {
    "{service}".to_owned()
}

/// As often as the example's configuration has HAProxy look.
fn new_server() -> String {
    "check inter 1s rise 1 fall 3".to_owned()
}
