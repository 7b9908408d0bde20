//! Canary: a growing share of the traffic, watched at each weight.

use model::{BasisPoints, Match, Percent, Phase, Routing, Sticky, WatchSpec};

use super::resolver::Resolver;
use super::steps::{Stand, Steps, capacity_for, weight_name};
use super::watch::FirstWatch;
use crate::rules::strategy::{CanaryRule, CanaryStepRule, weight_fault, weight_label};

/// A canary whose values are known.
pub(crate) struct Canary {
    sticky: Option<Sticky>,
    matches: Vec<Match>,
    steps: Vec<CanaryStep>,
}

struct CanaryStep {
    weight: BasisPoints,
    capacity: Percent,
    mirror: BasisPoints,
    watch: WatchSpec,
    /// What watches it instead when it is the first share of the callers that meets the candidate.
    first: Option<FirstWatch>,
}

/// Returns the canary, or `None` with diagnostics.
pub(crate) fn resolve(resolver: &mut Resolver<'_>, rule: &CanaryRule) -> Option<Canary> {
    let served = resolver.needs_weights("canary");
    if let Some((sticky, span)) = &rule.sticky {
        resolver.needs_sticky(*span, sticky);
    }
    for (on, _, _, span) in &rule.matches {
        resolver.needs_match(*span, on);
    }
    let least = resolver.capacity(rule.capacity.as_ref(), Percent::NONE);
    let (mut before, mut capacity, mut steps) = (None, least, Vec::new());
    for step in &rule.steps {
        let Some(one) = canary_step(resolver, rule, step, before, served) else { continue };
        // Capacity never shrinks on the way forward.
        capacity = capacity.max(one.capacity);
        before = Some(one.weight);
        steps.push(CanaryStep { capacity, ..one });
    }
    let matches = rule.matches.iter().map(|(on, value, side, _)| Match { on: on.clone(), value: value.clone(), side: *side });
    let complete = steps.len() == rule.steps.len();
    if complete && steps.iter().all(|step| step.first.is_none()) {
        resolver.no_first_share("no step of the canary has a weight");
    }
    let sticky = rule.sticky.as_ref().map(|(sticky, _)| sticky.clone());
    complete.then(|| Canary { sticky, matches: matches.collect(), steps })
}

fn canary_step(
    resolver: &mut Resolver<'_>,
    rule: &CanaryRule,
    step: &CanaryStepRule,
    before: Option<BasisPoints>,
    served: bool,
) -> Option<CanaryStep> {
    let weight = resolver.value(&step.weight)?;
    if served {
        resolver.needs_weight(&step.weight, weight);
    }
    let mirror = match &step.mirror {
        Some(setting) => {
            resolver.needs_mirror(setting.span());
            if weight == BasisPoints::ALL {
                resolver.refuse_setting(setting, "there is nothing left to mirror", "the candidate has all traffic here");
            }
            resolver.value(setting)?
        }
        None => BasisPoints::NONE,
    };
    let other_way = mirror > BasisPoints::NONE || !rule.matches.is_empty();
    if let Some(message) = weight_fault(before, weight, other_way) {
        resolver.refuse_setting(&step.weight, message, weight_label(before, weight));
    }
    let needed = capacity_for(weight.max(mirror));
    let capacity = resolver.capacity(step.capacity.as_ref(), needed);
    if let Some(setting) = step.capacity.as_ref().filter(|_| capacity < needed) {
        let label = format!("expected at least {needed} for a weight of {weight}, found {capacity}");
        resolver.refuse_setting(setting, "the capacity does not carry the traffic", label);
    }
    let watch = resolver.watch(&step.watch, resolver.input.path.rules.on_failure)?;
    let first = match is_first_share(before, weight) {
        true => Some(resolver.first_watch(&step.watch, &watch)?),
        false => None,
    };
    Some(CanaryStep { weight, capacity, mirror, watch, first })
}

/// Steps without a weight, which only mirror or match, come before the first share: it is chosen callers or nobody whom they concern.
fn is_first_share(before: Option<BasisPoints>, weight: BasisPoints) -> bool {
    before.unwrap_or(BasisPoints::NONE) == BasisPoints::NONE && weight > BasisPoints::NONE
}

impl Canary {
    /// Returns what watches the last step: what a first deployment is watched by.
    pub(crate) fn last_watch(&self) -> Option<&WatchSpec> {
        self.steps.last().map(|step| &step.watch)
    }

    fn routing(&self, weight: BasisPoints, mirror: BasisPoints) -> Routing {
        // With all traffic on the candidate nothing may keep a caller away from it.
        if weight == BasisPoints::ALL {
            return Routing::weights(weight);
        }
        Routing::Open { candidate: weight, matches: self.matches.clone(), mirror, sticky: self.sticky.clone() }
    }

    /// Writes down the steps up to the promotion.
    pub(crate) fn write(&self, steps: &mut Steps) {
        let mut reached = (BasisPoints::NONE, Percent::NONE);
        let mut routing = Routing::weights(BasisPoints::NONE);
        for step in &self.steps {
            let name = weight_name(step.weight);
            if step.capacity > reached.1 {
                let stand = Stand { stable: Percent::FULL, candidate: step.capacity, routing: routing.clone() };
                let (id, phase) = match reached.1 {
                    Percent::NONE => ("provision".to_owned(), Phase::Provisioning),
                    _ => (format!("capacity-{name}"), Phase::Shifting),
                };
                let reason = format!("capacity for {} of the traffic is confirmed before the weight moves", step.weight);
                steps.reconcile(&id, phase, stand, reason);
            }
            routing = self.routing(step.weight, step.mirror);
            let stand = Stand { stable: Percent::FULL, candidate: step.capacity, routing: routing.clone() };
            steps.reconcile(&format!("shift-{name}"), Phase::Shifting, stand, shift_reason(reached.0, step.weight));
            let reason = format!("at most {} of the traffic meets the candidate while the checks judge it", step.weight);
            let (watch, reason) = match &step.first {
                Some(first) => (&first.spec, first.reason(reason)),
                None => (&step.watch, reason),
            };
            steps.watch(&format!("watch-{name}"), Phase::Shifting, watch.clone(), reason);
            reached = (step.weight, step.capacity);
        }
        if reached.1 < Percent::FULL {
            let stand = Stand { stable: Percent::FULL, candidate: Percent::FULL, routing };
            let reason = "the candidate needs its full capacity before it gets all traffic";
            steps.reconcile("capacity-full", Phase::Promoting, stand, reason);
        }
        if reached.0 < BasisPoints::ALL {
            let all = Routing::weights(BasisPoints::ALL);
            let stand = Stand { stable: Percent::FULL, candidate: Percent::FULL, routing: all };
            steps.reconcile("shift-full", Phase::Promoting, stand, "every weight before was watched and found healthy");
        }
    }
}

fn shift_reason(before: BasisPoints, weight: BasisPoints) -> String {
    match before {
        BasisPoints::NONE => format!("the first {weight} of the traffic meets the candidate"),
        before => format!("{before} of the traffic was served well"),
    }
}
