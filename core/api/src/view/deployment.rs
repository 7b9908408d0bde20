//! A deployment as clients get it.

use journal::{DeploymentRow, Status};
use model::{Confirmed, Measurement, Routing, Side, Stage, State, StepKind, Timestamp, Verdict, Waiting};
use towpath_proto::v1;

use super::outcome;
use super::timeline::{Looked, StepTimes, Timeline};

/// Returns a deployment with everything that is known of it.
pub(crate) fn deployment(state: &State, timeline: &Timeline) -> v1::Deployment {
    let waiting = machine::waiting(state);
    v1::Deployment {
        id: state.id.to_string(),
        scope: Some(scope(&state.plan.scope)),
        release: state.plan.release.id.to_string(),
        release_label: state.plan.release.label.clone(),
        stable_release: state.stable.as_ref().map(|release| release.id.to_string()).unwrap_or_default(),
        stable_label: state.stable.as_ref().map(|release| release.label.clone()).unwrap_or_default(),
        phase: state.phase().as_str().to_owned(),
        paused: state.pause.is_some(),
        ended: state.is_terminal(),
        outcome: state.outcome().map(outcome::outcome).unwrap_or_default(),
        version: state.version,
        plan_hash: state.plan.hash.to_string(),
        path: state.plan.path.clone(),
        strategy: state.plan.strategy.to_string(),
        good: side(Some(state.good)).into(),
        steps: steps(state, timeline),
        way_back: way_back(state, timeline),
        traffic: Some(traffic(&state.confirmed)),
        waiting: waiting.as_ref().map(ToString::to_string).unwrap_or_default(),
        waiting_kind: waiting.as_ref().map(waiting_kind).unwrap_or_default().to_owned(),
        deadline_ms: millis(machine::deadline(state)),
        checks: checks(state, timeline),
        requested_at_ms: state.requested_at.0,
        activated_at_ms: millis(state.activated_at),
        ended_at_ms: millis(state.ended_at),
        requested_by: state.requested_by.name.clone(),
        public_endpoint: state.observation.as_ref().and_then(|seen| seen.public_endpoint.clone()).unwrap_or_default(),
    }
}

/// Returns a line of a list.
pub(crate) fn summary(row: &DeploymentRow) -> v1::DeploymentSummary {
    v1::DeploymentSummary {
        id: row.id.to_string(),
        scope: Some(scope(&row.scope)),
        release: row.release.to_string(),
        release_label: row.release_label.clone(),
        phase: row.phase.as_str().to_owned(),
        paused: row.paused,
        ended: row.status == Status::Ended,
        version: row.head,
        requested_at_ms: row.requested_at.0,
        ended_at_ms: millis(row.ended_at),
    }
}

/// Returns a scope.
pub(crate) fn scope(scope: &model::Scope) -> v1::Scope {
    v1::Scope { service: scope.service.to_string(), environment: scope.environment.to_string() }
}

fn millis(at: Option<Timestamp>) -> i64 {
    at.map_or(0, |at| at.0)
}

fn side(side: Option<Side>) -> v1::Side {
    match side {
        None => v1::Side::Unspecified,
        Some(Side::Stable) => v1::Side::Stable,
        Some(Side::Candidate) => v1::Side::Candidate,
    }
}

fn traffic(confirmed: &Confirmed) -> v1::Traffic {
    v1::Traffic {
        open: confirmed.routing != Routing::Closed,
        candidate_basis_points: confirmed.routing.share(Side::Candidate).get().into(),
        stable_capacity_percent: confirmed.stable.get().into(),
        candidate_capacity_percent: confirmed.candidate.get().into(),
    }
}

fn waiting_kind(waiting: &Waiting) -> &'static str {
    match waiting {
        Waiting::Turn => "turn",
        Waiting::Gate { .. } => "gate",
        Waiting::Approval { .. } => "approval",
        Waiting::Action { .. } => "action",
        Waiting::Convergence { .. } => "convergence",
        Waiting::Verdict { .. } => "verdict",
        Waiting::Time { .. } => "time",
        Waiting::Person { .. } => "person",
        Waiting::WayBack { .. } => "way-back",
        Waiting::Nothing => "nothing",
    }
}

fn steps(state: &State, timeline: &Timeline) -> Vec<v1::StepStatus> {
    let unknown = StepTimes::default();
    let forward = matches!(state.stage, Stage::Queued { .. } | Stage::Forward { .. });
    let status = |(index, planned): (usize, &model::Step)| {
        let times = timeline.steps.get(index).unwrap_or(&unknown);
        v1::StepStatus {
            id: planned.id.to_string(),
            phase: planned.phase.as_str().to_owned(),
            does: timeline.does.get(index).cloned().unwrap_or_default(),
            state: step_state(times, forward).into(),
            why: planned.reason.clone(),
            entered_at_ms: millis(times.entered_at),
            ended_at_ms: millis(times.ended_at),
            note: times.note.clone(),
        }
    };
    state.plan.steps.iter().enumerate().map(status).collect()
}

fn step_state(times: &StepTimes, going_on: bool) -> v1::StepState {
    match (times.completed, times.entered_at.is_some()) {
        (true, _) => v1::StepState::Done,
        (false, true) if going_on => v1::StepState::Running,
        (false, true) => v1::StepState::Failed,
        (false, false) if going_on => v1::StepState::Pending,
        (false, false) => v1::StepState::Skipped,
    }
}

fn way_back(state: &State, timeline: &Timeline) -> Vec<v1::StepStatus> {
    let going_on = matches!(state.stage, Stage::Back { .. });
    let status = |(planned, times): (&String, &StepTimes)| v1::StepStatus {
        phase: model::Phase::RollingBack.as_str().to_owned(),
        does: planned.clone(),
        state: step_state(times, going_on).into(),
        entered_at_ms: millis(times.entered_at),
        ended_at_ms: millis(times.ended_at),
        ..v1::StepStatus::default()
    };
    timeline.back_does.iter().zip(&timeline.back).map(status).collect()
}

fn checks(state: &State, timeline: &Timeline) -> Vec<v1::CheckStatus> {
    let step = timeline.watch.and_then(|index| state.plan.steps.get(index));
    let Some((step, StepKind::Watch(spec))) = step.map(|step| (step, &step.kind)) else { return Vec::new() };
    let status = |(check, looked): (&model::Check, &Looked)| v1::CheckStatus {
        name: check.health.name.clone(),
        looks: looked.looks,
        verdict: looked.last.as_ref().map(|last| verdict(last.verdict)).unwrap_or_default().to_owned(),
        sentence: looked.last.as_ref().map(|last| last.sentence.clone()).unwrap_or_default(),
        measurements: looked.last.iter().flat_map(|last| &last.measurements).map(measurement).collect(),
        step: step.id.to_string(),
        unhealthy_in_a_row: looked.unhealthy_in_a_row,
        failures_to_decide: check.failures_to_decide,
    };
    spec.checks.iter().zip(&timeline.checks).map(status).collect()
}

/// Returns a verdict as one word.
pub(crate) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Healthy => "healthy",
        Verdict::Unhealthy => "unhealthy",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Error => "error",
    }
}

fn measurement(measured: &Measurement) -> v1::Measurement {
    v1::Measurement {
        name: measured.name.clone(),
        value: from_micros(measured.value_micros),
        unit: measured.unit.clone(),
        side: side(measured.side).into(),
        limit: measured.limit_micros.map(from_micros),
        samples: measured.samples,
        interval: measured
            .interval
            .map(|found| v1::Interval { low: from_micros(found.low_micros), high: from_micros(found.high_micros) }),
        test: measured.test.clone().unwrap_or_default(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number for people; 53 bits of millionths are nine digits before the point")]
fn from_micros(micros: i64) -> f64 {
    micros as f64 / 1_000_000.0
}
