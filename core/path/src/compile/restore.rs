//! `restore`: straight to an earlier release. How a finished deployment is taken back.

use model::{BasisPoints, Percent, Phase, Plan, Routing, Strategy};

use super::alone;
use super::input::RestoreInput;
use super::steps::{Behind, Stand, Steps};
use crate::plan::hash;
use crate::rules::policies::RECONCILE_DEADLINE;

/// Returns the plan that brings an earlier release back: no gates, no approvals, no small weights. The release was good
/// before, and whoever asks for it is in a hurry. It stands complete before it gets any traffic.
///
/// On a target that can neither switch nor weigh, the plan has an interruption and says so.
pub fn restore_plan(input: &RestoreInput) -> Plan {
    let mut steps = Steps::new(RECONCILE_DEADLINE);
    let beside = input.descriptor.instant_switch || input.descriptor.weights;
    match beside {
        true => {
            let full = |weight| Stand { stable: Percent::FULL, candidate: Percent::FULL, routing: Routing::weights(weight) };
            let reason = "the earlier release stands complete before it gets traffic";
            steps.reconcile("provision", Phase::Provisioning, full(BasisPoints::NONE), reason);
            let reason = "the earlier release was good before: it takes all traffic at once";
            steps.reconcile("shift-full", Phase::Shifting, full(BasisPoints::ALL), reason);
        }
        false => alone::replace(&mut steps),
    }
    steps.promote(if beside { Behind::Earlier } else { Behind::EarlierAlone });
    steps.finish("what was taken back is no longer needed");
    hash::sealed(Plan {
        hash: hash::unsealed(),
        scope: input.scope.clone(),
        release: input.release.clone(),
        path: input.path.clone(),
        strategy: Strategy::Restore,
        first: false,
        target: input.target.clone(),
        steps: steps.list,
        policies: input.policies.clone(),
    })
}
