//! From the model's words to the host's: what plugins are asked.

use model::{Desired, MatchOn, Routing, Side, SideDesired, State, Sticky};
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
