//! How the check is set up.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::helpers::placeholders::{Piece, pieces};

use crate::pattern::{Pattern, Patterns};

/// All regular expressions of a rule are tried on every line.
const PATTERNS_MAX: usize = 20;

/// The longest query, in bytes: it is a part of an address.
const QUERY_BYTES_MAX: usize = 4_000;

/// How the check is set up: one source of lines, and at least one of the two rules.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// Lines come from a Loki, or from what answers as one.
    pub loki: Option<Loki>,
    /// Lines come from the local runtime: the latest thousand of each release.
    pub runtime: Option<Runtime>,
    /// Lines that tell of errors.
    pub errors: Option<Errors>,
    /// Lines of a form that stable never wrote.
    pub new_patterns: Option<NewPatterns>,
    /// How many lines the candidate must have written before it can be healthy; the same for stable where it is compared with.
    #[schemars(range(min = 1))]
    pub lines_min: u64,
}

/// A Loki.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Loki {
    /// Where it is, with the path that its API is under if it has one: `https://logs.example.com`. Credentials are the grant's.
    #[schemars(regex(pattern = "^https?://"))]
    pub url: String,
    /// The LogQL query that gives the lines of one side: `{app="$service", release="$label"}`. `$service`, `$environment`, and the side's
    /// `$release`, `$label`, `$side` and `$digest` stand for what they name, inside of quotes alone; `$$` is a dollar sign. One of these four must be there.
    #[schemars(length(min = 1, max = 4000))]
    pub query: String,
    /// Whose lines, where the Loki has several tenants (`X-Scope-OrgID`).
    #[serde(default)]
    pub tenant: Option<String>,
    /// How long after its time a line may arrive, in milliseconds: so much younger lines are left for the next look. What arrives later is not seen.
    #[serde(default = "settle_ms")]
    #[schemars(range(max = 300_000))]
    pub settle_ms: u32,
    /// By how much the Loki's clock may differ from ours, in milliseconds.
    #[serde(default = "clock_skew_ms_max")]
    #[schemars(range(max = 600_000))]
    pub clock_skew_ms_max: u32,
    /// How long one answer may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

/// The local runtime; there is nothing to set.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Runtime {}

/// When lines that tell of errors are too many. At least one of the two limits must be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Errors {
    /// Regular expressions; a line that one of them fits tells of an error. Best is one that fits once per failure.
    #[schemars(length(min = 1, max = 20))]
    pub matches: Vec<Pattern>,
    /// Regular expressions; a line that one of them fits does not, whatever `matches` says.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub except: Vec<Pattern>,
    /// How many such lines the candidate may write in any minute of the watch, all its instances together.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub per_minute_max: Option<f64>,
    /// How many times stable's odds of such a line the candidate's may be. By a test that may be looked at as often as one likes.
    #[serde(default)]
    #[schemars(range(min = 1.0, max = 100.0))]
    pub share_of_stable_max: Option<f64>,
    /// With at most this probability, in each watch, a candidate is called worse than stable that is not.
    #[serde(default = "false_alarm")]
    #[schemars(range(min = 0.000_001, max = 0.5))]
    pub false_alarm: f64,
}

/// When a form of lines is new, and how many may be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NewPatterns {
    /// How many new forms may be.
    pub max: u32,
    /// How often the candidate must write a form before it counts.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub lines_min: u32,
    /// Regular expressions; only lines that one of them fits are looked at. Without any, all are.
    #[schemars(length(max = 20))]
    pub matches: Vec<Pattern>,
    /// How far back from the beginning of the watch stable's lines are read to know what is usual, in minutes. Of the local runtime: as far as it keeps them.
    #[schemars(range(max = 10_080))]
    pub look_back_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { loki: None, runtime: None, errors: None, new_patterns: None, lines_min: 20 }
    }
}

impl Default for NewPatterns {
    fn default() -> Self {
        Self { max: 0, lines_min: 3, matches: Vec::new(), look_back_minutes: 60 }
    }
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        match (&self.loki, &self.runtime) {
            (Some(_), Some(_)) => return Err("both loki and runtime are set, expected one source of lines".to_owned()),
            (None, None) => return Err("no source of lines is set; say loki or runtime".to_owned()),
            (Some(loki), None) => loki.check()?,
            (None, Some(_)) => {}
        }
        if self.errors.is_none() && self.new_patterns.is_none() {
            return Err("no rule is set; a check without one would find everything healthy; say errors or newPatterns".to_owned());
        }
        if self.lines_min == 0 {
            return Err("linesMin is 0, expected at least 1: no line is no data".to_owned());
        }
        if let Some(errors) = &self.errors {
            errors.check()?;
        }
        match &self.new_patterns {
            Some(NewPatterns { lines_min: 0, .. }) => Err("newPatterns.linesMin is 0, expected at least 1".to_owned()),
            Some(NewPatterns { matches, .. }) => few("newPatterns.matches", matches),
            None => Ok(()),
        }
    }

    /// Returns whether what is found of the candidate is held against stable.
    pub(crate) fn needs_stable(&self) -> bool {
        self.new_patterns.is_some() || self.errors.as_ref().is_some_and(|errors| errors.share_of_stable_max.is_some())
    }
}

impl Loki {
    fn check(&self) -> Result<(), String> {
        let rest = self.url.strip_prefix("https://").or_else(|| self.url.strip_prefix("http://"));
        let plain =
            |rest: &str| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || "?#@".contains(c));
        if !rest.is_some_and(plain) {
            // It may hold a password: what it is stays here.
            return Err(
                "loki.url is no plain address; expected https://HOST or http://HOST, without user, query and blanks".to_owned()
            );
        }
        if self.query.len() > QUERY_BYTES_MAX {
            return Err(format!("loki.query has {} bytes, at most {QUERY_BYTES_MAX} may be", self.query.len()));
        }
        if !pieces(&self.query).any(|piece| matches!(piece, Piece::Name("release" | "label" | "side" | "digest"))) {
            return Err("loki.query has none of $release, $label, $side and $digest, so that both sides would be one".to_owned());
        }
        match &self.tenant {
            Some(tenant) if tenant.contains(char::is_control) => Err("loki.tenant has a control character in it".to_owned()),
            Some(_) | None => Ok(()),
        }
    }
}

impl Errors {
    fn check(&self) -> Result<(), String> {
        if self.matches.is_empty() {
            return Err("errors.matches is empty, so that no line would tell of an error".to_owned());
        }
        few("errors.matches", &self.matches)?;
        few("errors.except", &self.except)?;
        if self.per_minute_max.is_none() && self.share_of_stable_max.is_none() {
            return Err("errors has no limit; say perMinuteMax or shareOfStableMax".to_owned());
        }
        match self.per_minute_max {
            Some(max) if !max.is_finite() || max < 0.0 => {
                Err(format!("errors.perMinuteMax is {max}, expected a number that is not negative"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Returns whether a line tells of an error.
    pub(crate) fn fit(&self, line: &str) -> bool {
        self.matches.fit(line) && !self.except.fit(line)
    }
}

fn few(what: &str, patterns: &[Pattern]) -> Result<(), String> {
    match patterns.len() {
        count if count > PATTERNS_MAX => Err(format!("{what} has {count} expressions, at most {PATTERNS_MAX} may be")),
        _ => Ok(()),
    }
}

fn settle_ms() -> u32 {
    5_000
}

fn clock_skew_ms_max() -> u32 {
    5_000
}

fn timeout_ms() -> u32 {
    2_500
}

fn false_alarm() -> f64 {
    0.01
}
