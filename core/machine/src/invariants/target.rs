//! Samples of what really runs at a target, taken by whoever can look: a simulated target, a runtime's status, a cluster.

use alloc::format;

use model::{Fence, Outcome, ReleaseId, Routing, Side, State};

use super::{Checked, effects};
use crate::back;

/// What runs at a target at one moment. Its sides are the target's: once a deployment succeeded, what was its candidate is
/// the target's stable side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSample {
    /// The highest fence it has seen.
    pub highest_fence: Fence,
    /// How requests are spread.
    pub routing: Routing,
    /// What runs on the stable side.
    pub stable: Option<SideSample>,
    /// What runs on the candidate side.
    pub candidate: Option<SideSample>,
}

/// What runs on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SideSample {
    /// Which release.
    pub release: ReleaseId,
    /// Units of capacity that can serve.
    pub ready: u32,
}

impl TargetSample {
    /// Returns what runs on a side.
    pub fn side(&self, side: Side) -> Option<&SideSample> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => self.candidate.as_ref(),
        }
    }
}

/// The highest fence that the target has seen never falls.
pub fn the_highest_fence_seen_never_falls(before: Option<&TargetSample>, after: &TargetSample, _: &State) -> Checked {
    match before {
        Some(before) if after.highest_fence < before.highest_fence => {
            Err(format!("the target's highest fence fell from {} to {}", before.highest_fence, after.highest_fence))
        }
        Some(_) | None => Ok(()),
    }
}

/// The target has seen no higher fence than the deployment knows of: each was taken by a journaled intent.
pub fn the_target_has_seen_no_fence_that_was_not_journaled(
    _: Option<&TargetSample>,
    after: &TargetSample,
    state: &State,
) -> Checked {
    match after.highest_fence <= state.fence {
        true => Ok(()),
        false => Err(format!("the target has seen fence {}, the highest journaled is {}", after.highest_fence, state.fence)),
    }
}

/// No traffic goes to a side where nothing is ready, and the weights sum up.
pub fn the_target_sends_traffic_only_to_sides_that_are_ready(
    _: Option<&TargetSample>,
    after: &TargetSample,
    _: &State,
) -> Checked {
    effects::routing_sums_up(&after.routing)?;
    [Side::Stable, Side::Candidate].into_iter().filter(|side| after.routing.reaches(*side)).try_for_each(|side| {
        let ready = after.side(side).map_or(0, |found| found.ready);
        let share = after.routing.share(side);
        (ready > 0).then_some(()).ok_or_else(|| format!("the {side} side has {share} of the traffic and {ready} ready"))
    })
}

/// Each side runs a release of the deployment, and the candidate side none but its own.
pub fn the_target_runs_only_what_was_asked_for(_: Option<&TargetSample>, after: &TargetSample, state: &State) -> Checked {
    let (old, new) = (state.stable.as_ref().map(|r| &r.id), &state.plan.release.id);
    if let Some(found) = after.stable.as_ref().filter(|s| Some(&s.release) != old && s.release != *new) {
        return Err(format!("the stable side runs {}, known are {old:?} and {new}", found.release));
    }
    match after.candidate.as_ref().filter(|s| s.release != *new) {
        None => Ok(()),
        Some(found) => Err(format!("the candidate side runs {}, wanted {new}", found.release)),
    }
}

/// In rolled-back, aborted and superseded, and after an end without effects, the old release has all traffic and nothing of the
/// candidate is left; where nothing was stable, nothing runs and nobody is served.
pub fn after_a_way_back_the_target_runs_the_old_release_alone(state: &State, sample: &TargetSample) -> Checked {
    match (state.outcome(), state.activated_at) {
        (
            Some(
                Outcome::RolledBack(_)
                | Outcome::Aborted { .. }
                | Outcome::Superseded { .. }
                | Outcome::Rejected { .. }
                | Outcome::Expired { .. },
            ),
            Some(_),
        ) => alone(sample, state.stable.as_ref().map(|r| &r.id), &back::resting(state).routing),
        (Some(_) | None, _) => Ok(()),
    }
}

/// In succeeded the new release has all traffic and nothing of the old one is left.
pub fn after_a_success_the_target_runs_the_new_release_alone(state: &State, sample: &TargetSample) -> Checked {
    match state.outcome() {
        Some(Outcome::Succeeded) => alone(sample, Some(&state.plan.release.id), &Routing::weights(model::BasisPoints::NONE)),
        Some(_) | None => Ok(()),
    }
}

fn alone(sample: &TargetSample, wanted: Option<&ReleaseId>, routing: &Routing) -> Checked {
    let found = sample.stable.as_ref().map(|s| &s.release);
    match found == wanted && sample.candidate.is_none() && sample.routing == *routing {
        true => Ok(()),
        false => Err(format!("the target stands at {sample:?}, wanted {wanted:?} alone with {routing:?}")),
    }
}
