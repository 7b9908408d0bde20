//! How the check is set up.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::prelude::*;

/// How the check is set up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The path that is asked for with GET, beginning with a slash.
    pub path: String,
    /// The status that is expected; without it, any from 200 to 299.
    pub expect_status: Option<u16>,
    /// How long one probe may take, in milliseconds.
    #[schemars(range(min = 1, max = 60_000))]
    pub timeout_ms: u32,
    /// How many probes make one look.
    #[schemars(range(min = 1, max = 20))]
    pub probes: u32,
    /// The time between two probes of one look, in milliseconds.
    #[schemars(range(max = 10_000))]
    pub interval_ms: u32,
    /// How many failed probes in one look make it unhealthy.
    #[schemars(range(min = 1, max = 20))]
    pub failures_needed: u32,
    /// What is probed.
    pub subject: Subject,
}

/// What is probed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    /// The candidate alone.
    #[default]
    Candidate,
    /// The endpoint that callers use.
    Public,
}

/// More probes than this belong into the interval between looks.
const PROBES_MAX: u32 = 20;

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/".to_owned(),
            expect_status: None,
            timeout_ms: 2_000,
            probes: 3,
            interval_ms: 100,
            failures_needed: 2,
            subject: Subject::Candidate,
        }
    }
}

impl Settings {
    /// Returns what does not make sense.
    pub(crate) fn check(&self) -> Result<(), String> {
        if !self.path.starts_with('/') {
            return Err(format!("path is {:?}, expected one that begins with a slash", self.path));
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

    pub(crate) fn expects(&self, status: u16) -> bool {
        self.expect_status.map_or((200..300).contains(&status), |expected| expected == status)
    }

    pub(crate) fn expected(&self) -> String {
        self.expect_status.map_or_else(|| "200 to 299".to_owned(), |status| status.to_string())
    }
}

impl Subject {
    pub(crate) fn endpoint(self, look: &Look<Settings>) -> Option<&str> {
        match self {
            Self::Candidate => look.candidate_endpoint(),
            Self::Public => look.subjects.public_endpoint.as_deref(),
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Public => "public endpoint",
        }
    }

    pub(crate) fn placed(self, measurement: Measurement) -> Measurement {
        match self {
            Self::Candidate => measurement.on(Side::Candidate),
            Self::Public => measurement,
        }
    }
}
