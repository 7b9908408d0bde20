//! What came of a call, in JSON.

use plugin_host::{
    Answer, Assessment, CallError, Called, Descriptor, Fault, GateVerdict, HealthVerdict, LogLevel, LogLine, Measurement,
    Observation, Progress, SideObservation, UseOutcome, Uses,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::Bytes;

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// The answer, in the words of the contract; absent when there was none.
    pub answer: Option<Value>,
    /// Why there was none.
    pub error: Option<String>,
    /// Whether the world may have changed although there was no answer.
    pub outcome_unknown: bool,
    /// What was logged.
    pub log: Vec<SaidLine>,
    /// What was measured beside the answer.
    pub measurements: Vec<SaidMeasurement>,
    /// Every use of a power, in the order in which they ended.
    pub uses: Vec<SaidUse>,
    /// How many more there were than are shown.
    pub uses_cut: u32,
    /// How long the call took, in microseconds.
    pub elapsed_us: u64,
}

/// A line of log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SaidLine {
    /// `debug`, `info` or `warn`.
    pub level: &'static str,
    /// The line.
    pub message: String,
}

/// A number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SaidMeasurement {
    /// What was measured.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// The side it was measured on.
    pub side: Option<&'static str>,
    /// The limit it was held against.
    pub limit: Option<f64>,
    /// How many observations it rests on.
    pub samples: Option<u64>,
    /// Within which bounds the true value lies.
    pub interval: Option<(f64, f64)>,
    /// The test that held it against its limit.
    pub test: Option<String>,
}

/// A use of a power.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SaidUse {
    /// The power.
    pub power: &'static str,
    /// What was asked.
    pub what: String,
    /// `done`, `failed` or `refused`.
    pub outcome: &'static str,
    /// Why it failed or was refused; of one that was done, what came of it ("status 200").
    pub why: Option<String>,
    /// How often in a row.
    pub times: u32,
    /// When the first of them began, in Unix milliseconds.
    pub at_ms: i64,
    /// How long they took, in microseconds.
    pub elapsed_us: u64,
}

impl Said {
    /// Returns what came of a call; `answer` puts its answer into JSON.
    pub fn of<T>(came_of_it: Result<Called<T>, CallError>, answer: impl Fn(&T) -> Value) -> Self {
        match came_of_it {
            Ok(Called { answer: given, log, measurements, uses, elapsed_us }) => Self {
                answer: Some(answer(&given)),
                error: None,
                outcome_unknown: false,
                log: lines(&log),
                measurements: self::measurements(&measurements),
                uses_cut: uses.cut,
                uses: self::uses(&uses),
                elapsed_us,
            },
            Err(CallError { kind, outcome_unknown, log, measurements, uses, elapsed_us }) => Self {
                answer: None,
                error: Some(kind.to_string()),
                outcome_unknown,
                log: lines(&log),
                measurements: self::measurements(&measurements),
                uses_cut: uses.cut,
                uses: self::uses(&uses),
                elapsed_us,
            },
        }
    }
}

fn lines(log: &[LogLine]) -> Vec<SaidLine> {
    let level = |level: LogLevel| match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
    };
    log.iter().map(|line| SaidLine { level: level(line.level), message: line.message.clone() }).collect()
}

fn measurements(found: &[Measurement]) -> Vec<SaidMeasurement> {
    let said = |one: &Measurement| SaidMeasurement {
        name: one.name.clone(),
        value: one.value,
        unit: one.unit.clone(),
        side: one.side.map(plugin_host::Side::as_str),
        limit: one.limit,
        samples: one.samples,
        interval: one.interval,
        test: one.test.clone(),
    };
    found.iter().map(said).collect()
}

fn uses(uses: &Uses) -> Vec<SaidUse> {
    let said = |one: &plugin_host::PowerUse| {
        let (outcome, why) = match &one.outcome {
            UseOutcome::Done => ("done", (!one.told.is_empty()).then(|| one.told.clone())),
            UseOutcome::Failed(why) => ("failed", Some(why.clone())),
            UseOutcome::Refused(why) => ("refused", Some(why.clone())),
        };
        let (power, what) = (one.power, one.what.clone());
        SaidUse { power, what, outcome, why, times: one.times, at_ms: one.at_ms, elapsed_us: one.elapsed_us }
    };
    uses.traced.iter().map(said).collect()
}

pub(crate) fn gate(answer: &Answer) -> Value {
    let verdict = match answer.verdict {
        GateVerdict::Pass => json!("pass"),
        GateVerdict::Fail => json!("fail"),
        GateVerdict::Wait { retry_after_ms } => json!({ "wait": { "retryAfterMs": retry_after_ms } }),
        GateVerdict::Error => json!("error"),
    };
    json!({ "verdict": verdict, "sentence": answer.sentence, "measurements": measurements(&answer.measurements) })
}

pub(crate) fn health(assessment: &Assessment) -> Value {
    let verdict = match assessment.verdict {
        HealthVerdict::Healthy => "healthy",
        HealthVerdict::Unhealthy => "unhealthy",
        HealthVerdict::Inconclusive => "inconclusive",
        HealthVerdict::Error => "error",
    };
    json!({
        "verdict": verdict,
        "sentence": assessment.sentence,
        "measurements": measurements(&assessment.measurements),
        "state": assessment.state.as_deref().map(Bytes::of),
        "nextLookMs": assessment.next_look_ms,
    })
}

/// Puts what a target said, or its fault, into JSON.
pub(crate) fn or_fault<T>(said: &Result<T, Fault>, ok: impl Fn(&T) -> Value) -> Value {
    match said {
        Ok(said) => ok(said),
        Err(fault) => json!({ "fault": self::fault(fault) }),
    }
}

pub(crate) fn descriptor(said: &Descriptor) -> Value {
    let fencing = match said.fencing {
        plugin_host::Fencing::Native => "native",
        plugin_host::Fencing::Quiesce => "quiesce",
    };
    json!({
        "weights": said.weights,
        "weightGranularityBasisPoints": said.weight_granularity_basis_points,
        "headerMatch": said.header_match,
        "cookieMatch": said.cookie_match,
        "sticky": said.sticky,
        "mirror": said.mirror,
        "instantSwitch": said.instant_switch,
        "fencing": fencing,
    })
}

pub(crate) fn observation(seen: &Observation) -> Value {
    let side = |side: &SideObservation| {
        json!({
            "side": side.side.as_str(),
            "release": side.release,
            "artifactDigest": side.artifact_digest,
            "ready": side.ready,
            "wanted": side.wanted,
            "endpoint": side.endpoint,
        })
    };
    json!({
        "sides": seen.sides.iter().map(side).collect::<Vec<_>>(),
        "candidateBasisPoints": seen.candidate_basis_points,
        "publicEndpoint": seen.public_endpoint,
        "highestFence": seen.highest_fence,
        "drift": seen.drift,
        "state": seen.state.as_deref().map(Bytes::of),
    })
}

pub(crate) fn progress(progress: &Progress) -> Value {
    match progress {
        Progress::Converged(seen) => json!({ "converged": observation(seen) }),
        Progress::InProgress(pending) => json!({
            "inProgress": {
                "observation": observation(&pending.observation),
                "retryAfterMs": pending.retry_after_ms,
                "message": pending.message,
            }
        }),
        Progress::Failed(fault) => json!({ "failed": self::fault(fault) }),
        Progress::Superseded { highest_fence } => json!({ "superseded": { "highestFence": highest_fence } }),
    }
}

fn fault(fault: &Fault) -> Value {
    json!({ "message": fault.message, "retryable": fault.retryable })
}
