//! From the newest words to those of a version.
//!
//! Written once and compiled into the module of each version, over that version's bindings.

use super::bindings::{gate_words, health_words, target_words, types};
use super::subject;
use crate::{Desired, Evidence, RequestKey, RouteMatch, Side, SideDesired, Subjects, Traffic, Window};

pub(super) fn desired(desired: &Desired) -> target_words::Desired {
    target_words::Desired {
        stable: desired.stable.as_ref().map(side_desired),
        candidate: desired.candidate.as_ref().map(side_desired),
        traffic: desired.traffic.as_ref().map(traffic),
    }
}

fn side_desired(side: &SideDesired) -> target_words::SideDesired {
    target_words::SideDesired {
        release: side.release.clone(),
        artifact_reference: side.artifact_reference.clone(),
        artifact_digest: side.artifact_digest.clone(),
        configuration: side.configuration.clone(),
        capacity_percent: side.capacity_percent,
    }
}

fn traffic(traffic: &Traffic) -> target_words::Traffic {
    target_words::Traffic {
        candidate_basis_points: traffic.candidate_basis_points,
        matches: traffic.matches.iter().map(route_match).collect(),
        mirror_basis_points: traffic.mirror_basis_points,
        sticky: traffic.sticky.as_ref().map(request_key),
    }
}

fn route_match(rule: &RouteMatch) -> target_words::RouteMatch {
    target_words::RouteMatch { on: request_key(&rule.on), value: rule.value.clone(), to: side(rule.to) }
}

fn request_key(key: &RequestKey) -> target_words::RequestKey {
    match key {
        RequestKey::Header(name) => target_words::RequestKey::Header(name.clone()),
        RequestKey::Cookie(name) => target_words::RequestKey::Cookie(name.clone()),
    }
}

fn side(side: Side) -> types::Side {
    match side {
        Side::Stable => types::Side::Stable,
        Side::Candidate => types::Side::Candidate,
    }
}

pub(super) fn evidence(evidence: &[Evidence]) -> Vec<gate_words::Evidence> {
    let one = |evidence: &Evidence| gate_words::Evidence {
        kind: evidence.kind.clone(),
        name: evidence.name.clone(),
        media_type: evidence.media_type.clone(),
        digest: evidence.digest.clone(),
        content: evidence.content.clone(),
    };
    evidence.iter().map(one).collect()
}

pub(super) fn subjects(subjects: &Subjects) -> health_words::Subjects {
    health_words::Subjects {
        stable: subjects.stable.as_ref().map(subject),
        candidate: subjects.candidate.as_ref().map(subject),
        public_endpoint: subjects.public_endpoint.clone(),
    }
}

pub(super) fn window(window: &Window) -> health_words::Window {
    health_words::Window { started_ms: window.started_ms, ends_ms: window.ends_ms }
}
