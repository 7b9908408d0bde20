//! How the check is set up.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::matcher::Matcher;

/// More matchers than an alert has labels narrow nothing.
const MATCHERS_MAX: usize = 20;

/// How the check is set up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where the Alertmanager is, with the path that its API is under if it has one: `https://alerts.example.com`. Credentials are the grant's.
    #[schemars(regex(pattern = "^https?://"))]
    pub alertmanager: String,
    /// Which alerts count: those that all of these match, written as Alertmanager does: `service="$service"`, `team!="data"`, `instance=~"web-.*"`,
    /// `job!~"batch.*"`. `$service`, `$environment`, and the candidate's `$release` and `$label` stand for what they name; `$$` is a dollar sign.
    #[schemars(length(min = 1, max = 20))]
    pub matchers: Vec<Matcher>,
    /// Which severities count; without any, all.
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub severities: Vec<String>,
    /// The label that tells an alert's severity.
    #[serde(default = "severity")]
    pub severity_label: String,
    /// Which alerts count by when they began.
    #[serde(default)]
    pub since: Since,
    /// The name of an alert that always fires. While it does not, nobody would tell us of any other, and nothing is healthy.
    #[serde(default)]
    pub watchdog: Option<String>,
    /// How long ago the Alertmanager may last have heard of it, in milliseconds.
    #[serde(default = "watchdog_age_ms_max")]
    #[schemars(range(min = 1_000, max = 86_400_000))]
    pub watchdog_age_ms_max: u32,
    /// By how much the clocks of others may differ from ours, in milliseconds. An alert that began so long before the watch counts as begun in it.
    #[serde(default = "clock_skew_ms_max")]
    #[schemars(range(max = 600_000))]
    pub clock_skew_ms_max: u32,
    /// How long one answer may take, in milliseconds.
    #[serde(default = "timeout_ms")]
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
}

/// Which alerts count by when they began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Since {
    /// Those that began in the watch: what fired before it is not the candidate's doing.
    #[default]
    Watch,
    /// All that fire.
    Any,
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        let rest = self.alertmanager.strip_prefix("https://").or_else(|| self.alertmanager.strip_prefix("http://"));
        let plain =
            |rest: &str| !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || "?#@".contains(c));
        if !rest.is_some_and(plain) {
            // It may hold a password: what it is stays here.
            return Err("alertmanager is no plain address; expected https://HOST or http://HOST, without user, query and blanks"
                .to_owned());
        }
        if self.matchers.is_empty() || self.matchers.len() > MATCHERS_MAX {
            return Err(format!("there are {} matchers, expected 1 to {MATCHERS_MAX}", self.matchers.len()));
        }
        if self.severities.len() > MATCHERS_MAX || self.severities.iter().any(String::is_empty) {
            return Err(format!(
                "severities has {} entries, expected at most {MATCHERS_MAX} and none of them empty",
                self.severities.len()
            ));
        }
        if !crate::matcher::is_label(&self.severity_label) {
            return Err(format!("severityLabel is {:?}, which is no name of a label", self.severity_label));
        }
        match &self.watchdog {
            Some(name) if name.trim().is_empty() => Err("watchdog is empty, expected the name of an alert".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    /// Returns the address of the API's list of alerts.
    pub(crate) fn address(&self) -> String {
        format!("{}/api/v2/alerts", self.alertmanager.trim_end_matches('/'))
    }
}

fn severity() -> String {
    "severity".to_owned()
}

/// Prometheus tells an Alertmanager of a firing alert again every minute.
fn watchdog_age_ms_max() -> u32 {
    300_000
}

fn clock_skew_ms_max() -> u32 {
    5_000
}

fn timeout_ms() -> u32 {
    3_000
}
