//! How the target is set up in an environment.

mod balancer;

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::Fault;

pub(crate) use balancer::{BalancerSettings, Envoy, Haproxy, Nginx};

/// How the target is set up in an environment.
///
/// In `backend`, `{service}` and `{environment}` stand for what is deployed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The hosts, by the names that they have in the grant of `ssh`; absent: `inventory` knows them.
    #[schemars(length(min = 1, max = 120))]
    pub hosts: Option<Vec<Host>>,
    /// Who knows the hosts, where they come and go; absent: `hosts` names them.
    pub inventory: Option<Inventory>,
    /// The groups whose hosts are used; none: all hosts.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The folder on each host that releases and state are kept in.
    #[serde(default = "root")]
    #[schemars(regex(pattern = "^/"))]
    pub root: String,
    /// The ports on each host, one for each of two releases that run at once; absent: the port of the release's configuration, and the next.
    pub ports: Option<Ports>,
    /// What keeps the service running.
    pub supervisor: Supervisor,
    /// The user that the service runs as; absent: the one that the scripts run as.
    pub user: Option<String>,
    /// Whether the scripts are run through `sudo`, which must not ask for a password.
    #[serde(default)]
    pub sudo: bool,
    /// What divides the traffic; absent: nothing does, and only states without shares can be served.
    pub balancer: Option<BalancerSettings>,
    /// Where callers reach the service, as `HOST:PORT`.
    #[schemars(example = "web.example.com:80")]
    pub public_endpoint: Option<String>,
    /// How many releases are kept on each host, those that run among them.
    #[serde(default = "keep_releases")]
    #[schemars(range(min = 2, max = 50))]
    pub keep_releases: u16,
    /// How many hosts begin a release at once.
    #[serde(default = "batch")]
    #[schemars(range(min = 1, max = 120))]
    pub batch: u16,
    /// On how many hosts a release may fail before it is given up; those are left out.
    #[serde(default)]
    pub failed_hosts_max: u16,
    /// How many hosts may be out of reach; those are left out.
    #[serde(default)]
    pub unreachable_hosts_max: u16,
    /// How much must stay free in `root` beside the release, in MiB.
    #[serde(default = "free_mib")]
    pub free_mib: u32,
    /// How long a release may take to become ready on a host, in milliseconds.
    #[serde(default = "ready_timeout_ms")]
    #[schemars(range(min = 1_000, max = 3_600_000))]
    pub ready_timeout_ms: u32,
    /// How often a release may be started again on a host while it becomes ready.
    #[serde(default = "restarts_max")]
    #[schemars(range(min = 1, max = 100))]
    pub restarts_max: u32,
    /// How long to wait before looking again, in milliseconds.
    #[serde(default = "retry_after_ms")]
    #[schemars(range(min = 10, max = 60_000))]
    pub retry_after_ms: u32,
    /// How long a host may take to answer, in milliseconds.
    #[serde(default = "timeout_ms")]
    #[schemars(range(min = 500, max = 9_000))]
    pub timeout_ms: u32,
}

/// Who knows the hosts.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Inventory {
    /// A program that the operator allowed.
    Command(Program),
}

/// A program that prints the hosts: a list as `hosts` is one, in JSON, or an object whose `hosts` is one. It is run at the beginning of each
/// call, and its grant must say that it is `reading`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Program {
    /// The program, by the name that the operator gave it in the grant.
    #[schemars(length(min = 1, max = 100))]
    pub program: String,
    /// Its arguments, after those that the operator fixed; no shell reads them. `$service` and `$environment` stand for what is deployed; `$$` is a
    /// dollar sign.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub arguments: Vec<String>,
    /// How long it may run, in milliseconds.
    #[serde(default = "inventory_timeout_ms")]
    #[schemars(range(min = 100, max = 8_000))]
    pub timeout_ms: u32,
}

/// A host.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Host {
    /// The name that it has in the grant of `ssh`.
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
    /// Where the service listens there and the balancer reaches it; absent: on loopback alone.
    #[serde(default = "address")]
    pub address: String,
    /// The groups that it is in.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Its own folder, where it differs from the others.
    pub root: Option<String>,
    /// Its own ports, where they differ from the others.
    pub ports: Option<Ports>,
    /// Its own folder of units, where it differs from the others.
    pub units: Option<String>,
}

/// The ports of the two slots of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ports {
    /// The port of slot `a`.
    #[schemars(range(min = 1))]
    pub a: u16,
    /// The port of slot `b`.
    #[schemars(range(min = 1))]
    pub b: u16,
}

/// What keeps the service running.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Supervisor {
    /// systemd.
    Systemd(Units),
    /// runit.
    Runit(Units),
    /// s6, by an `s6-svscan` that looks into the folder.
    S6(Units),
}

/// Where a supervisor looks for its units.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Units {
    /// The folder; absent: `/etc/systemd/system`, `/etc/service` or `/run/service`.
    pub folder: Option<String>,
}

impl Settings {
    /// Returns those of the hosts that are used, in their order; an error where there is none, or one is named twice.
    pub(crate) fn used<'a>(&self, hosts: &'a [Host]) -> Result<Vec<&'a Host>, Fault> {
        let used: Vec<_> = hosts
            .iter()
            .filter(|host| self.groups.is_empty() || host.groups.iter().any(|group| self.groups.contains(group)))
            .collect();
        if used.is_empty() {
            return Err(Fault::permanent(format!("none of {} hosts is in one of the groups {:?}", hosts.len(), self.groups)));
        }
        if let Some(balancer) = &self.balancer {
            balancer.check()?;
        }
        if let Some(user) = &self.user {
            is_word("user", user)?;
        }
        for (at, host) in used.iter().enumerate() {
            is_word("host", &host.name)?;
            is_word("address", &host.address)?;
            if matches!(self.balancer, Some(BalancerSettings::Envoy(_))) && host.address.parse::<IpAddr>().is_err() {
                let why = format!("Envoy takes no names as addresses of servers, and {} is {:?}", host.name, host.address);
                return Err(Fault::permanent(why));
            }
            is_folder("root", self.root(host))?;
            is_folder("the units' folder", self.units(host))?;
            if let Some(Ports { a, b }) = host.ports.or(self.ports).filter(|ports| ports.a == ports.b) {
                return Err(Fault::permanent(format!("both slots of {} would have one port: a is {a}, b is {b}", host.name)));
            }
            if used[..at].iter().any(|other| other.name == host.name) {
                return Err(Fault::permanent(format!("host {} is named twice", host.name)));
            }
        }
        Ok(used)
    }

    /// Returns the folder that a host's supervisor looks for units in.
    pub(crate) fn units<'a>(&'a self, host: &'a Host) -> &'a str {
        let (own, usual) = match &self.supervisor {
            Supervisor::Systemd(units) => (&units.folder, "/etc/systemd/system"),
            Supervisor::Runit(units) => (&units.folder, "/etc/service"),
            Supervisor::S6(units) => (&units.folder, "/run/service"),
        };
        host.units.as_deref().or(own.as_deref()).unwrap_or(usual)
    }

    /// Returns the folder of a host.
    pub(crate) fn root<'a>(&'a self, host: &'a Host) -> &'a str {
        host.root.as_deref().unwrap_or(&self.root)
    }
}

/// Fails unless a text is one plain word: it becomes part of names and lines that others read.
pub(crate) fn is_word(what: &str, text: &str) -> Result<(), Fault> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-:@".contains(character);
    match (1..=128).contains(&text.len()) && text.chars().all(plain) && !text.starts_with(['.', '-']) {
        true => Ok(()),
        false => {
            let shown: String = text.chars().take(40).collect();
            Err(Fault::permanent(format!("{what} {shown:?} is no plain word of 1 to 128 of a-z, A-Z, 0-9 and ._-:@")))
        }
    }
}

/// Fails unless a text is an absolute path of plain characters: it stands in units and scripts.
fn is_folder(what: &str, text: &str) -> Result<(), Fault> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-/".contains(character);
    let fine = text.len() <= 500 && text.starts_with('/') && text.chars().all(plain) && !text.split('/').any(|part| part == "..");
    match fine {
        true => Ok(()),
        false => Err(Fault::permanent(format!(
            "{what} {:?} is no absolute path of plain characters",
            text.chars().take(80).collect::<String>()
        ))),
    }
}

/// Fails unless a text is plain words alone: they become part of a command, and must not begin another.
fn are_options(what: &str, text: &str) -> Result<(), Fault> {
    let plain = |character: char| character.is_ascii_alphanumeric() || " ._-:/,@".contains(character);
    match text.len() <= 500 && text.chars().all(plain) {
        true => Ok(()),
        false => Err(Fault::permanent(format!(
            "{what} {:?} is no row of at most 500 plain characters",
            text.chars().take(80).collect::<String>()
        ))),
    }
}

fn root() -> String {
    "/srv/towpath".to_owned()
}

fn address() -> String {
    "127.0.0.1".to_owned()
}

/// Half of a call: a cloud's tool takes a second or two to answer.
fn inventory_timeout_ms() -> u32 {
    5_000
}

/// What runs, what ran before, and one to go back to.
fn keep_releases() -> u16 {
    3
}

/// Enough to be quick with a dozen hosts, and not all of them at once.
fn batch() -> u16 {
    5
}

fn free_mib() -> u32 {
    256
}

fn ready_timeout_ms() -> u32 {
    60_000
}

fn restarts_max() -> u32 {
    3
}

fn retry_after_ms() -> u32 {
    1_000
}

fn timeout_ms() -> u32 {
    8_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused_with_the_reason() {
        let check = |text: &str, expect: &str| {
            let settings: Settings = serde_json::from_str(&format!(r#"{{"supervisor":{{"runit":{{}}}},{text}}}"#)).expect(text);
            let found = settings.used(settings.hosts.as_deref().expect(text)).expect_err(text);
            assert!(!found.retryable && found.message.contains(expect), "{}", found.message);
        };
        check(r#""hosts":[]"#, "none of 0 hosts");
        check(r#""hosts":[{"name":"a"}],"groups":["eu"]"#, "none of 1 hosts");
        check(r#""hosts":[{"name":"a"},{"name":"a"}]"#, "a is named twice");
        check(r#""hosts":[{"name":"a b"}]"#, "\"a b\" is no plain word");
        check(r#""hosts":[{"name":"a","root":"srv"}]"#, "\"srv\" is no absolute path");
        check(r#""hosts":[{"name":"a"}],"root":"/srv/$(reboot)""#, "no absolute path of plain characters");
        check(r#""hosts":[{"name":"a"}],"ports":{"a":80,"b":80}"#, "both slots of a would have one port");
        check(r#""hosts":[{"name":"a"}],"user":"-x""#, "no plain word");
        check(
            r#""hosts":[{"name":"a"}],"balancer":{"haproxy":{"hosts":["b"],"socket":"/s","newServer":"check;del server web/a"}}"#,
            "newServer \"check;del server web/a\" is no row",
        );
    }
}
