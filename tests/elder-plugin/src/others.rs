//! What gate and target of an earlier version answer. Each part of an answer comes from a part of the question, so that a test sees that
//! nothing is lost or swapped on the way through the host. The second plugin says the same in its own version's types.

use crate::bindings::exports::towpath::plugin::gate::{Answer, Evidence, Verdict};
use crate::bindings::exports::towpath::plugin::target::{
    Descriptor, Desired, Fencing, Observation, Pending, Progress, RequestKey, RouteMatch, SideDesired, SideObservation, Traffic,
};
use crate::bindings::towpath::plugin::types::{Context, Fault, Measurement, Side};

/// What it refuses to be behind.
const HIGHEST_FENCE: u64 = 5;

pub(crate) fn evaluate(context: &Context, evidence: &[Evidence]) -> Answer {
    let Some(found) = evidence.first() else {
        return Answer { verdict: Verdict::Wait(250), measurements: Vec::new(), sentence: "no evidence yet".to_owned() };
    };
    let verdict = match found.content.as_slice() {
        b"good" => Verdict::Pass,
        b"bad" => Verdict::Fail,
        _ => Verdict::Error,
    };
    let Evidence { kind, name, media_type, digest, content } = found;
    let measured = Measurement {
        name: "bytes".to_owned(),
        value: content.len() as f64,
        unit: "bytes".to_owned(),
        side: Some(Side::Stable),
        limit: Some(4.0),
    };
    let sentence = format!("{kind} {name} {media_type} {digest} for {}", context.service);
    Answer { verdict, measurements: vec![measured], sentence }
}

pub(crate) fn describe(settings: &str) -> Result<Descriptor, Fault> {
    if settings != "{}" {
        return Err(Fault { message: format!("{settings} is too much"), retryable: false });
    }
    Ok(Descriptor {
        weights: true,
        weight_granularity_basis_points: 250,
        header_match: false,
        cookie_match: true,
        sticky: false,
        mirror: true,
        instant_switch: false,
        fencing: Fencing::Quiesce,
    })
}

pub(crate) fn observe(context: Context) -> Result<Observation, Fault> {
    match context.state {
        None => Err(Fault { message: format!("nothing is known of {}", context.environment), retryable: true }),
        Some(state) => Ok(Observation {
            sides: Vec::new(),
            candidate_basis_points: 0,
            public_endpoint: None,
            highest_fence: context.fence,
            drift: vec![format!("attempt {}, outcome unknown: {}", context.attempt, context.outcome_unknown)],
            state: Some(state),
        }),
    }
}

pub(crate) fn reconcile(context: Context, desired: Desired) -> Progress {
    if context.fence < HIGHEST_FENCE {
        return Progress::Superseded(HIGHEST_FENCE);
    }
    let seen = |side: Side, wanted: &SideDesired| SideObservation {
        side,
        release: wanted.release.clone(),
        artifact_digest: wanted.artifact_digest.clone(),
        ready: 1,
        wanted: u32::from(wanted.capacity_percent),
        endpoint: Some(wanted.artifact_reference.clone()),
    };
    let Desired { stable, candidate, traffic } = desired;
    let stable = stable.as_ref().map(|side| seen(Side::Stable, side));
    let candidate = candidate.as_ref().map(|side| seen(Side::Candidate, side));
    let observation = Observation {
        sides: stable.into_iter().chain(candidate).collect(),
        candidate_basis_points: traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points),
        public_endpoint: Some(context.operation_key),
        highest_fence: context.fence,
        drift: traffic.iter().flat_map(said).collect(),
        state: None,
    };
    match (observation.sides.is_empty(), traffic) {
        (true, _) => Progress::Failed(Fault { message: "nothing is wanted".to_owned(), retryable: true }),
        (false, None) => Progress::InProgress(Pending { observation, retry_after_ms: 40, message: "no traffic yet".to_owned() }),
        (false, Some(_)) => Progress::Converged(observation),
    }
}

pub(crate) fn preview(desired: &Desired) -> Result<Vec<String>, Fault> {
    let sides = [&desired.stable, &desired.candidate];
    Ok(sides.into_iter().flatten().map(|side| format!("{} runs with {}", side.release, side.configuration)).collect())
}

fn said(traffic: &Traffic) -> Vec<String> {
    let key = |key: &RequestKey| match key {
        RequestKey::Header(name) => format!("header {name}"),
        RequestKey::Cookie(name) => format!("cookie {name}"),
    };
    let rule = |RouteMatch { on, value, to }: &RouteMatch| format!("{} {value} to {to:?}", key(on));
    let mut said: Vec<_> = traffic.matches.iter().map(rule).collect();
    said.push(format!("mirror {}, sticky {:?}", traffic.mirror_basis_points, traffic.sticky.as_ref().map(key)));
    said
}
