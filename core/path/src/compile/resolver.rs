//! From rules with expressions to values: settings, conditions, plugins, watches.

use model::{Check, Millis, Percent, PluginUse, UnhealthyAction, WatchSpec};
use serde_json::Value;

use super::input::{CompileInput, PluginFacts, PluginKind};
use super::scope::{self, Scope};
use crate::expression::Expression;
use crate::plan::hash::canonical;
use crate::rules::plugins::{HealthRule, UseRule};
use crate::rules::policies::default_policies;
use crate::rules::strategy::WatchRule;
use crate::schema::{self, What};
use crate::template;
use crate::text::diagnostic::Diagnostic;
use crate::text::node::described;
use crate::text::reader::Setting;
use crate::text::source::{Place, Source, Span};
use crate::text::suggest::did_you_mean;
use crate::text::units::Spelled;

/// How often a check looks where the path does not say; never less than five times in a watch.
const EVERY: Millis = Millis::seconds(10);

/// Into how many looks a short watch is cut where the path does not say.
const LOOKS_IN_A_SHORT_WATCH: u64 = 5;

/// How many unhealthy looks in a row decide where the path does not say: one may be chance.
const FAILURES: u32 = 2;

/// How many looks in a row may end in an error where the path does not say.
const ERRORS: u32 = 3;

/// Resolves rules and gathers what cannot be resolved. A value that cannot is replaced by its default, so that the rest
/// is looked at as well; no plan is made from it.
pub(crate) struct Resolver<'a> {
    pub(crate) input: CompileInput<'a>,
    pub(crate) scope: &'a Scope,
    pub(crate) found: Vec<Diagnostic>,
}

/// A health check that applies, before it is known how long it watches.
struct Applied<'r> {
    rule: &'r HealthRule,
    health: PluginUse,
}

impl<'a> Resolver<'a> {
    fn source(&self) -> &'a Source {
        &self.input.path.source
    }

    pub(crate) fn refuse(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.found.push(Diagnostic::at(self.source(), span, message).label(label));
    }

    /// Refuses a setting where its value was written: an expression that only hands a parameter on is not at fault.
    pub(crate) fn refuse_setting<T>(&mut self, setting: &Setting<T>, message: &str, label: impl Into<String>) {
        let (place, note) = match setting {
            Setting::Known(_, span) => (self.source().place(*span), None),
            Setting::Computed(expression, _) => origin(&self.input, self.scope, expression, self.source()),
        };
        let found = Diagnostic { notes: note.into_iter().collect(), ..Diagnostic::placed(place, message) };
        self.found.push(found.label(label));
    }

    /// Returns a setting's value, or the default where it is absent.
    pub(crate) fn setting<T: Spelled + Clone>(&mut self, setting: Option<&Setting<T>>, default: T) -> T {
        setting.and_then(|setting| self.value(setting)).unwrap_or(default)
    }

    /// Returns a setting's value; `None`, with a diagnostic, when it has none.
    pub(crate) fn value<T: Spelled + Clone>(&mut self, setting: &Setting<T>) -> Option<T> {
        let (expression, what) = match setting {
            Setting::Known(value, _) => return Some(value.clone()),
            Setting::Computed(expression, what) => (expression, what),
        };
        match template::evaluated(expression, self.source(), &self.scope.variables) {
            Ok(value) => {
                let read = T::read(&value);
                if read.is_none() {
                    let label = format!("expected {}, found {}", T::EXPECTED, described(&value));
                    self.refuse_setting(setting, &format!("{what} does not fit"), label);
                }
                read
            }
            Err(fault) => {
                self.found.push(fault);
                None
            }
        }
    }

    /// Returns whether a rule applies; one without a condition does.
    pub(crate) fn applies(&mut self, when: Option<&Expression>) -> bool {
        let Some(expression) = when else { return true };
        match template::evaluated(expression, self.source(), &self.scope.variables) {
            Ok(Value::Bool(applies)) => applies,
            Ok(other) => {
                let label = format!("expected true or false, found {}", described(&other));
                self.refuse(expression.span, "a condition must be true or false", label);
                false
            }
            Err(fault) => {
                self.found.push(fault);
                false
            }
        }
    }

    /// Returns a plugin's use, its settings evaluated and checked against the plugin's own schema.
    pub(crate) fn plugin(&mut self, uses: &UseRule, source: &Source, kind: PluginKind) -> Option<PluginUse> {
        let facts = self.facts(uses, source, kind)?;
        let settings = match &uses.with {
            Some(node) => match template::evaluate(node, source, &self.scope.variables) {
                Ok(settings) => settings,
                Err(found) => {
                    self.found.extend(found);
                    return None;
                }
            },
            None => Value::Object(Default::default()),
        };
        // What has no schema as this kind checks its settings itself, at every call.
        let schema = facts.settings_schemas.iter().find(|(of, _)| *of == kind).map_or(&Value::Bool(true), |(_, schema)| schema);
        let validator = match schema::compile(schema) {
            Ok(validator) => validator,
            Err((_, words)) => {
                let message = format!("the plugin {:?} has a settings schema that cannot be used", uses.plugin);
                self.found.push(Diagnostic::at(source, uses.span, message).label(words));
                return None;
            }
        };
        let (input, scope) = (self.input, self.scope);
        let locate = |pointer: &str, key: Option<&str>| settings_place(&input, scope, uses, source, pointer, key);
        let of = format!(" of {}", uses.plugin);
        let what = What { one: "setting", of: &of };
        let found = schema::check(&validator, schema, &settings, what, &locate);
        let fits = found.is_empty();
        self.found.extend(found);
        fits.then(|| PluginUse { name: uses.plugin.clone(), digest: facts.digest, settings: canonical(&settings) })
    }

    fn facts(&mut self, uses: &UseRule, source: &Source, kind: PluginKind) -> Option<PluginFacts> {
        let Some(facts) = self.input.plugins.find(&uses.plugin) else {
            let mut names = self.input.plugins.names();
            names.sort();
            let found = Diagnostic::at(source, uses.span, format!("there is no plugin {:?}", uses.plugin));
            let hint = did_you_mean(&uses.plugin, names.iter().map(String::as_str));
            self.found.push(found.note(format!("known plugins: {}", names.join(", "))).hint_if(hint));
            return None;
        };
        if !facts.kinds.contains(&kind) {
            let kinds: Vec<&str> = facts.kinds.iter().map(|kind| kind.as_str()).collect();
            let message = format!("the plugin {:?} is no {}", uses.plugin, kind.as_str());
            self.found.push(Diagnostic::at(source, uses.span, message).label(format!("it is a {}", kinds.join(", "))));
            return None;
        }
        Some(facts)
    }

    /// Returns what a watch asks of whom. `None`, with a diagnostic, when it cannot be made.
    pub(crate) fn watch(&mut self, rule: &WatchRule, on_unhealthy: UnhealthyAction) -> Option<WatchSpec> {
        let duration = self.value(&rule.duration)?;
        if duration == Millis(0) {
            self.refuse_setting(&rule.duration, "a watch must last", "expected more than 0s, found 0s");
            return None;
        }
        let named = |check: &HealthRule| rule.health.as_ref().is_none_or(|names| names.iter().any(|(n, _)| *n == check.name));
        let path = self.input.path;
        let mut checks = Vec::new();
        for rule in path.rules.health.iter().filter(|rule| named(rule)) {
            if self.applies(rule.when.as_ref()) {
                let health = self.plugin(&rule.uses, &path.source, PluginKind::Health)?;
                checks.push(self.check(&Applied { rule, health }, duration));
            }
        }
        if checks.is_empty() {
            let label = "each one's condition is false, or none is named";
            self.refuse(rule.duration.span(), "no health check watches here", label);
            return None;
        }
        let patience = self.setting(path.rules.patience.as_ref(), duration);
        Some(WatchSpec { duration, checks, on_unhealthy, on_inconclusive: path.rules.on_inconclusive, patience })
    }

    fn check(&mut self, applied: &Applied<'_>, duration: Millis) -> Check {
        let rule = applied.rule;
        let short = Millis((duration.0 / LOOKS_IN_A_SHORT_WATCH).max(1));
        let interval = self.setting(rule.every.as_ref(), EVERY.min(short));
        if let Some(every) = rule.every.as_ref().filter(|_| interval > duration) {
            let label = format!("looks every {interval}, the watch lasts {duration}");
            self.refuse_setting(every, "the check would not look during a watch", label);
        }
        if let Some(every) = rule.every.as_ref().filter(|_| interval == Millis(0)) {
            self.refuse_setting(every, "a check needs time between its looks", "expected more than 0s, found 0s");
        }
        let failures_to_decide = self.setting(rule.failures.as_ref(), FAILURES);
        if let Some(failures) = rule.failures.as_ref().filter(|_| failures_to_decide == 0) {
            self.refuse_setting(failures, "a check decides by at least one look", "expected at least 1, found 0");
        }
        let errors_tolerated = self.setting(rule.errors.as_ref(), ERRORS);
        Check { health: applied.health.clone(), interval, failures_to_decide, errors_tolerated }
    }

    /// Returns what holds for the whole run.
    pub(crate) fn policies(&mut self) -> model::Policies {
        let (rules, default) = (&self.input.path.rules.policies, default_policies());
        model::Policies {
            supersede: rules.supersede.unwrap_or(default.supersede),
            queue_expires_after: self.setting(rules.queue_expires_after.as_ref(), default.queue_expires_after),
            pause_expires_after: self.setting(rules.pause_expires_after.as_ref(), default.pause_expires_after),
            way_back_deadline: self.setting(rules.way_back_deadline.as_ref(), default.way_back_deadline),
            attempts_max: self.setting(rules.attempts_max.as_ref(), default.attempts_max),
        }
    }

    /// Returns a capacity, at least `least`.
    pub(crate) fn capacity(&mut self, setting: Option<&Setting<Percent>>, least: Percent) -> Percent {
        self.setting(setting, least)
    }
}

/// Returns where a setting of a plugin stands: the deepest value that was written down.
fn settings_place(
    input: &CompileInput<'_>,
    scope: &Scope,
    uses: &UseRule,
    source: &Source,
    pointer: &str,
    key: Option<&str>,
) -> (Place, Option<String>) {
    let Some(with) = &uses.with else { return (source.place(uses.span), None) };
    let (node, _) = with.follow(pointer);
    if let Some(entry) = key.and_then(|key| node.entries().iter().find(|entry| entry.key == key)) {
        return (source.place(entry.key_span), None);
    }
    match template::expression(node, source) {
        Some(expression) => origin(input, scope, &expression, source),
        None => (source.place(node.span), None),
    }
}

/// Returns where the value of an expression was written. One that only hands a parameter on leads to the parameter, and to
/// a note that says where it is used.
fn origin(input: &CompileInput<'_>, scope: &Scope, expression: &Expression, source: &Source) -> (Place, Option<String>) {
    let used = source.place(expression.span);
    let name = expression.text.trim().strip_prefix("parameters.");
    let plain = name.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    match plain {
        Some(name) => {
            let note = format!("used as {} at {}:{}:{}", expression.text.trim(), used.file, used.line, used.column);
            (scope::place(input, &scope.given, &format!("/{name}"), None), Some(note))
        }
        None => (used, None),
    }
}
