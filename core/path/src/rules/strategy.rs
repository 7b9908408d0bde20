//! How a path moves traffic: `canary`, `blue-green`, `rolling`, `recreate`.

use model::{BasisPoints, MatchOn, Millis, Percent, Side, Sticky};

use super::health::HealthRule;
use crate::text::node::{Content, Node};
use crate::text::reader::{Fields, Reader, Setting};
use crate::text::source::Span;
use crate::text::suggest::did_you_mean;

/// The strategies a file can name.
pub(crate) const STRATEGIES: [&str; 4] = ["canary", "blue-green", "rolling", "recreate"];

/// A strategy.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StrategyRule {
    Canary(CanaryRule),
    BlueGreen { preview: Option<WatchRule>, watch: WatchRule },
    Rolling { batches: BatchRule, watch: WatchRule },
    Recreate { watch: WatchRule },
}

/// A growing share of traffic.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CanaryRule {
    /// The capacity that the candidate has at least.
    pub(crate) capacity: Option<Setting<Percent>>,
    pub(crate) sticky: Option<(Sticky, Span)>,
    pub(crate) matches: Vec<(MatchOn, String, Side, Span)>,
    pub(crate) steps: Vec<CanaryStepRule>,
}

/// One weight of a canary.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CanaryStepRule {
    pub(crate) weight: Setting<BasisPoints>,
    pub(crate) capacity: Option<Setting<Percent>>,
    pub(crate) mirror: Option<Setting<BasisPoints>>,
    pub(crate) watch: WatchRule,
}

/// How the whole is cut.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BatchRule {
    Count(Setting<u32>),
    Share(Setting<Percent>),
}

/// A time of watching, and which checks watch: all of them where none is named.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WatchRule {
    pub(crate) length: LengthRule,
    pub(crate) span: Span,
    pub(crate) health: Option<Vec<(String, Span)>>,
}

/// How long a watch lasts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LengthRule {
    /// So long.
    Fixed(Setting<Millis>),
    /// Until every check that decides is satisfied, within these times.
    UntilDecided { at_least: Setting<Millis>, at_most: Setting<Millis> },
}

impl WatchRule {
    /// Returns whether it asks the check of that name.
    pub(crate) fn asks(&self, name: &str) -> bool {
        self.health.as_ref().is_none_or(|names| names.iter().any(|(named, _)| named == name))
    }
}

impl StrategyRule {
    /// Returns every watch, in the order of the file.
    pub(crate) fn watches(&self) -> Vec<&WatchRule> {
        match self {
            Self::Canary(rule) => rule.steps.iter().map(|step| &step.watch).collect(),
            Self::BlueGreen { preview, watch } => preview.iter().chain([watch]).collect(),
            Self::Rolling { watch, .. } | Self::Recreate { watch } => vec![watch],
        }
    }

    /// Returns the name of a strategy in which no small share of the callers is first to meet the candidate.
    pub(crate) fn without_first_share(&self) -> Option<&'static str> {
        match self {
            Self::Canary(_) | Self::Rolling { .. } => None,
            Self::BlueGreen { .. } => Some("blue-green"),
            Self::Recreate { .. } => Some("recreate"),
        }
    }
}

/// Reads `strategy`, and where it is named.
pub(crate) fn strategy(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<(StrategyRule, Span)> {
    let fields = reader.fields(node, "strategy", &STRATEGIES)?;
    let named: Vec<&str> = STRATEGIES.into_iter().filter(|name| fields.get(name).is_some()).collect();
    let [name] = named.as_slice() else {
        let label = format!("expected one of {}, found {}", STRATEGIES.join(", "), named.len());
        let found = reader.at(node.span, "a path has one strategy").label(label);
        reader.push(found);
        return None;
    };
    let entry = fields.entry(name)?;
    let rule = match *name {
        "canary" => canary(reader, &entry.value, health).map(StrategyRule::Canary),
        "blue-green" => blue_green(reader, &entry.value, health),
        "rolling" => rolling(reader, &entry.value, health),
        _ => recreate(reader, &entry.value, health),
    };
    Some((rule?, entry.key_span))
}

fn recreate(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<StrategyRule> {
    let fields = reader.fields(node, "recreate", &["watch", "health"])?;
    Some(StrategyRule::Recreate { watch: watch(reader, &fields, "watch", health)? })
}

fn canary(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<CanaryRule> {
    let fields = reader.fields(node, "canary", &["steps", "capacity", "sticky", "match"])?;
    let capacity = reader.setting_of(&fields, "capacity", "capacity");
    let sticky = fields.get("sticky").and_then(|node| sticky(reader, node));
    let matches = fields.get("match").and_then(|node| reader.items(node, "match")).unwrap_or_default();
    let matches: Vec<_> = matches.iter().filter_map(|node| one_match(reader, node)).collect();
    let node = reader.required(&fields, "steps", "[{ weight: 5%, watch: 5m }]")?;
    let items = reader.items(node, "steps")?;
    if items.is_empty() {
        let found = reader.at(node.span, "a canary has at least one step").label("expected [{ weight: 5%, watch: 5m }]");
        reader.push(found);
    }
    let read: Vec<_> = items.iter().map(|item| canary_step(reader, item, health)).collect();
    weights_increase(reader, &read, !matches.is_empty());
    let steps: Option<Vec<_>> = read.into_iter().collect();
    Some(CanaryRule { capacity, sticky, matches, steps: steps.filter(|steps| !steps.is_empty())? })
}

fn canary_step(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<CanaryStepRule> {
    let fields = reader.fields(node, "a step", &["weight", "watch", "capacity", "mirror", "health"])?;
    let weight = reader.required(&fields, "weight", "5%").and_then(|node| reader.setting(node, "weight"));
    let capacity = reader.setting_of(&fields, "capacity", "capacity");
    let mirror = reader.setting_of(&fields, "mirror", "mirror");
    let watch = watch(reader, &fields, "watch", health);
    Some(CanaryStepRule { weight: weight?, capacity, mirror, watch: watch? })
}

/// Reports weights that do not grow, as far as they are written down; computed ones are checked when they are known.
fn weights_increase(reader: &mut Reader<'_>, steps: &[Option<CanaryStepRule>], matches: bool) {
    let mut before: Option<BasisPoints> = None;
    for step in steps.iter().flatten() {
        let Setting::Known(weight, span) = &step.weight else { return };
        let mirrored = step.mirror.is_some() || matches;
        if let Some(message) = weight_fault(before, *weight, mirrored) {
            let found = reader.at(*span, message).label(weight_label(before, *weight));
            reader.push(found);
        }
        before = Some(*weight);
    }
}

/// Returns what is wrong with a weight behind another. A weight of zero makes sense only where requests come another way.
pub(crate) fn weight_fault(before: Option<BasisPoints>, weight: BasisPoints, other_way: bool) -> Option<&'static str> {
    match before {
        Some(before) if weight <= before => Some("the weights of a canary must grow"),
        None if weight == BasisPoints::NONE && !other_way => Some("a step without traffic watches nothing"),
        Some(_) | None => None,
    }
}

pub(crate) fn weight_label(before: Option<BasisPoints>, weight: BasisPoints) -> String {
    match before {
        Some(before) => format!("expected more than {before}, found {weight}"),
        None => format!("expected more than 0%, or mirror or match, found {weight}"),
    }
}

fn blue_green(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<StrategyRule> {
    let fields = reader.fields(node, "blue-green", &["preview", "watch", "health"])?;
    let preview = fields.get("preview").and_then(|node| {
        let fields = reader.fields(node, "preview", &["watch", "health"])?;
        watch(reader, &fields, "watch", health)
    });
    Some(StrategyRule::BlueGreen { preview, watch: watch(reader, &fields, "watch", health)? })
}

fn rolling(reader: &mut Reader<'_>, node: &Node, health: &[HealthRule]) -> Option<StrategyRule> {
    let fields = reader.fields(node, "rolling", &["batches", "batch", "watch", "health"])?;
    let watch = watch(reader, &fields, "watch", health);
    let batches = match (fields.get("batches"), fields.get("batch")) {
        (Some(node), None) => reader.setting(node, "batches").map(BatchRule::Count),
        (None, Some(node)) => reader.setting(node, "batch").map(BatchRule::Share),
        (None, None) => {
            reader.required(&fields, "batches", "4, or batch: 25%");
            None
        }
        (Some(_), Some(node)) => {
            let found = reader.at(node.span, "batches and batch exclude each other").label("expected one of the two");
            reader.push(found);
            None
        }
    };
    Some(StrategyRule::Rolling { batches: batches?, watch: watch? })
}

/// Reads a duration under `key`, or the two times of a watch until it is decided, and the `health` list beside it.
pub(crate) fn watch(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &'static str, health: &[HealthRule]) -> Option<WatchRule> {
    let node = reader.required(fields, key, "5m");
    let length = node.and_then(|node| length(reader, node, key));
    let named = fields.get("health").map(|node| reader.texts(node, "health"));
    for (name, span) in named.iter().flatten() {
        if health.iter().all(|rule| rule.name != *name) {
            let known = || health.iter().map(|rule| rule.name.as_str());
            let found = reader.at(*span, format!("unknown health check {name:?}"));
            let note = format!("known health checks: {}", known().collect::<Vec<_>>().join(", "));
            reader.push(found.note(note).hint_if(did_you_mean(name, known())));
        }
    }
    Some(WatchRule { length: length?, span: node?.span, health: named })
}

fn length(reader: &mut Reader<'_>, node: &Node, key: &'static str) -> Option<LengthRule> {
    let Content::Mapping(_) = node.content else { return reader.setting(node, key).map(LengthRule::Fixed) };
    let fields = reader.fields(node, "a watch until it is decided", &["atLeast", "atMost"])?;
    let at_least = reader.required(&fields, "atLeast", "30s").and_then(|node| reader.setting(node, "atLeast"));
    let at_most = reader.required(&fields, "atMost", "10m").and_then(|node| reader.setting(node, "atMost"));
    if let (Some(Setting::Known(at_least, _)), Some(Setting::Known(at_most, span))) = (&at_least, &at_most)
        && let Some(label) = too_short(*at_least, *at_most)
    {
        let found = reader.at(*span, NO_TIME_TO_DECIDE).label(label);
        reader.push(found);
    }
    Some(LengthRule::UntilDecided { at_least: at_least?, at_most: at_most? })
}

pub(crate) const NO_TIME_TO_DECIDE: &str = "there is no time to decide in";

/// Returns what is wrong with the two times of a watch until it is decided.
pub(crate) fn too_short(at_least: Millis, at_most: Millis) -> Option<String> {
    (at_most <= at_least).then(|| format!("expected more than atLeast, which is {at_least}, found {at_most}"))
}

fn sticky(reader: &mut Reader<'_>, node: &Node) -> Option<(Sticky, Span)> {
    let fields = reader.fields(node, "sticky", &["header", "cookie"])?;
    match part(reader, &fields, node)? {
        MatchOn::Header(name) => Some((Sticky::Header(name), node.span)),
        MatchOn::Cookie(name) => Some((Sticky::Cookie(name), node.span)),
    }
}

fn one_match(reader: &mut Reader<'_>, node: &Node) -> Option<(MatchOn, String, Side, Span)> {
    let fields = reader.fields(node, "a match", &["header", "cookie", "value", "side"])?;
    let on = part(reader, &fields, node);
    let value = reader.required(&fields, "value", "the value it must have");
    let value = value.and_then(|node| reader.text(node, "value").map(str::to_owned));
    let words = [("candidate", Side::Candidate), ("stable", Side::Stable)];
    let side = match fields.get("side") {
        Some(node) => reader.choice(node, "side", &words)?,
        None => Side::Candidate,
    };
    Some((on?, value?, side, node.span))
}

/// Reads the part of a request that is looked at: a header or a cookie.
fn part(reader: &mut Reader<'_>, fields: &Fields<'_>, node: &Node) -> Option<MatchOn> {
    match (fields.get("header"), fields.get("cookie")) {
        (Some(header), None) => Some(MatchOn::Header(reader.text(header, "header")?.to_owned())),
        (None, Some(cookie)) => Some(MatchOn::Cookie(reader.text(cookie, "cookie")?.to_owned())),
        (None, None) | (Some(_), Some(_)) => {
            reader.expected(node, "this", "either header: … or cookie: …");
            None
        }
    }
}
