//! How the check is set up.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::health::Judged;
use towpath_sdk::prelude::*;

/// More arguments than this belong into a file of the operator's.
const ARGUMENTS_MAX: usize = 50;

/// The longest argument, in bytes.
const ARGUMENT_BYTES_MAX: usize = 4_096;

/// From here on a code does not come from the program: it was not run, or a signal ended it.
const CODE_MAX: i32 = 125;

/// How the check is set up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// The program, by the name that the operator gave it in the grant.
    #[schemars(length(min = 1, max = 100))]
    pub program: String,
    /// Its arguments, after those that the operator fixed; no shell reads them. `$service`, `$environment`, and the subject's `$release`, `$label`
    /// and `$endpoint` stand for what they name; `$$` is a dollar sign.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub arguments: Vec<String>,
    /// How the program says its verdict.
    #[serde(default)]
    pub convention: Convention,
    /// What exit codes from 0 to 125 mean, where they mean something else than the convention says.
    #[serde(default)]
    pub exit_codes: BTreeMap<i32, Means>,
    /// What is judged: whose release, label and endpoint the placeholders stand for.
    #[serde(default, rename = "subject")]
    pub judged: Judged,
    /// How long the program may run, in milliseconds. A look ends after ten seconds, whatever this says.
    #[serde(default = "timeout_ms")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

/// How a program says its verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Convention {
    /// By its exit code: 0 is healthy, 1 is unhealthy, and all others are errors of the program.
    #[default]
    Exit,
    /// By its exit code as monitoring plugins do: 0 (OK) is healthy, 1 (WARNING) is inconclusive, 2 (CRITICAL) is unhealthy, 3 (UNKNOWN) and
    /// all others are errors. Performance data behind `|` become measurements.
    Nagios,
    /// By a report on standard output: `{"verdict": "healthy", "sentence": "…", "measurements": [{"name", "value", "unit", "limit", "samples", "side"}]}`.
    /// The exit code must be 0.
    Json,
}

/// What an exit code or a report means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Means {
    /// What is judged is well.
    Healthy,
    /// It is not.
    Unhealthy,
    /// There is not enough to tell.
    Inconclusive,
    /// The program could not find out.
    Error,
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.program.is_empty() {
            return Err("program is empty, expected the name that the operator gave one in the grant".to_owned());
        }
        if self.arguments.len() > ARGUMENTS_MAX {
            return Err(format!("there are {} arguments, at most {ARGUMENTS_MAX} may be", self.arguments.len()));
        }
        if let Some(place) = self.arguments.iter().position(|argument| argument.len() > ARGUMENT_BYTES_MAX) {
            let length = self.arguments[place].len();
            return Err(format!("argument {} has {length} bytes, at most {ARGUMENT_BYTES_MAX} may be", place + 1));
        }
        if self.convention == Convention::Json && !self.exit_codes.is_empty() {
            return Err("exitCodes is set beside convention json, where the report is the verdict".to_owned());
        }
        match self.exit_codes.keys().find(|code| !(0..=CODE_MAX).contains(*code)) {
            Some(code) => Err(format!("exitCodes names {code}, expected 0 to {CODE_MAX}: others do not come from the program")),
            None => Ok(()),
        }
    }

    /// Returns what an exit code means.
    pub(crate) fn meaning(&self, code: i32) -> Means {
        let usual = match (self.convention, code) {
            (_, 0) => Means::Healthy,
            (Convention::Exit, 1) | (Convention::Nagios, 2) => Means::Unhealthy,
            (Convention::Nagios, 1) => Means::Inconclusive,
            (Convention::Exit | Convention::Nagios | Convention::Json, _) => Means::Error,
        };
        self.exit_codes.get(&code).copied().unwrap_or(usual)
    }

    /// Returns the codes that mean healthy, where they are few enough to say.
    pub(crate) fn healthy_codes(&self) -> Vec<i32> {
        (0..=CODE_MAX).filter(|code| self.meaning(*code) == Means::Healthy).collect()
    }
}

impl Means {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Inconclusive => "inconclusive",
            Self::Error => "an error",
        }
    }

    pub(crate) fn assessment(self, sentence: String) -> Assessment {
        match self {
            Self::Healthy => Assessment::healthy(sentence),
            Self::Unhealthy => Assessment::unhealthy(sentence),
            Self::Inconclusive => Assessment::inconclusive(sentence),
            Self::Error => Assessment::error(sentence),
        }
    }
}

fn timeout_ms() -> u32 {
    8_000
}
