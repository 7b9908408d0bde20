//! From the model's words to the host's: what plugins are asked.

use model::{Desired, MatchOn, Routing, Side, SideDesired, Stage, State, StepKind, Sticky, Timestamp, WatchSpec};
use plugin_host as host;

/// Returns a desired state.
pub(crate) fn desired(desired: &Desired) -> host::Desired {
    host::Desired {
        stable: desired.stable.as_ref().map(side_desired),
        candidate: desired.candidate.as_ref().map(side_desired),
        traffic: traffic(&desired.routing),
    }
}

fn side_desired(side: &SideDesired) -> host::SideDesired {
    host::SideDesired {
        release: side.release.id.to_string(),
        artifact_reference: side.release.artifact.reference.clone(),
        artifact_digest: side.release.artifact.digest.to_string(),
        configuration: side.release.configuration.clone(),
        capacity_percent: side.capacity.get(),
    }
}

fn traffic(routing: &Routing) -> Option<host::Traffic> {
    match routing {
        Routing::Closed => None,
        Routing::Open { candidate, matches, mirror, sticky } => Some(host::Traffic {
            candidate_basis_points: candidate.get(),
            matches: matches.iter().map(route_match).collect(),
            mirror_basis_points: mirror.get(),
            sticky: sticky.as_ref().map(|sticky| match sticky {
                Sticky::Header(name) => host::RequestKey::Header(name.clone()),
                Sticky::Cookie(name) => host::RequestKey::Cookie(name.clone()),
            }),
        }),
    }
}

fn route_match(rule: &model::Match) -> host::RouteMatch {
    let on = match &rule.on {
        MatchOn::Header(name) => host::RequestKey::Header(name.clone()),
        MatchOn::Cookie(name) => host::RequestKey::Cookie(name.clone()),
    };
    host::RouteMatch { on, value: rule.value.clone(), to: side(rule.side) }
}

fn side(side: Side) -> host::Side {
    match side {
        Side::Stable => host::Side::Stable,
        Side::Candidate => host::Side::Candidate,
    }
}

/// Returns what a health check judges: what was seen last, with the traffic that was confirmed.
pub(crate) fn subjects(state: &State) -> host::Subjects {
    let seen = state.observation.as_ref();
    let subject = |which: Side| {
        let found = seen?.sides.iter().find(|s| s.side == which)?;
        // Labels belong to releases, and a target may run another one than it shall.
        let known = state.release(which).filter(|release| release.id == found.release);
        Some(host::Subject {
            release: found.release.to_string(),
            label: known.map(|release| release.label.clone()).unwrap_or_default(),
            artifact_digest: found.digest.to_string(),
            endpoint: found.endpoint.clone(),
            ready: found.ready,
            wanted: found.wanted,
            basis_points: state.confirmed.routing.share(which).get(),
        })
    };
    host::Subjects {
        stable: subject(Side::Stable),
        candidate: subject(Side::Candidate),
        public_endpoint: seen.and_then(|seen| seen.public_endpoint.clone()),
    }
}

/// Returns the time that a check of the current watch judges.
pub(crate) fn window(state: &State, check: usize) -> host::Window {
    let started = state.watch.as_ref().map_or(Timestamp::default(), |watch| watch.started_at);
    let spec = match &state.stage {
        Stage::Forward { step, .. } => match state.plan.steps.get(*step).map(|step| &step.kind) {
            Some(StepKind::Watch(spec)) => Some(spec),
            Some(_) | None => None,
        },
        Stage::Queued { .. } | Stage::Back { .. } | Stage::Ended(_) => None,
    };
    spec.map_or(host::Window { started_ms: started.0, ends_ms: started.0 }, |spec| window_of(spec, check, started))
}

/// What came before its delay is not a check's to judge.
fn window_of(spec: &WatchSpec, check: usize, started: Timestamp) -> host::Window {
    let begins = spec.checks.get(check).map_or(started, |check| started + check.start_after);
    host::Window { started_ms: begins.0, ends_ms: (started + spec.duration).0 }
}

#[cfg(test)]
mod tests {
    use model::{Check, CheckRole, Digest, InconclusiveAction, Millis, PluginUse, UnhealthyAction};

    use super::*;

    #[test]
    fn a_check_judges_what_came_after_its_delay() {
        let check = |start_after| Check {
            health: PluginUse { name: "probe".into(), digest: Digest([1; 32]), settings: "{}".into() },
            interval: Millis::seconds(1),
            failures_to_decide: 2,
            errors_tolerated: 3,
            role: CheckRole::Deciding,
            start_after,
        };
        let spec = WatchSpec {
            duration: Millis::minutes(5),
            checks: vec![check(Millis(0)), check(Millis::seconds(30))],
            on_unhealthy: UnhealthyAction::GoBack,
            on_inconclusive: InconclusiveAction::Pause,
            patience: Millis::minutes(5),
            until_decided: false,
        };
        let window = |check| {
            let window = window_of(&spec, check, Timestamp(1_000));
            (window.started_ms, window.ends_ms)
        };
        assert_eq!([window(0), window(1), window(2)], [(1_000, 301_000), (31_000, 301_000), (1_000, 301_000)]);
    }
}
