//! What a plan must be like before it may be followed.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use core::fmt;

use model::plan::STEPS_MAX;
use model::{Arrangement, BasisPoints, Confirmed, Percent, Plan, Routing, Side, Step, StepKind};

/// A plan that would break an invariant if it were followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanFault {
    /// It has no steps, or too many.
    Length {
        /// How many.
        found: usize,
    },
    /// Two steps have one name.
    DuplicateStep {
        /// The name.
        step: String,
    },
    /// It must promote exactly once.
    Promotes {
        /// How often it does.
        found: usize,
    },
    /// The last reconcile must leave the candidate alone with all traffic, behind the promotion.
    EndsElsewhere,
    /// A step sends traffic to a side whose capacity no step before it confirmed.
    TrafficBeforeCapacity {
        /// The step.
        step: String,
        /// The side.
        side: Side,
    },
    /// A step takes a side's capacity away that still has traffic.
    CapacityFromUnderTraffic {
        /// The step.
        step: String,
        /// The side.
        side: Side,
    },
    /// It promotes before the candidate has all traffic.
    PromotesEarly,
    /// A watch asks nobody: it would end healthy without a single look.
    WatchesNothing {
        /// The step.
        step: String,
    },
    /// A watch asks only checks that decide nothing: it would find everything healthy.
    DecidesNothing {
        /// The step.
        step: String,
    },
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(f, "a plan has 1 to {STEPS_MAX} steps, found {found}"),
            Self::DuplicateStep { step } => write!(f, "two steps are called {step}"),
            Self::Promotes { found } => write!(f, "a plan promotes exactly once, found {found} promotions"),
            Self::EndsElsewhere => f.write_str("a plan ends with the candidate alone, promoted before; this one does not"),
            Self::TrafficBeforeCapacity { step, side } => {
                write!(f, "step {step} sends traffic to the {side} side before any step confirmed capacity there")
            }
            Self::CapacityFromUnderTraffic { step, side } => {
                write!(f, "step {step} takes the {side} side's capacity away while traffic may still go there")
            }
            Self::WatchesNothing { step } => write!(f, "step {step} watches without a health check; use a wait"),
            Self::DecidesNothing { step } => {
                write!(f, "step {step} watches by dry-run checks alone, and none of them decides; use a wait")
            }
            Self::PromotesEarly => f.write_str("the plan promotes the candidate before it has all traffic"),
        }
    }
}

impl core::error::Error for PlanFault {}

/// Returns why a plan may not be followed, or that it may. The engine asks before it journals a request.
pub fn check_plan(plan: &Plan) -> Result<(), PlanFault> {
    if plan.steps.is_empty() || plan.steps.len() > STEPS_MAX {
        return Err(PlanFault::Length { found: plan.steps.len() });
    }
    let mut names = BTreeSet::new();
    if let Some(step) = plan.steps.iter().find(|step| !names.insert(&step.id)) {
        return Err(PlanFault::DuplicateStep { step: step.id.to_string() });
    }
    let promotes = plan.steps.iter().filter(|s| s.kind == StepKind::Promote).count();
    if promotes != 1 {
        return Err(PlanFault::Promotes { found: promotes });
    }
    let mut standing = Confirmed::of(&Arrangement::StableAlone, !plan.first);
    let mut promoted = false;
    for step in &plan.steps {
        match &step.kind {
            StepKind::Reconcile { arrangement } => standing = reconciled(&standing, arrangement, step, plan.first)?,
            StepKind::Promote if standing.routing.share(Side::Candidate) != BasisPoints::ALL => {
                return Err(PlanFault::PromotesEarly);
            }
            StepKind::Promote => promoted = true,
            StepKind::Watch(spec) if spec.checks.is_empty() => {
                return Err(PlanFault::WatchesNothing { step: step.id.to_string() });
            }
            StepKind::Watch(spec) if !spec.checks.iter().any(|check| check.role.decides()) => {
                return Err(PlanFault::DecidesNothing { step: step.id.to_string() });
            }
            StepKind::Gate { .. }
            | StepKind::Approval { .. }
            | StepKind::Action { .. }
            | StepKind::Watch(_)
            | StepKind::Wait { .. } => {}
        }
        if matches!(&step.kind, StepKind::Reconcile { arrangement: Arrangement::CandidateAlone }) && !promoted {
            return Err(PlanFault::EndsElsewhere);
        }
    }
    match standing == Confirmed::of(&Arrangement::CandidateAlone, true) {
        true => Ok(()),
        false => Err(PlanFault::EndsElsewhere),
    }
}

fn reconciled(before: &Confirmed, arrangement: &Arrangement, step: &Step, first: bool) -> Result<Confirmed, PlanFault> {
    let after = Confirmed::of(arrangement, !first);
    for side in [Side::Stable, Side::Candidate] {
        let capacity = |c: &Confirmed| match side {
            Side::Stable => c.stable,
            Side::Candidate => c.candidate,
        };
        // Capacity and weight may not come up in one step, nor may capacity go from under traffic.
        let stands = capacity(before) > Percent::NONE && capacity(&after) > Percent::NONE;
        if after.routing != Routing::Closed && after.routing.reaches(side) && !stands {
            return Err(PlanFault::TrafficBeforeCapacity { step: step.id.to_string(), side });
        }
        // Traffic goes first, and that is confirmed, before the capacity goes. A plan that closes the door says so.
        let leaves = before.routing.reaches(side) && capacity(&after) == Percent::NONE;
        if after.routing != Routing::Closed && leaves {
            return Err(PlanFault::CapacityFromUnderTraffic { step: step.id.to_string(), side });
        }
    }
    Ok(after)
}
