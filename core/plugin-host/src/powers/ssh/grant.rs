//! What the operator may set: which hosts, how they prove themselves, and what may be run and put there.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::{CallState, Purpose};
use crate::powers::artifact::path::is_inside;

/// The port of ssh.
const PORT: u16 = 22;

/// Which hosts a plugin may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SshGrant {
    /// The hosts.
    pub hosts: Vec<SshHost>,
}

/// One host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SshHost {
    /// What the plugin calls it.
    pub name: String,
    /// Its address or name.
    pub address: String,
    /// Its port.
    #[serde(default = "port")]
    pub port: u16,
    /// The user there.
    pub user: String,
    /// The keys that it may show, each as `ssh-keyscan` writes it: "ssh-ed25519 AAAA…".
    pub host_keys: Vec<String>,
    /// The file on the server's machine with the key that the server proves itself with, without a passphrase.
    pub key_file: PathBuf,
    /// The command lines that may be run. One that ends with " *" takes any plain or quoted words there.
    #[serde(default)]
    pub commands: Vec<String>,
    /// The same, for those that only read: they may run in every call, and leave no outcome unknown.
    #[serde(default)]
    pub reading: Vec<String>,
    /// The folders that files may be put into, and everything below them.
    #[serde(default)]
    pub paths: Vec<String>,
}

/// What is wanted of a host.
pub(super) enum Wanted<'a> {
    /// To run a command line.
    Run(&'a str),
    /// To put a file to a path.
    Put(&'a str),
}

fn port() -> u16 {
    PORT
}

impl SshGrant {
    /// Returns what either of the two allows.
    pub(crate) fn merged(&self, more: &Self) -> Self {
        let mut hosts = self.hosts.clone();
        hosts.extend(more.hosts.iter().filter(|host| !self.hosts.contains(host)).cloned());
        Self { hosts }
    }
}

/// Returns the host, and whether what is wanted only reads; or the refusal's sentence.
pub(super) fn check(state: &CallState, name: &str, wanted: &Wanted<'_>) -> Result<(SshHost, bool), String> {
    if !state.asker.asks_for("ssh") {
        return Err(state.not_asked_for("ssh"));
    }
    let grants = state.grants.current();
    let mut named = grants.ssh.iter().flat_map(|grant| &grant.hosts).filter(|host| host.name == name);
    let fitting = named.find_map(|host| host.allows(wanted).map(|reading| (host.clone(), reading)));
    match (fitting, &state.purpose) {
        (Some((host, reading)), purpose) if reading || matches!(purpose, Purpose::Change) => Ok((host, reading)),
        (Some(_), _) => Err("only a reconcile may do this, unless the grant lists the command as \"reading\"".to_owned()),
        (None, _) => {
            let (what, text) = match wanted {
                Wanted::Run(command) => ("to run", shown(command)),
                Wanted::Put(path) => ("to put a file to", shown(path)),
            };
            let reason = format!("it asked {what} {text:?} on host {:?}", shown(name));
            Err(state.refuse("ssh", reason, line(name, wanted)))
        }
    }
}

impl SshHost {
    /// Returns whether it is allowed, and whether it only reads.
    fn allows(&self, wanted: &Wanted<'_>) -> Option<bool> {
        match wanted {
            Wanted::Run(command) if self.reading.iter().any(|rule| fits(rule, command)) => Some(true),
            Wanted::Run(command) => self.commands.iter().any(|rule| fits(rule, command)).then_some(false),
            Wanted::Put(path) => {
                let inside = path.strip_prefix('/').is_some_and(is_inside);
                let below =
                    |folder: &String| path.strip_prefix(folder.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'));
                (inside && self.paths.iter().any(below)).then_some(false)
            }
        }
    }
}

/// Returns whether a rule allows a command line.
fn fits(rule: &str, command: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(start) if start.is_empty() || start.ends_with(' ') => command.strip_prefix(start).is_some_and(are_words),
        _ => rule == command,
    }
}

/// Returns whether a shell reads a text as nothing but words: plain characters, and what stands between single quotes.
fn are_words(text: &str) -> bool {
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => {
                if !characters.any(|within| within == '\'') {
                    return false;
                }
            }
            // How a single quote is written between two quoted texts.
            '\\' if characters.clone().next() == Some('\'') => {
                characters.next();
            }
            ' ' | '-' | '_' | '.' | '/' | ':' | '=' | '@' | ',' | '+' | '%' => {}
            other if other.is_ascii_alphanumeric() => {}
            _ => return false,
        }
    }
    !text.contains('\0')
}

fn shown(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Returns the grant that would allow it, but for what only the operator knows.
fn line(name: &str, wanted: &Wanted<'_>) -> String {
    let mut host = json!({
        "name": shown(name), "address": "ADDRESS", "user": "USER", "hostKeys": ["ssh-ed25519 KEY"], "keyFile": "/etc/towpath/ssh/KEY"
    });
    match wanted {
        Wanted::Run(command) => host["commands"] = json!([shown(command)]),
        Wanted::Put(path) => {
            let folder = path.rsplit_once('/').map_or("/", |(folder, _)| folder);
            host["paths"] = json!([shown(if folder.is_empty() { "/" } else { folder })]);
        }
    }
    json!({ "ssh": { "hosts": [host] } }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_allows_its_line_and_no_second_command() {
        let check = |rule: &str, command: &str, expect: bool| assert_eq!(fits(rule, command), expect, "{rule} {command}");
        check("systemctl restart web", "systemctl restart web", true);
        check("systemctl restart web", "systemctl restart web2", false);
        check("systemctl restart *", "systemctl restart web", true);
        check("systemctl restart *", "systemctl restart 'a b'\\''c' --now", true);
        for more in
            ["web; reboot", "web && reboot", "$(reboot)", "`reboot`", "web\nreboot", "web | sh", "'web", "web > /x", "\\$x", "*"]
        {
            check("systemctl restart *", &format!("systemctl restart {more}"), false);
        }
        check("systemctl *", "systemctlx", false);
        check("systemctl*", "systemctl restart", false);
        check("*", "reboot now", true);
    }

    #[test]
    fn files_go_below_the_granted_folders() {
        let host = r#"{"name":"a","address":"a","user":"u","hostKeys":[],"keyFile":"/k","paths":["/srv/web/"]}"#;
        let host: SshHost = serde_json::from_str(host).expect("a host");
        assert_eq!(host.port, 22);
        for (path, expect) in [
            ("/srv/web/a", true),
            ("/srv/web/a/b", true),
            ("/srv/web", false),
            ("/srv/website/a", false),
            ("/srv/web/../x", false),
            ("srv/web/a", false),
            ("/srv/web//a", false),
        ] {
            assert_eq!(host.allows(&Wanted::Put(path)).is_some(), expect, "{path}");
        }
    }
}
