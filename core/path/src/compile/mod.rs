//! From three files, a release and what plugins say of themselves to a plan.

pub(crate) mod alone;
pub(crate) mod blue_green;
pub(crate) mod canary;
pub(crate) mod input;
pub(crate) mod release;
pub(crate) mod resolver;
pub(crate) mod restore;
pub(crate) mod rolling;
pub(crate) mod scope;
pub(crate) mod steps;
pub(crate) mod target;
pub(crate) mod watch;

use model::plan::STEPS_MAX;
use model::{InconclusiveAction, Phase, Plan, PluginUse, Scope, StepKind, Strategy, UnhealthyAction, WatchSpec};

pub use release::release_of;

use crate::plan::hash;
use crate::rules::policies::{GATE_DEADLINE, RECONCILE_DEADLINE};
use crate::rules::strategy::StrategyRule;
use crate::text::diagnostic::{Diagnostic, in_order};
use input::{CompileInput, PluginKind};
use resolver::Resolver;
use steps::{Behind, Steps};

/// How long people have to answer where the path does not say.
const APPROVAL_EXPIRES_AFTER: model::Millis = model::Millis::hours(4);

/// Compiles a plan. The same input always gives the same plan with the same hash.
///
/// # Errors
///
/// Returns everything that stands in the way, with its place: files that do not belong together, parameters and settings
/// that do not fit their schema, expressions without a value, plugins that are not there, and what the target cannot do.
pub fn compile(input: &CompileInput<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let scope = scope::resolve(input).map_err(in_order)?;
    let mut resolver = Resolver { input: *input, scope: &scope, found: Vec::new() };
    let plan = assemble(&mut resolver, &scope.parameters);
    match plan {
        Some(plan) if resolver.found.is_empty() => Ok(hash::sealed(plan)),
        Some(_) | None => Err(in_order(resolver.found)),
    }
}

/// A strategy whose values are known.
enum Motion {
    Canary(canary::Canary),
    BlueGreen(blue_green::BlueGreen),
    Rolling(rolling::Rolling),
    Recreate(WatchSpec),
}

fn assemble(resolver: &mut Resolver<'_>, parameters: &serde_json::Value) -> Option<Plan> {
    let input = resolver.input;
    let release = release::spec(resolver, parameters);
    let target = resolver.plugin(&input.environment.target_rule, &input.environment.source, PluginKind::Target);
    let policies = resolver.policies();
    let deadline = resolver.setting(input.path.rules.policies.reconcile_deadline.as_ref(), RECONCILE_DEADLINE);
    let mut steps = Steps::new(deadline);
    gates(resolver, &mut steps);
    approval(resolver, &mut steps);
    let (motion, soak) = (motion(resolver), soak(resolver));
    write(&motion?, soak, input.first, &mut steps);
    if steps.list.len() > STEPS_MAX {
        let label = format!("at most {STEPS_MAX} steps, found {}", steps.list.len());
        resolver.refuse(input.path.rules.strategy_span, "the plan is too long", label);
    }
    Some(Plan {
        hash: hash::unsealed(),
        scope: Scope { service: input.service.name.clone(), environment: input.environment.name.clone() },
        release: release?,
        path: input.path.label(),
        strategy: strategy_name(&input.path.rules.strategy),
        first: input.first,
        target: target?,
        steps: steps.list,
        policies,
    })
}

fn strategy_name(rule: &StrategyRule) -> Strategy {
    match rule {
        StrategyRule::Canary(_) => Strategy::Canary,
        StrategyRule::BlueGreen { .. } => Strategy::BlueGreen,
        StrategyRule::Rolling { .. } => Strategy::Rolling,
        StrategyRule::Recreate { .. } => Strategy::Recreate,
    }
}

fn gates(resolver: &mut Resolver<'_>, steps: &mut Steps) {
    let path = resolver.input.path;
    for rule in &path.rules.gates {
        if !resolver.applies(rule.when.as_ref()) {
            continue;
        }
        let deadline = resolver.setting(rule.deadline.as_ref(), GATE_DEADLINE);
        if let Some(gate) = resolver.plugin(&rule.uses, &path.source, PluginKind::Gate) {
            let reason = "a no is cheapest before anything has changed".to_owned();
            steps.step(&format!("gate-{}", rule.name), Phase::Checking, StepKind::Gate { gate }, deadline, reason);
        }
    }
}

fn approval(resolver: &mut Resolver<'_>, steps: &mut Steps) {
    let Some(rule) = &resolver.input.path.rules.approval else { return };
    if !resolver.applies(rule.when.as_ref()) {
        return;
    }
    let quorum = resolver.setting(rule.quorum.as_ref(), 1);
    if let Some(setting) = rule.quorum.as_ref().filter(|_| quorum == 0) {
        resolver.refuse_setting(setting, "an approval needs somebody", "expected at least 1, found 0");
    }
    let expires_after = resolver.setting(rule.expires_after.as_ref(), APPROVAL_EXPIRES_AFTER);
    let reason = match &rule.when {
        Some(when) => format!("the path asks people when {}", when.text),
        None => "the path asks people every time".to_owned(),
    };
    let kind =
        StepKind::Approval { from: rule.from.clone(), quorum, expires_after, requester_may_approve: rule.requester_may_approve };
    steps.step("approval", Phase::AwaitingApproval, kind, expires_after, reason);
}

fn motion(resolver: &mut Resolver<'_>) -> Option<Motion> {
    let path = resolver.input.path;
    match &path.rules.strategy {
        StrategyRule::Canary(rule) => canary::resolve(resolver, rule).map(Motion::Canary),
        StrategyRule::BlueGreen { preview, watch } => {
            blue_green::resolve(resolver, preview.as_ref(), watch).map(Motion::BlueGreen)
        }
        StrategyRule::Rolling { batches, watch } => rolling::resolve(resolver, batches, watch).map(Motion::Rolling),
        StrategyRule::Recreate { watch } => resolver.watch(watch, path.rules.on_failure).map(Motion::Recreate),
    }
}

/// Returns the watch behind the promotion, if the path has one.
fn soak(resolver: &mut Resolver<'_>) -> Option<WatchSpec> {
    let path = resolver.input.path;
    let rule = path.rules.soak.as_ref()?;
    let old_stands_by = matches!(path.rules.strategy, StrategyRule::Canary(_) | StrategyRule::BlueGreen { .. });
    let mut on_failure = rule.on_failure;
    if !old_stands_by {
        // Behind a rolling or recreating promotion there is nothing to go back to; only a person can decide.
        let unhealthy = rule.on_failure_span.filter(|_| on_failure == UnhealthyAction::GoBack);
        let undecided = rule.on_inconclusive.filter(|(action, _)| *action == InconclusiveAction::GoBack).map(|(_, span)| span);
        for span in unhealthy.into_iter().chain(undecided) {
            let label = "the old release no longer stands by: expected pause";
            resolver.refuse(span, "there is no way back from this soak", label);
        }
        on_failure = UnhealthyAction::Pause;
    }
    let spec = resolver.watch(&rule.watch, on_failure)?;
    Some(WatchSpec { on_inconclusive: rule.on_inconclusive.map_or(spec.on_inconclusive, |(action, _)| action), ..spec })
}

fn write(motion: &Motion, soak: Option<WatchSpec>, first: bool, steps: &mut Steps) {
    let (watch, old_stands_by) = match motion {
        Motion::Canary(canary) => (canary.last_watch(), true),
        Motion::BlueGreen(switch) => (Some(&switch.watch), true),
        Motion::Rolling(rolling) => (Some(&rolling.watch), rolling.old_stands_by()),
        Motion::Recreate(watch) => (Some(watch), false),
    };
    match (motion, watch) {
        (_, Some(watch)) if first => alone::first(steps, watch),
        (Motion::Canary(canary), _) => canary.write(steps),
        (Motion::BlueGreen(switch), _) => switch.write(steps),
        (Motion::Rolling(rolling), _) => rolling.write(steps),
        (Motion::Recreate(watch), _) => alone::recreate(steps, watch),
    }
    let behind = match (first, old_stands_by) {
        (true, _) => Behind::Nothing,
        (false, true) => Behind::OldStandsBy,
        (false, false) => Behind::OldIsGone,
    };
    steps.promote(behind);
    if let Some(soak) = soak {
        let (reason, on_unhealthy) = match behind {
            Behind::OldStandsBy => ("the checks go on while the old release stands by", soak.on_unhealthy),
            Behind::OldIsGone | Behind::Nothing | Behind::Earlier | Behind::EarlierAlone => {
                ("the checks go on; no release stands by that could take over", UnhealthyAction::Pause)
            }
        };
        steps.watch("soak", Phase::Soaking, WatchSpec { on_unhealthy, ..soak }, reason);
    }
    let reason = match first {
        true => "the candidate is the new stable side",
        false => "what is no longer needed goes away; the candidate is the new stable side",
    };
    steps.finish(reason);
}

/// Returns the plugins of a plan, each once, the target first.
pub(crate) fn plugins_of(plan: &Plan) -> Vec<&PluginUse> {
    let mut uses = vec![&plan.target];
    for step in &plan.steps {
        match &step.kind {
            StepKind::Gate { gate } => uses.push(gate),
            StepKind::Action { action, .. } => uses.push(action),
            StepKind::Watch(spec) => uses.extend(spec.checks.iter().map(|check| &check.health)),
            StepKind::Approval { .. } | StepKind::Reconcile { .. } | StepKind::Wait { .. } | StepKind::Promote => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    uses.retain(|one| seen.insert((&one.name, one.digest)));
    uses
}
