//! How a release says it is run: the shape of `configuration` for this target. The words are those of the local target, so that one golden
//! path serves both.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// How much of the fingerprint is kept, in bytes: enough to tell two configurations of one release apart.
const FINGERPRINT_BYTES: usize = 16;

/// The most files that a configuration brings: they travel with every start.
const FILES_MAX: usize = 100;

/// The most bytes that a configuration may have, files and all.
const CONFIGURATION_BYTES_MAX: usize = 512 << 10;

/// The longest that connections may stay, in milliseconds: an hour. Whoever holds one meets a new release in between.
const LONG_LIVED_MS_MAX: u64 = 3_600_000;

/// How a release is run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Configuration {
    /// Program and arguments; a program with a slash is run from the release's folder.
    pub(crate) command: Vec<String>,
    /// Variables beside `PORT`, `HOST` and `CONFIG_DIR`.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Files that are written into `CONFIG_DIR`.
    #[serde(default)]
    pub(crate) files: Vec<File>,
    /// The port of slot `a`, unless the settings say another; slot `b` has the next.
    #[serde(default)]
    pub(crate) port: u16,
    /// For other targets: here a host has one instance of a side.
    #[serde(default)]
    instances: Option<u16>,
    /// When it may take requests.
    #[serde(default)]
    pub(crate) readiness: Readiness,
    /// How long it gets to stop, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub(crate) stop_timeout_ms: u64,
    /// How long requests in flight may take to finish, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub(crate) drain_timeout_ms: u64,
    /// How long what is still connected after that may stay, in milliseconds: a WebSocket, a stream of events, a long download; absent: it ends
    /// with its program.
    #[serde(default)]
    pub(crate) long_lived_timeout_ms: Option<u64>,
}

/// A file of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct File {
    /// Its path in `CONFIG_DIR`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) content: String,
    /// Its permission bits, in octal ("640").
    #[serde(default = "mode")]
    pub(crate) mode: String,
}

/// When a release may take requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Readiness {
    /// The path that answers with success; empty: it is ready as soon as it runs.
    pub(crate) path: String,
    /// For other targets: how often this one looks is a setting.
    interval_ms: u64,
    timeout_ms: u64,
    successes: u32,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { path: "/".to_owned(), interval_ms: 200, timeout_ms: 1_000, successes: 2 }
    }
}

impl Configuration {
    /// Reads and checks a configuration.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.len() > CONFIGURATION_BYTES_MAX {
            return Err(format!("it has {} bytes, at most {CONFIGURATION_BYTES_MAX} may be", text.len()));
        }
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        read.check().map(|()| read)
    }

    fn check(&self) -> Result<(), String> {
        if self.command.first().is_none_or(String::is_empty) {
            return Err("`command` names no program".to_owned());
        }
        let values = self.command.iter().chain(self.env.values()).chain(self.files.iter().map(|file| &file.content));
        if let Some(value) = values.into_iter().find(|value| value.contains('\0')) {
            return Err(format!("{:?} has a zero byte", value.chars().take(40).collect::<String>()));
        }
        let is_name = |name: &str| {
            let mut characters = name.chars();
            characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
                && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        };
        if let Some(name) = self.env.keys().find(|name| !is_name(name)) {
            return Err(format!("{name:?} is no name of a variable"));
        }
        if !self.readiness.path.is_empty() && !is_path(self.readiness.path.strip_prefix('/').unwrap_or("\n"), "?=&%,+~") {
            return Err(format!("`readiness.path` {:?} is no plain path that begins with /", self.readiness.path));
        }
        if let Some(timeout_ms) = self.long_lived_timeout_ms.filter(|timeout_ms| *timeout_ms > LONG_LIVED_MS_MAX) {
            return Err(format!("`longLivedTimeoutMs` is {timeout_ms}, at most {LONG_LIVED_MS_MAX} may be"));
        }
        if self.files.len() > FILES_MAX {
            return Err(format!("it has {} files, at most {FILES_MAX} may be", self.files.len()));
        }
        for File { path, mode, .. } in &self.files {
            if path.is_empty() || !is_path(path, "") || path.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(format!("{path:?} is no plain path inside of the configuration's folder"));
            }
            if mode.len() != 3 || !mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit)) {
                return Err(format!("the mode {mode:?} of {path} is not three octal digits"));
            }
        }
        Ok(())
    }
}

/// Returns what tells two configurations of one release apart.
pub(crate) fn fingerprint(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

fn is_path(text: &str, more: &str) -> bool {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-/".contains(character) || more.contains(character);
    text.len() <= 500 && text.chars().all(plain)
}

fn mode() -> String {
    "644".to_owned()
}

/// What most services need to finish their requests.
fn timeout_ms() -> u64 {
    5_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_down_on_a_host_is_refused_with_the_reason() {
        let check = |text: &str, expect: &str| {
            let found = Configuration::read(text).expect_err(text);
            assert!(found.contains(expect), "{found}");
        };
        check(r#"{"command":[]}"#, "names no program");
        check(r#"{"command":["./web"],"env":{"A B":"1"}}"#, "\"A B\" is no name");
        check(r#"{"command":["./web","a\u0000b"]}"#, "zero byte");
        check(r#"{"command":["./web"],"readiness":{"path":"healthz"}}"#, "begins with /");
        check(r#"{"command":["./web"],"readiness":{"path":"/a b\r\nx: y"}}"#, "begins with /");
        check(r#"{"command":["./web"],"files":[{"path":"../x","content":""}]}"#, "../x");
        check(r#"{"command":["./web"],"files":[{"path":"x","content":"","mode":"4755"}]}"#, "4755");
        check(r#"{"command":["./web"],"commands":1}"#, "commands");
        check(r#"{"command":["./web"],"longLivedTimeoutMs":3600001}"#, "is 3600001, at most 3600000");
        check(&format!(r#"{{"command":["{}"]}}"#, "x".repeat(600_000)), "at most 524288");
        Configuration::read(r#"{"command":["./web"],"port":8080,"instances":4,"readiness":{"path":"/healthz?full=1"}}"#)
            .expect("fine");
    }
}
