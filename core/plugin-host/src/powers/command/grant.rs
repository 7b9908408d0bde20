//! What the operator may set: which programs, with which arguments, for how long.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::call::{CallState, Purpose};

/// How long a program may run where the rule does not say it, in milliseconds.
const TIMEOUT_MS: u32 = 60_000;

/// How much memory a program may use where the rule does not say it, in bytes: enough for tools that hold a cluster's documents or an
/// interpreter, and no danger to a server of a usual size.
const MEMORY_BYTES_MAX: u64 = 2 << 30;

/// How large a file a program may write where the rule does not say it, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// Which programs a plugin may run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CommandGrant {
    /// The programs.
    pub allow: Vec<CommandRule>,
}

/// One program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandRule {
    /// What the plugin calls it.
    pub name: String,
    /// Its absolute path.
    pub program: PathBuf,
    /// The arguments that always come first.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// How many arguments the plugin may add.
    #[serde(default)]
    pub extra_max: usize,
    /// Whether those may be options, which begin with "-".
    #[serde(default)]
    pub options: bool,
    /// Whether those may be paths that lead out of the program's folder: absolute ones, ones with "..", and options with a path right
    /// behind their letter.
    #[serde(default)]
    pub paths: bool,
    /// What is added to its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How long it may run at most, in milliseconds.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u32,
    /// How much time of all cores together it, and each process that it starts, may use, in seconds; absent: as much as one core has within
    /// its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_seconds_max: Option<u32>,
    /// How much memory of their own it, and each process that it starts, may use, in bytes.
    #[serde(default = "memory_bytes_max")]
    pub memory_bytes_max: u64,
    /// How large each file that it writes may become, in bytes.
    #[serde(default = "file_bytes_max")]
    pub file_bytes_max: u64,
    /// Whether it only reads: then it may run in every call, and leaves no outcome unknown.
    #[serde(default)]
    pub reading: bool,
}

/// Why a program is not run.
pub(super) enum Denied {
    Refused(String),
    Invalid(String),
}

fn timeout_ms() -> u32 {
    TIMEOUT_MS
}

fn memory_bytes_max() -> u64 {
    MEMORY_BYTES_MAX
}

fn file_bytes_max() -> u64 {
    FILE_BYTES_MAX
}

impl CommandGrant {
    /// Returns what either of the two allows.
    pub(crate) fn merged(&self, more: &Self) -> Self {
        let mut allow = self.allow.clone();
        allow.extend(more.allow.iter().filter(|rule| !self.allow.contains(rule)).cloned());
        Self { allow }
    }
}

/// Returns the rule that allows to run a program with these arguments.
pub(super) fn check(state: &CallState, name: &str, extra: &[String]) -> Result<CommandRule, Denied> {
    if !state.asker.asks_for("command") {
        return Err(Denied::Refused(state.not_asked_for("command")));
    }
    if let Some(argument) = extra.iter().find(|argument| argument.contains('\0')) {
        return Err(Denied::Invalid(format!("argument {argument:?} has a zero byte")));
    }
    let grants = state.grants.current();
    let named: Vec<_> = grants.command.iter().flat_map(|grant| &grant.allow).filter(|rule| rule.name == name).collect();
    let mut reason = format!("it asked for program {:?}", name.chars().take(100).collect::<String>());
    for rule in named {
        match rule.misfit(extra) {
            None if rule.reading => return Ok(rule.clone()),
            None if matches!(state.purpose, Purpose::Change) => return Ok(rule.clone()),
            None => {
                let why = format!("only a reconcile may run {name:?}, unless the grant says that it is \"reading\"");
                return Err(Denied::Refused(why));
            }
            Some(misfit) => reason = format!("it asked for program {name:?} with {misfit}"),
        }
    }
    Err(Denied::Refused(state.refuse("command", reason, line(name, extra))))
}

impl CommandRule {
    /// Returns how much time of all cores together a process may use, in seconds.
    pub(super) fn cpu_seconds(&self) -> u64 {
        self.cpu_seconds_max.unwrap_or_else(|| self.timeout_ms.div_ceil(1_000)).into()
    }

    /// Returns what is wrong with the arguments that a plugin adds.
    fn misfit(&self, extra: &[String]) -> Option<String> {
        if extra.len() > self.extra_max {
            return Some(format!("{} arguments of its own, at most {} are allowed", extra.len(), self.extra_max));
        }
        let option = extra.iter().find(|argument| !self.options && argument.starts_with('-'));
        if let Some(option) = option {
            return Some(format!("the option {:?}", shown(option)));
        }
        let path = extra.iter().find(|argument| !self.paths && leads_out(argument));
        path.map(|path| format!("the path {:?}", shown(path)))
    }
}

/// Returns whether an argument holds a path that leads out of the program's folder, wherever in it the path begins: behind "=", ":", a
/// bracket, a blank, as in `--file=/etc/x`.
///
/// Where the value of a short option begins, as in `-f/etc/x`, only the program knows: an option with a slash in its first word leads out.
fn leads_out(argument: &str) -> bool {
    let mut parts = argument.split(|character| !is_in_paths(character));
    let outside = |part: &str| part.starts_with(['/', '~']) || part.split('/').any(|segment| segment == "..");
    let attached = |part: &str| part.contains(['/', '~']) || part.ends_with("..");
    argument.starts_with('-') && parts.clone().next().is_some_and(attached) || parts.any(outside)
}

/// Returns whether a character is part of paths as people write them; every other one may have a path begin behind it.
fn is_in_paths(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '/' | '~' | '.' | '-' | '_' | '+' | '%')
}

fn shown(argument: &str) -> String {
    argument.chars().take(100).collect()
}

/// Returns the grant that would allow it, but for the program's path, which only the operator knows.
fn line(name: &str, extra: &[String]) -> String {
    let name: String = name.chars().take(100).collect();
    let mut rule = json!({ "name": name, "program": "/usr/bin/PROGRAM", "extraMax": extra.len() });
    if extra.iter().any(|argument| argument.starts_with('-')) {
        rule["options"] = true.into();
    }
    if extra.iter().any(|argument| leads_out(argument)) {
        rule["paths"] = true.into();
    }
    json!({ "command": { "allow": [rule] } }).to_string()
}
