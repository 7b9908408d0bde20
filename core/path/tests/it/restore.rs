//! Straight back to an earlier release.

use expect_test::expect_file;
use model::{Plan, StepKind};
use path::{RestoreInput, TargetDescriptor, default_policies, render_plan, restore_plan};

use crate::support::{CANARY, World, able};

fn restored(descriptor: TargetDescriptor) -> Plan {
    let plan = World::of(CANARY).plan();
    let restored = restore_plan(&RestoreInput {
        scope: plan.scope,
        release: plan.release,
        path: plan.path,
        target: plan.target,
        descriptor,
        policies: default_policies(),
    });
    machine::check_plan(&restored).unwrap_or_else(|fault| panic!("the machine refuses the plan: {fault}"));
    restored
}

#[test]
fn it_asks_nobody_and_watches_nothing() {
    let plan = restored(able());
    assert!(plan.steps.iter().all(|step| matches!(step.kind, StepKind::Reconcile { .. } | StepKind::Promote)));
    expect_file!["golden/restore.txt"].assert_eq(&render_plan(&plan));
}

#[test]
fn a_target_that_serves_one_release_at_a_time_gets_an_interruption_that_is_said() {
    let plan = restored(TargetDescriptor { weights: false, instant_switch: false, ..able() });
    expect_file!["golden/restore-one-at-a-time.txt"].assert_eq(&render_plan(&plan));
}
