//! Watches: how long, by whom, how closely, and what their looks lead to.

use model::{Check, CheckRole, Millis, PluginUse, UnhealthyAction, WatchSpec};

use super::input::PluginKind;
use super::resolver::Resolver;
use crate::rules::health::{self, HealthRule, PaceRule};
use crate::rules::strategy::{self, LengthRule, WatchRule};
use crate::text::diagnostic::Diagnostic;
use crate::text::reader::Setting;
use crate::text::units::Spelled;

/// How often a check looks where the path does not say; never less than five times in a watch.
const EVERY: Millis = Millis::seconds(10);

/// Into how many looks a short watch is cut where the path does not say.
const LOOKS_IN_A_SHORT_WATCH: u64 = 5;

/// How many unhealthy looks in a row decide where the path does not say: one may be chance.
const FAILURES: u32 = 2;

/// How many looks in a row may end in an error where the path does not say.
const ERRORS: u32 = 3;

/// How closely a watch looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scrutiny {
    Usual,
    /// As `first` says, where a check has it.
    First,
}

/// The watch over the first share of the callers that meets the candidate.
pub(crate) struct FirstWatch {
    pub(crate) spec: WatchSpec,
    /// The plugins that look more closely here than later.
    closer: Vec<String>,
}

impl FirstWatch {
    /// Returns a watch's reason, with what is special about this one.
    pub(crate) fn reason(&self, reason: String) -> String {
        match self.closer.as_slice() {
            [] => reason,
            closer => format!("{reason}; it is the first share, watched more closely by {}", closer.join(", ")),
        }
    }
}

/// How long a watch lasts.
#[derive(Clone, Copy)]
struct Length {
    at_least: Millis,
    at_most: Millis,
    until_decided: bool,
}

impl Length {
    /// Says when it may be over, for a check that would come too late.
    fn said(self) -> String {
        match self.until_decided {
            true => format!("the watch may be over after {}", self.at_least),
            false => format!("the watch lasts {}", self.at_least),
        }
    }
}

impl Resolver<'_> {
    /// Returns what a watch asks of whom. `None`, with a diagnostic, when it cannot be made.
    pub(crate) fn watch(&mut self, rule: &WatchRule, on_unhealthy: UnhealthyAction) -> Option<WatchSpec> {
        self.watched(rule, on_unhealthy, Scrutiny::Usual)
    }

    /// Returns what the watch over the first share asks of whom; `usual` is what it would ask otherwise.
    pub(crate) fn first_watch(&mut self, rule: &WatchRule, usual: &WatchSpec) -> Option<FirstWatch> {
        for (check, (_, span)) in self.input.path.rules.health.iter().filter_map(|check| Some((check, check.first.as_ref()?))) {
            if !rule.asks(&check.name) {
                let label = format!("the watch over the first share does not ask {}", check.name);
                self.refuse(*span, "nobody would be watched more closely", label);
            }
        }
        let spec = self.watched(rule, usual.on_unhealthy, Scrutiny::First)?;
        let closer = spec.checks.iter().zip(&usual.checks).filter(|(first, usual)| first != usual);
        let closer = closer.map(|(first, _)| first.health.name.clone()).collect();
        Some(FirstWatch { spec, closer })
    }

    /// Refuses what would be watched more closely in a first share that never comes.
    pub(crate) fn no_first_share(&mut self, why: &str) {
        for (_, span) in self.input.path.rules.health.iter().filter_map(|check| check.first.as_ref()) {
            self.refuse(*span, health::NO_FIRST_SHARE, why);
        }
    }

    fn watched(&mut self, rule: &WatchRule, on_unhealthy: UnhealthyAction, scrutiny: Scrutiny) -> Option<WatchSpec> {
        let length = self.length(&rule.length)?;
        let path = self.input.path;
        let (mut checks, mut names) = (Vec::new(), Vec::new());
        for check in path.rules.health.iter().filter(|check| rule.asks(&check.name)) {
            if self.applies(check.when.as_ref()) {
                let health = self.plugin(&check.uses, &path.source, PluginKind::Health)?;
                checks.push(self.check(check, health, length, scrutiny));
                names.push(check.name.as_str());
            }
        }
        if checks.is_empty() {
            let label = "each one's condition is false, or none is named";
            self.refuse(rule.span, "no health check watches here", label);
            return None;
        }
        if !checks.iter().any(|check| check.role.decides()) {
            let found = Diagnostic::at(&path.source, rule.span, health::ONLY_DRY_RUNS);
            self.found.push(found.label(health::dry_label(&names)).hint(health::DRY_HINT));
            return None;
        }
        let Length { at_least: duration, at_most, until_decided } = length;
        let patience = match until_decided {
            true => Millis(at_most.0.saturating_sub(duration.0)),
            false => self.setting(path.rules.patience.as_ref(), duration),
        };
        let on_inconclusive = path.rules.on_inconclusive;
        Some(WatchSpec { duration, checks, on_unhealthy, on_inconclusive, patience, until_decided })
    }

    fn length(&mut self, rule: &LengthRule) -> Option<Length> {
        let (shortest, at_most) = match rule {
            LengthRule::Fixed(duration) => (duration, None),
            LengthRule::UntilDecided { at_least, at_most } => (at_least, Some(at_most)),
        };
        let at_least = self.value(shortest)?;
        if at_least == Millis(0) {
            self.refuse_setting(shortest, "a watch must last", "expected more than 0s, found 0s");
            return None;
        }
        let Some(setting) = at_most else { return Some(Length { at_least, at_most: at_least, until_decided: false }) };
        let at_most = self.value(setting)?;
        if let Some(label) = strategy::too_short(at_least, at_most) {
            self.refuse_setting(setting, strategy::NO_TIME_TO_DECIDE, label);
            return None;
        }
        Some(Length { at_least, at_most, until_decided: true })
    }

    fn check(&mut self, rule: &HealthRule, health: PluginUse, length: Length, scrutiny: Scrutiny) -> Check {
        let role = self.role(rule);
        let first = rule.first.as_ref().map(|(first, _)| first).filter(|_| scrutiny == Scrutiny::First);
        let interval = self.interval(rule, length);
        let interval = self.stricter(interval, first.and_then(|first| first.every.as_ref()));
        let failures_to_decide = self.setting(rule.pace.failures.as_ref(), FAILURES);
        let failures_to_decide = self.stricter(failures_to_decide, first.and_then(|first| first.failures.as_ref()));
        let errors_tolerated = self.setting(rule.pace.errors.as_ref(), ERRORS);
        let errors_tolerated = self.stricter(errors_tolerated, first.and_then(|first| first.errors.as_ref()));
        self.pace_makes_sense(&rule.pace, role);
        if let Some((first, _)) = &rule.first {
            self.pace_makes_sense(first, role);
        }
        let failures_to_decide = if role == CheckRole::Critical { 1 } else { failures_to_decide };
        let start_after = self.start_after(rule, length);
        Check { health, interval, failures_to_decide, errors_tolerated, role, start_after }
    }

    fn role(&mut self, rule: &HealthRule) -> CheckRole {
        let dry_run = self.setting(rule.dry_run.as_ref(), false);
        let critical = self.setting(rule.critical.as_ref(), false);
        match (dry_run, critical, &rule.critical) {
            (true, true, Some(setting)) => {
                self.refuse_setting(setting, health::TWO_ROLES, health::TWO_ROLES_LABEL);
                CheckRole::Deciding
            }
            (true, _, _) => CheckRole::DryRun,
            (false, true, _) => CheckRole::Critical,
            (false, false, _) => CheckRole::Deciding,
        }
    }

    fn interval(&mut self, rule: &HealthRule, length: Length) -> Millis {
        let short = Millis((length.at_least.0 / LOOKS_IN_A_SHORT_WATCH).max(1));
        let interval = self.setting(rule.pace.every.as_ref(), EVERY.min(short));
        if let Some(every) = rule.pace.every.as_ref().filter(|_| interval > length.at_least) {
            let label = format!("looks every {interval}, {}", length.said());
            self.refuse_setting(every, "the check would not look during a watch", label);
        }
        interval
    }

    /// Returns the smaller of the usual value and that of `first`, which can only make it stricter.
    fn stricter<T: Spelled + Ord + Clone>(&mut self, usual: T, first: Option<&Setting<T>>) -> T {
        match first.and_then(|setting| self.value(setting)) {
            Some(first) => first.min(usual),
            None => usual,
        }
    }

    fn pace_makes_sense(&mut self, pace: &PaceRule, role: CheckRole) {
        if let Some(every) = &pace.every
            && self.value(every) == Some(Millis(0))
        {
            self.refuse_setting(every, "a check needs time between its looks", "expected more than 0s, found 0s");
        }
        let Some(setting) = &pace.failures else { return };
        match self.value(setting) {
            Some(0) => self.refuse_setting(setting, "a check decides by at least one look", "expected at least 1, found 0"),
            Some(count) if role == CheckRole::Critical => {
                if let Some(label) = health::more_than_one(count) {
                    self.refuse_setting(setting, health::ONE_LOOK, label);
                }
            }
            Some(_) | None => {}
        }
    }

    fn start_after(&mut self, rule: &HealthRule, length: Length) -> Millis {
        let start_after = self.setting(rule.start_after.as_ref(), Millis(0));
        if let Some(setting) = rule.start_after.as_ref().filter(|_| start_after >= length.at_least) {
            let label = format!("starts after {start_after}, {}", length.said());
            self.refuse_setting(setting, "the check would start when the watch is over", label);
        }
        start_after
    }
}
