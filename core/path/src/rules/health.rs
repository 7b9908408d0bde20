//! Health checks: who is asked while the candidate takes traffic, how often, and what the looks lead to.

use std::collections::HashSet;

use model::Millis;

use super::golden_path::SoakRule;
use super::plugins::{self, UseRule};
use super::strategy::{StrategyRule, WatchRule};
use crate::expression::Expression;
use crate::text::node::Node;
use crate::text::reader::{Fields, Reader, Setting};
use crate::text::source::Span;

const KNOWN: [&str; 11] =
    ["use", "with", "name", "when", "every", "failures", "errors", "startAfter", "dryRun", "critical", "first"];

/// A health check.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct HealthRule {
    pub(crate) name: String,
    pub(crate) uses: UseRule,
    pub(crate) when: Option<Expression>,
    pub(crate) pace: PaceRule,
    /// How long after a watch's beginning it is asked first.
    pub(crate) start_after: Option<Setting<Millis>>,
    /// Whether it decides nothing.
    pub(crate) dry_run: Option<Setting<bool>>,
    /// Whether one unhealthy look leads back at once.
    pub(crate) critical: Option<Setting<bool>>,
    /// What holds instead while the first share of the callers meets the candidate, and where that is said.
    pub(crate) first: Option<(PaceRule, Span)>,
}

/// How often a check looks, and how many looks decide.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PaceRule {
    pub(crate) every: Option<Setting<Millis>>,
    pub(crate) failures: Option<Setting<u32>>,
    pub(crate) errors: Option<Setting<u32>>,
}

/// Reads the health checks.
pub(crate) fn health(reader: &mut Reader<'_>, node: Option<&Node>) -> Vec<HealthRule> {
    let items = node.and_then(|node| reader.items(node, "health")).unwrap_or_default();
    let mut names = HashSet::new();
    items.iter().filter_map(|item| one(reader, item, &mut names)).collect()
}

fn one(reader: &mut Reader<'_>, item: &Node, names: &mut HashSet<String>) -> Option<HealthRule> {
    let fields = reader.fields(item, "a health check", &KNOWN)?;
    let uses = plugins::uses(reader, &fields, true);
    let when = fields.get("when").and_then(|node| reader.condition(node, "when"));
    let pace = pace(reader, &fields);
    let start_after = reader.setting_of(&fields, "startAfter", "startAfter");
    let dry_run = reader.setting_of(&fields, "dryRun", "dryRun");
    let critical = reader.setting_of(&fields, "critical", "critical");
    let first = fields.get("first").and_then(|node| first(reader, node));
    let uses = uses?;
    let name = plugins::unique_name(reader, &fields, &uses, names, "health checks")?;
    let rule = HealthRule { name, uses, when, pace, start_after, dry_run, critical, first };
    contradictions(reader, &rule);
    Some(rule)
}

fn pace(reader: &mut Reader<'_>, fields: &Fields<'_>) -> PaceRule {
    PaceRule {
        every: reader.setting_of(fields, "every", "every"),
        failures: reader.setting_of(fields, "failures", "failures"),
        errors: reader.setting_of(fields, "errors", "errors"),
    }
}

fn first(reader: &mut Reader<'_>, node: &Node) -> Option<(PaceRule, Span)> {
    let fields = reader.fields(node, "first", &["every", "failures", "errors"])?;
    if node.entries().is_empty() {
        reader.expected(node, "first", "at least one of every, failures, errors");
    }
    Some((pace(reader, &fields), node.span))
}

/// Reports what does not go together as far as it is written down; computed values are compared when they are known.
fn contradictions(reader: &mut Reader<'_>, rule: &HealthRule) {
    if let (Some(Setting::Known(true, _)), Some(Setting::Known(true, span))) = (&rule.dry_run, &rule.critical) {
        let found = reader.at(*span, TWO_ROLES).label(TWO_ROLES_LABEL);
        reader.push(found);
    }
    let first = rule.first.as_ref().map(|(first, _)| first);
    if let Some(Setting::Known(true, _)) = rule.critical {
        let failures = [rule.pace.failures.as_ref(), first.and_then(|first| first.failures.as_ref())];
        for failures in failures.into_iter().flatten() {
            if let Setting::Known(count, span) = failures
                && let Some(label) = more_than_one(*count)
            {
                let found = reader.at(*span, ONE_LOOK).label(label);
                reader.push(found);
            }
        }
    }
    let Some(first) = first else { return };
    laxer(reader, "every", rule.pace.every.as_ref(), first.every.as_ref());
    laxer(reader, "failures", rule.pace.failures.as_ref(), first.failures.as_ref());
    laxer(reader, "errors", rule.pace.errors.as_ref(), first.errors.as_ref());
}

pub(crate) const TWO_ROLES: &str = "a critical check decides, a dry run does not";
pub(crate) const TWO_ROLES_LABEL: &str = "expected one of critical and dryRun, found both";
pub(crate) const ONE_LOOK: &str = "one unhealthy look of a critical check decides";

/// Returns what is wrong with a number of failures beside `critical`.
pub(crate) fn more_than_one(failures: u32) -> Option<String> {
    (failures > 1).then(|| format!("expected 1 or nothing beside critical, found {failures}"))
}

fn laxer<T: PartialOrd + std::fmt::Display>(
    reader: &mut Reader<'_>,
    key: &str,
    usual: Option<&Setting<T>>,
    first: Option<&Setting<T>>,
) {
    if let (Some(Setting::Known(usual, _)), Some(Setting::Known(first, span))) = (usual, first)
        && first > usual
    {
        let found = reader.at(*span, "the first share is to be watched more closely");
        reader.push(found.label(format!("expected {key} of at most {usual}, as later, found {first}")));
    }
}

/// Reports what watches cannot do with the checks that they have, as far as it is written down.
pub(crate) fn fit(reader: &mut Reader<'_>, strategy: &StrategyRule, soak: Option<&SoakRule>, health: &[HealthRule]) {
    let mut watches = strategy.watches();
    watches.extend(soak.map(|soak| &soak.watch));
    for watch in watches {
        decides(reader, watch, health);
    }
    if let Some(all_at_once) = strategy.without_first_share() {
        for (_, span) in health.iter().filter_map(|rule| rule.first.as_ref()) {
            let found = reader.at(*span, NO_FIRST_SHARE);
            reader
                .push(found.label(format!("{all_at_once} gives the candidate all traffic at once: expected canary or rolling")));
        }
    }
}

/// Reports a watch that only dry runs watch.
fn decides(reader: &mut Reader<'_>, watch: &WatchRule, health: &[HealthRule]) {
    let checks: Vec<&HealthRule> = health.iter().filter(|rule| watch.asks(&rule.name)).collect();
    let is = |setting: &Option<Setting<bool>>| matches!(setting, Some(Setting::Known(true, _)));
    // One that is to be both has been reported.
    if checks.iter().all(|rule| is(&rule.dry_run) && !is(&rule.critical)) && !checks.is_empty() {
        let names: Vec<&str> = checks.iter().map(|rule| rule.name.as_str()).collect();
        let found = reader.at(watch.span, ONLY_DRY_RUNS).label(dry_label(&names));
        reader.push(found.hint(DRY_HINT));
    }
}

pub(crate) const NO_FIRST_SHARE: &str = "there is no first share that could be watched more closely";
pub(crate) const ONLY_DRY_RUNS: &str = "only dry runs watch here";
pub(crate) const DRY_HINT: &str = "a watch that nobody decides would find everything healthy; add a check without dryRun";

/// Says who watches and decides nothing.
pub(crate) fn dry_label(names: &[&str]) -> String {
    format!("expected a check that decides, found {}", names.join(", "))
}
