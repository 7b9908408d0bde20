//! Which plans may be followed, and that those that may lead to their end.

use machine::{PlanFault, check_plan};
use model::{Plan, Routing, Side, Strategy};

use crate::support::Scene;
use crate::support::plans::{self, Builder, weight};
use crate::support::world::Candidate;

#[test]
fn every_strategy_s_plan_may_be_followed() {
    for (name, plan) in plans::all() {
        assert_eq!(check_plan(&plan), Ok(()), "{name}");
    }
}

#[test]
fn every_plan_succeeds_in_a_good_world() {
    for (name, plan) in plans::all() {
        let mut scene = Scene::new(plan.clone());
        let approvals = plan.steps.iter().any(|s| s.id.as_str() == "approval-1");
        if approvals {
            scene = scene.reach("approval-1");
            for who in ["user:bea", "user:cem"] {
                let by = crate::support::member(who);
                scene.run.tell(model::Command::Approve { by, plan: plan.hash.clone() });
            }
        }
        assert_eq!(scene.reach_the_end(), "succeeded", "{name}");
    }
}

#[test]
fn every_plan_gets_out_of_a_bad_world() {
    // What becomes of a plan that passes a point of no return depends on when the candidate falls ill.
    let expected = [
        ("canary", "rolled-back"),
        ("blue-green", "rolled-back"),
        ("rolling", "rolled-back"),
        ("recreate", "rolled-back"),
        ("first", "rolled-back"),
        ("guarded", "expired"),
        ("scrutinised", "rolled-back"),
    ];
    for candidate in [Candidate::Unhealthy, Candidate::NeverReady, Candidate::Crashing] {
        for (name, outcome) in expected {
            let (_, plan) = plans::all().into_iter().find(|(found, _)| *found == name).unwrap();
            let mut scene = Scene::new(plan);
            scene.world.candidate_is = candidate;
            assert_eq!(scene.reach_the_end(), outcome, "{name} with a candidate that is {candidate:?}");
        }
    }
}

fn check(plan: Plan, expect: PlanFault) {
    assert_eq!(check_plan(&plan), Err(expect.clone()), "{expect}");
}

#[test]
fn a_plan_that_would_break_an_invariant_is_refused() {
    let new = || Builder::new(Strategy::Canary);
    let ready = || new().sides(100, 100, weight(0)).sides(100, 100, weight(100));
    check(new().0, PlanFault::Length { found: 0 });
    check(ready().finish(), PlanFault::Promotes { found: 0 });
    check(ready().promote().0, PlanFault::EndsElsewhere);
    check(Builder(ready().finish()).promote().0, PlanFault::EndsElsewhere);
    check(ready().promote().promote().finish(), PlanFault::Promotes { found: 2 });
    check(new().sides(100, 100, weight(50)).promote().finish(), traffic("reconcile-1", Side::Candidate));
    check(new().sides(100, 100, weight(0)).sides(100, 100, weight(50)).promote().finish(), PlanFault::PromotesEarly);
    check(new().sides(100, 0, weight(0)).sides(100, 50, weight(50)).promote().finish(), traffic("reconcile-2", Side::Candidate));
    check(ready().sides(0, 100, weight(50)).promote().finish(), traffic("reconcile-3", Side::Stable));
    let step = "reconcile-2".to_string();
    let under = PlanFault::CapacityFromUnderTraffic { step, side: Side::Stable };
    check(new().sides(100, 100, weight(0)).sides(0, 100, weight(100)).promote().finish(), under);
    check(
        new().sides(0, 0, Routing::Closed).sides(0, 100, weight(100)).promote().finish(),
        traffic("reconcile-2", Side::Candidate),
    );
}

fn traffic(step: &str, side: Side) -> PlanFault {
    PlanFault::TrafficBeforeCapacity { step: step.into(), side }
}

#[test]
fn a_plan_names_its_steps_once_and_watches_with_somebody() {
    let mut twice = plans::canary();
    twice.steps[2].id = twice.steps[1].id.clone();
    check(twice, PlanFault::DuplicateStep { step: "reconcile-1".into() });
    let mut blind = plans::canary();
    let watch = blind.steps.iter_mut().find(|s| s.id.as_str() == "watch-1").unwrap();
    let model::StepKind::Watch(spec) = &mut watch.kind else { unreachable!("watch-1 is a watch") };
    spec.checks.iter_mut().for_each(|check| check.role = model::CheckRole::DryRun);
    check(blind.clone(), PlanFault::DecidesNothing { step: "watch-1".into() });
    let model::StepKind::Watch(spec) = &mut blind.steps[3].kind else { unreachable!("watch-1 is a watch") };
    spec.checks.clear();
    check(blind, PlanFault::WatchesNothing { step: "watch-1".into() });
    let long = (0..=model::plan::STEPS_MAX).fold(Builder::new(Strategy::Canary), |plan, _| plan.wait());
    check(long.0, PlanFault::Length { found: model::plan::STEPS_MAX + 1 });
}
