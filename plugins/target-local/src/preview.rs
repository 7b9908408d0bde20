//! What a reconcile would change, in sentences.

use crate::protocol::{DesiredState, Group, GroupStatus, Side, Status};

/// Basis points in a percent.
const BASIS_POINTS_PER_PERCENT: f64 = 100.0;

/// Returns what would change, in the order in which it would.
pub(crate) fn changes(status: Option<&Status>, wanted: &DesiredState) -> Vec<String> {
    let runs: &[GroupStatus] = status.map_or(&[], |status| &status.groups);
    let mut changes = Vec::new();
    for side in Side::BOTH {
        changes.extend(wanted.group(side).and_then(|group| started(runs, side, group)));
    }
    let before = status.map_or(0, Status::candidate_basis_points);
    let after = wanted.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points);
    if before != after {
        changes.push(format!("move the candidate's weight from {} % to {} %", percent(before), percent(after)));
    }
    if status.is_some_and(|status| status.traffic.is_some()) && wanted.traffic.is_none() {
        changes.push("serve nobody".to_owned());
    }
    let stays = |group: &GroupStatus| {
        Side::BOTH.into_iter().filter_map(|side| wanted.group(side)).any(|kept| kept.release == group.release)
    };
    changes.extend(runs.iter().filter(|group| !stays(group)).map(|group| format!("stop {}", group.release)));
    changes
}

/// Says what is started, stopped or renamed for one side. Groups are told apart by release: one that changes sides keeps running.
fn started(runs: &[GroupStatus], side: Side, wanted: &Group) -> Option<String> {
    let Group { release, instances, .. } = wanted;
    let Some(found) = runs.iter().find(|group| group.release == *release) else {
        return Some(format!("start {instances} instances of {release} as {}", side.as_str()));
    };
    let moved = (found.side != side).then(|| format!("make {release} the {} side", side.as_str()));
    let resized =
        (found.instances != *instances).then(|| format!("go from {} to {instances} instances of {release}", found.instances));
    let both: Vec<_> = [moved, resized].into_iter().flatten().collect();
    (!both.is_empty()).then(|| both.join(" and "))
}

fn percent(basis_points: u16) -> f64 {
    f64::from(basis_points) / BASIS_POINTS_PER_PERCENT
}
