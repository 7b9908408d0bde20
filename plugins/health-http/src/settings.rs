//! How the check is set up.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::health::Judged;

use crate::journey::Journey;
use crate::journey::settings as journeys;

/// How the check is set up: one path that is probed, or journeys.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The path that is asked for with GET, beginning with a slash; without it and without journeys, `/`.
    pub path: Option<String>,
    /// The status that is expected of the path; without it, any from 200 to 299.
    pub expect_status: Option<u16>,
    /// How long one answer may take, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
    /// How many probes of the path make one look.
    #[schemars(range(min = 1, max = 20))]
    pub probes: u32,
    /// The time between two probes of one look, in milliseconds.
    #[schemars(range(max = 10_000))]
    pub interval_ms: u32,
    /// How many failed probes in one look make it unhealthy.
    #[schemars(range(min = 1, max = 20))]
    pub failures_needed: u32,
    /// What is asked.
    pub subject: Judged,
    /// In place of the path: several requests one after the other, with what is expected of each answer. All journeys must pass.
    #[schemars(length(max = 10))]
    pub journeys: Vec<Journey>,
}

/// How a service is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Scheme {
    /// In the open.
    #[default]
    Http,
    /// Encrypted, the service proven by its certificate.
    Https,
}

/// More probes than this belong into the interval between looks.
const PROBES_MAX: u32 = 20;

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: None,
            expect_status: None,
            timeout_ms: 2_000,
            probes: 3,
            interval_ms: 100,
            failures_needed: 2,
            subject: Judged::Candidate,
            journeys: Vec::new(),
        }
    }
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.journeys.is_empty() {
            return self.check_journeys();
        }
        if !self.path().starts_with('/') {
            return Err(format!("path is {:?}, expected one that begins with a slash", self.path()));
        }
        if self.probes == 0 || self.probes > PROBES_MAX {
            return Err(format!("probes is {}, expected 1 to {PROBES_MAX}", self.probes));
        }
        // With more needed than there are probes, nothing would ever be unhealthy.
        if self.failures_needed == 0 || self.failures_needed > self.probes {
            return Err(format!("failuresNeeded is {}, expected 1 to {} (probes)", self.failures_needed, self.probes));
        }
        Ok(())
    }

    fn check_journeys(&self) -> Result<(), String> {
        if let Some(path) = &self.path {
            return Err(format!("path is {path:?} beside journeys; make it a journey of one step"));
        }
        if let Some(status) = self.expect_status {
            return Err(format!("expectStatus is {status} beside journeys; say it of a step"));
        }
        journeys::check(&self.journeys)
    }

    pub(crate) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or("/")
    }

    pub(crate) fn expects(&self, status: u16) -> bool {
        self.expect_status.map_or((200..300).contains(&status), |expected| expected == status)
    }

    pub(crate) fn expected(&self) -> String {
        self.expect_status.map_or_else(|| "200 to 299".to_owned(), |status| status.to_string())
    }
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
