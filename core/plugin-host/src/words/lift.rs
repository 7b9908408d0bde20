//! From the words of a version to the newest ones; what breaks the contract is found here.
//!
//! Written once and compiled into the module of each version, over that version's bindings.

use super::bindings::{gate_words, health_words, target_words, types};
use super::measurement;
use crate::call::Failure;
use crate::{
    Answer, Assessment, Descriptor, Fault, Fencing, GateVerdict, HealthVerdict, Limits, Measurement, Observation, Pending,
    Progress, Side, SideObservation,
};

/// All of the traffic, in basis points.
const ALL_BASIS_POINTS: u16 = 10_000;

pub(super) fn descriptor(descriptor: target_words::Descriptor) -> Descriptor {
    Descriptor {
        weights: descriptor.weights,
        weight_granularity_basis_points: descriptor.weight_granularity_basis_points,
        header_match: descriptor.header_match,
        cookie_match: descriptor.cookie_match,
        sticky: descriptor.sticky,
        mirror: descriptor.mirror,
        instant_switch: descriptor.instant_switch,
        fencing: match descriptor.fencing {
            target_words::Fencing::Native => Fencing::Native,
            target_words::Fencing::Quiesce => Fencing::Quiesce,
        },
    }
}

pub(super) fn fault(fault: types::Fault) -> Fault {
    Fault { message: fault.message, retryable: fault.retryable }
}

pub(super) fn progress(progress: target_words::Progress, limits: &Limits) -> Result<Progress, Failure> {
    Ok(match progress {
        target_words::Progress::Converged(seen) => Progress::Converged(observation(seen, limits)?),
        target_words::Progress::InProgress(pending) => Progress::InProgress(Pending {
            observation: observation(pending.observation, limits)?,
            retry_after_ms: pending.retry_after_ms,
            message: pending.message,
        }),
        target_words::Progress::Failed(found) => Progress::Failed(fault(found)),
        target_words::Progress::Superseded(highest_fence) => Progress::Superseded { highest_fence },
    })
}

pub(super) fn observation(seen: target_words::Observation, limits: &Limits) -> Result<Observation, Failure> {
    if seen.candidate_basis_points > ALL_BASIS_POINTS {
        return Err(Failure::Malformed(format!(
            "a weight of {} basis points, at most {ALL_BASIS_POINTS}",
            seen.candidate_basis_points
        )));
    }
    let sides: Vec<_> = seen.sides.into_iter().map(side_observation).collect();
    for side in [Side::Stable, Side::Candidate] {
        let times = sides.iter().filter(|found| found.side == side).count();
        if times > 1 {
            return Err(Failure::Malformed(format!("the {} side is observed {times} times", side.as_str())));
        }
    }
    Ok(Observation {
        sides,
        candidate_basis_points: seen.candidate_basis_points,
        public_endpoint: seen.public_endpoint,
        highest_fence: seen.highest_fence,
        drift: seen.drift,
        state: state(seen.state, limits)?,
    })
}

fn side_observation(seen: target_words::SideObservation) -> SideObservation {
    SideObservation {
        side: side(seen.side),
        release: seen.release,
        artifact_digest: seen.artifact_digest,
        ready: seen.ready,
        wanted: seen.wanted,
        endpoint: seen.endpoint,
    }
}

pub(super) fn answer(answer: gate_words::Answer) -> Result<Answer, Failure> {
    let verdict = match answer.verdict {
        gate_words::Verdict::Pass => GateVerdict::Pass,
        gate_words::Verdict::Fail => GateVerdict::Fail,
        gate_words::Verdict::Wait(retry_after_ms) => GateVerdict::Wait { retry_after_ms },
        gate_words::Verdict::Error => GateVerdict::Error,
    };
    Ok(Answer { verdict, measurements: measurements(answer.measurements)?, sentence: answer.sentence })
}

pub(super) fn assessment(assessment: health_words::Assessment, limits: &Limits) -> Result<Assessment, Failure> {
    let verdict = match assessment.verdict {
        health_words::Verdict::Healthy => HealthVerdict::Healthy,
        health_words::Verdict::Unhealthy => HealthVerdict::Unhealthy,
        health_words::Verdict::Inconclusive => HealthVerdict::Inconclusive,
        health_words::Verdict::Error => HealthVerdict::Error,
    };
    Ok(Assessment {
        verdict,
        measurements: measurements(assessment.measurements)?,
        sentence: assessment.sentence,
        state: state(assessment.state, limits)?,
        next_look_ms: assessment.next_look_ms,
    })
}

fn measurements(measurements: Vec<types::Measurement>) -> Result<Vec<Measurement>, Failure> {
    measurements.into_iter().map(measurement).collect()
}

pub(super) fn side(side: types::Side) -> Side {
    match side {
        types::Side::Stable => Side::Stable,
        types::Side::Candidate => Side::Candidate,
    }
}

/// Returns the plugin's state, if it is small enough to be kept in the journal at every step.
fn state(state: Option<Vec<u8>>, limits: &Limits) -> Result<Option<Vec<u8>>, Failure> {
    match state {
        Some(bytes) if bytes.len() > limits.state_bytes => {
            Err(Failure::Malformed(format!("a state of {} bytes, at most {}", bytes.len(), limits.state_bytes)))
        }
        state => Ok(state),
    }
}
