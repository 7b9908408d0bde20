//! From the host's words to the model's: what plugins answered. Everything they say is cut to size here.

use model::{
    Assessment, BasisPoints, Digest, Fault, Fence, GateAnswer, Interval, Lost, Measurement, Millis, Observation, Progress,
    ReleaseId, ReportOutcome, Side, SideObservation, Verdict,
};
use plugin_host as host;

use crate::limits;

/// An answer that says something impossible; the call counts as lost.
pub(crate) struct Nonsense(pub(crate) String);

/// Returns how a reconcile under this fence stands, with the state that the plugin wants to be given next time.
pub(crate) fn progress(progress: host::Progress, fence: u64) -> Result<(Progress, Option<Vec<u8>>), Nonsense> {
    Ok(match progress {
        host::Progress::Converged(seen) => {
            let state = plugin_state(seen.state.clone())?;
            (Progress::Converged(observation(seen)?), state)
        }
        host::Progress::InProgress(pending) => {
            let state = plugin_state(pending.observation.state.clone())?;
            let progress = Progress::InProgress {
                observation: observation(pending.observation)?,
                retry_after_ms: u64::from(pending.retry_after_ms),
                message: sentence(&pending.message),
            };
            (progress, state)
        }
        host::Progress::Failed(found) => (Progress::Failed(fault(&found)), None),
        // A target that refuses its own generation would have us go back for nothing.
        host::Progress::Superseded { highest_fence } if highest_fence <= fence => {
            return Err(Nonsense(format!("superseded by fence {highest_fence}, which is not above this call's {fence}")));
        }
        host::Progress::Superseded { highest_fence } => (Progress::Superseded(Fence(highest_fence)), None),
    })
}

pub(crate) fn fault(fault: &host::Fault) -> Fault {
    Fault { message: sentence(&fault.message), retryable: fault.retryable }
}

fn observation(seen: host::Observation) -> Result<Observation, Nonsense> {
    let weight = seen.candidate_basis_points;
    Ok(Observation {
        sides: seen.sides.into_iter().map(side_observation).collect::<Result<_, _>>()?,
        candidate_weight: BasisPoints::new(weight)
            .ok_or_else(|| Nonsense(format!("a candidate weight of {weight} basis points, at most 10000")))?,
        public_endpoint: seen.public_endpoint.as_deref().map(sentence),
        highest_fence: Fence(seen.highest_fence),
        drift: seen.drift.iter().take(limits::MEASUREMENTS_MAX).map(|fact| sentence(fact)).collect(),
    })
}

fn side_observation(seen: host::SideObservation) -> Result<SideObservation, Nonsense> {
    Ok(SideObservation {
        side: side(seen.side),
        release: ReleaseId::new(&seen.release).map_err(|error| Nonsense(error.to_string()))?,
        digest: Digest::parse(&seen.artifact_digest).map_err(|error| Nonsense(error.to_string()))?,
        ready: seen.ready,
        wanted: seen.wanted,
        endpoint: seen.endpoint.as_deref().map(sentence),
    })
}

fn side(side: host::Side) -> Side {
    match side {
        host::Side::Stable => Side::Stable,
        host::Side::Candidate => Side::Candidate,
    }
}

/// Returns what a look found.
pub(crate) fn assessment(found: host::Assessment) -> Result<Assessment, Nonsense> {
    Ok(Assessment {
        verdict: match found.verdict {
            host::HealthVerdict::Healthy => Verdict::Healthy,
            host::HealthVerdict::Unhealthy => Verdict::Unhealthy,
            host::HealthVerdict::Inconclusive => Verdict::Inconclusive,
            host::HealthVerdict::Error => Verdict::Error,
        },
        measurements: measurements(&found.measurements),
        sentence: sentence(&found.sentence),
        plugin_state: plugin_state(found.state)?,
        next_look_after: found.next_look_ms.map(|ms| Millis(u64::from(ms))),
    })
}

/// Returns a gate's answer.
pub(crate) fn answer(answer: &host::Answer) -> ReportOutcome {
    let (verdict, retry_after_ms) = match answer.verdict {
        host::GateVerdict::Pass => (GateAnswer::Pass, 0),
        host::GateVerdict::Fail => (GateAnswer::Fail, 0),
        host::GateVerdict::Wait { retry_after_ms } => (GateAnswer::Wait, u64::from(retry_after_ms)),
        host::GateVerdict::Error => (GateAnswer::Error, 0),
    };
    ReportOutcome::Gate {
        answer: verdict,
        retry_after_ms,
        measurements: measurements(&answer.measurements),
        sentence: sentence(&answer.sentence),
    }
}

fn measurements(found: &[host::Measurement]) -> Vec<Measurement> {
    let one = |m: &host::Measurement| Measurement {
        name: sentence(&m.name),
        value_micros: micros(m.value),
        unit: sentence(&m.unit),
        side: m.side.map(side),
        limit_micros: m.limit.map(micros),
        samples: m.samples,
        interval: m.interval.map(|(low, high)| Interval { low_micros: micros(low), high_micros: micros(high) }),
        test: m.test.as_deref().map(sentence),
    };
    found.iter().take(limits::MEASUREMENTS_MAX).map(one).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, which is what is wanted of a number too large")]
fn micros(value: f64) -> i64 {
    (value * 1e6).round() as i64
}

fn plugin_state(state: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Nonsense> {
    match state {
        Some(bytes) if bytes.len() > limits::STATE_BYTES_MAX => {
            Err(Nonsense(format!("a state of {} bytes, at most {}", bytes.len(), limits::STATE_BYTES_MAX)))
        }
        state => Ok(state),
    }
}

/// Returns a text of a plugin, cut to size and without characters that rewrite a screen: it goes into the journal and onto terminals.
pub(crate) fn sentence(text: &str) -> String {
    text.chars().filter(|c| !host::is_deceptive(*c)).take(limits::MESSAGE_CHARS_MAX).collect()
}

/// Returns a call that did not come back with an answer that makes sense.
pub(crate) fn nonsense(found: &Nonsense) -> Lost {
    Lost { message: format!("the plugin's answer makes no sense: {}", found.0), outcome_unknown: true, retryable: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_higher_fence_supersedes() {
        let said = |highest_fence| progress(host::Progress::Superseded { highest_fence }, 7);
        assert!(matches!(said(8), Ok((Progress::Superseded(Fence(8)), None))));
        for not_above in [7, 6, 0] {
            let Err(Nonsense(why)) = said(not_above) else { panic!("{not_above} was taken") };
            assert!(why.contains(&format!("fence {not_above}")) && why.contains("this call's 7"), "{why}");
        }
    }

    #[test]
    fn a_sentence_can_neither_rewrite_a_screen_nor_fill_it() {
        assert_eq!(sentence("fine\u{1b}[2J\r\n\u{202e}enod\u{2066}"), "fine[2Jenod");
        assert_eq!(sentence(&"x".repeat(10_000)).len(), limits::MESSAGE_CHARS_MAX);
    }
}
