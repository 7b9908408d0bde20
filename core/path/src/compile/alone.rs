//! What comes up alone: a first deployment, where nothing ran before, and `recreate`, where the old goes first.

use model::{BasisPoints, Percent, Phase, Routing, WatchSpec};

use super::steps::{Stand, Steps};

const NOTHING: Stand = Stand { stable: Percent::NONE, candidate: Percent::NONE, routing: Routing::Closed };

/// Writes down a first deployment up to the promotion.
pub(crate) fn first(steps: &mut Steps, watch: &WatchSpec) {
    let reason = "nothing runs here yet: the candidate comes up complete, behind a closed door";
    steps.reconcile("provision", Phase::Provisioning, alone(Routing::Closed), reason);
    open_and_watch(steps, watch, "there is no older release that could take the traffic");
}

/// Writes down a recreation up to the promotion.
pub(crate) fn recreate(steps: &mut Steps, watch: &WatchSpec) {
    let reason = "old and new may not run together: nobody is served from here until the door opens (interruption)";
    steps.reconcile("close", Phase::Provisioning, NOTHING, reason);
    let reason = "the candidate comes up complete behind the closed door (interruption)";
    steps.reconcile("provision", Phase::Provisioning, alone(Routing::Closed), reason);
    open_and_watch(steps, watch, "the candidate is up; the interruption ends");
}

/// Writes down the straight way to an earlier release on a target that cannot have two releases serve at once.
pub(crate) fn replace(steps: &mut Steps) {
    let reason = "the target serves one release at a time: nobody is served from here until the door opens (interruption)";
    steps.reconcile("close", Phase::Provisioning, NOTHING, reason);
    let reason = "the release comes up complete behind the closed door (interruption)";
    steps.reconcile("provision", Phase::Provisioning, alone(Routing::Closed), reason);
    let open = alone(Routing::weights(BasisPoints::ALL));
    steps.reconcile("open", Phase::Shifting, open, "the release is up; the interruption ends");
}

fn open_and_watch(steps: &mut Steps, watch: &WatchSpec, reason: &str) {
    steps.reconcile("open", Phase::Shifting, alone(Routing::weights(BasisPoints::ALL)), reason);
    steps.watch("watch-full", Phase::Shifting, watch.clone(), "the checks judge the candidate under all traffic");
}

fn alone(routing: Routing) -> Stand {
    Stand { stable: Percent::NONE, candidate: Percent::FULL, routing }
}
