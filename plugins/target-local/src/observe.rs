//! From the runtime's status to the contract's observation.

use towpath_sdk::target::{Desired, Observation, SideDesired, SideObservation};

use crate::protocol::{GroupStatus, Side, Status};

/// Returns what is seen where the runtime knows nothing of the service.
pub(crate) fn nothing() -> Observation {
    Observation {
        sides: Vec::new(),
        candidate_basis_points: 0,
        public_endpoint: None,
        highest_fence: 0,
        drift: Vec::new(),
        state: None,
    }
}

pub(crate) fn observation(status: &Status, state: Option<Vec<u8>>) -> Observation {
    Observation {
        sides: status.groups.iter().map(side).collect(),
        candidate_basis_points: status.candidate_basis_points(),
        public_endpoint: status.public_endpoint.clone(),
        highest_fence: status.fence,
        drift: status.groups.iter().filter_map(drift).collect(),
        state,
    }
}

fn side(group: &GroupStatus) -> SideObservation {
    SideObservation {
        side: match group.side {
            Side::Stable => towpath_sdk::Side::Stable,
            Side::Candidate => towpath_sdk::Side::Candidate,
        },
        release: group.release.clone(),
        artifact_digest: group.artifact_digest.clone(),
        ready: group.ready.into(),
        wanted: group.instances.into(),
        endpoint: group.endpoints.first().cloned(),
    }
}

/// Says what nobody ordered: instances that should run and do not.
fn drift(group: &GroupStatus) -> Option<String> {
    let GroupStatus { side, release, instances, failed, last_error, .. } = group;
    let why = last_error.as_deref().unwrap_or("no reason is known");
    (*failed > 0).then(|| format!("{failed} of {instances} instances of {release} ({}) do not run: {why}", side.as_str()))
}

/// Returns whether what was seen is what was asked for: the runtime's word that it converged is checked against the facts it gave.
pub(crate) fn is_as_desired(status: &Status, desired: &Desired) -> bool {
    let weight = desired.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points);
    let sides = [(Side::Stable, &desired.stable), (Side::Candidate, &desired.candidate)];
    status.candidate_basis_points() == weight
        && sides.into_iter().all(|(side, wanted)| is_side(status.group(side), wanted.as_ref()))
}

fn is_side(found: Option<&GroupStatus>, wanted: Option<&SideDesired>) -> bool {
    match (found, wanted.filter(|wanted| wanted.capacity_percent > 0)) {
        (Some(found), Some(wanted)) => {
            found.release == wanted.release
                && found.artifact_digest == wanted.artifact_digest
                && found.ready > 0
                && found.ready == found.instances
        }
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
