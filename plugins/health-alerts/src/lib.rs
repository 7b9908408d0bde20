//! A health check that asks an Alertmanager: no alert may fire that matches, and a watchdog must.
//!
//! An Alertmanager without alerts says the same as one that nobody tells anything; an alert that always fires, the watchdog, tells the two
//! apart. What cannot be asked or read is an error, never healthy; the table in `README.md` has each case.

mod ask;
mod judge;
mod matcher;
mod settings;

pub use matcher::Matcher;
pub use settings::{Settings, Since};
use towpath_sdk::health::Subject;
use towpath_sdk::helpers::placeholders::{Placeholders, UnknownName};
use towpath_sdk::prelude::*;

/// The check.
pub struct HealthAlerts;

impl HealthCheck for HealthAlerts {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        if let Err(sentence) = look.settings.check() {
            return Assessment::error(sentence);
        }
        let Some(candidate) = &look.subjects.candidate else {
            return Assessment::inconclusive("there is no candidate whose alerts could be judged");
        };
        match filters(look, candidate) {
            Ok(filters) => judge::judge(look, &filters),
            Err(UnknownName(name)) if ["release", "label", "endpoint"].contains(&name.as_str()) => {
                Assessment::inconclusive(format!("the candidate has no {name}, which ${name} in matchers stands for"))
            }
            Err(unknown) => Assessment::error(unknown.to_string()),
        }
    }
}

/// Returns the filters of the question: the matchers, and the severities as one more.
fn filters(look: &Look<Settings>, candidate: &Subject) -> Result<Vec<String>, UnknownName> {
    let Settings { matchers, severities, severity_label, .. } = &look.settings;
    let known = Placeholders::of(&look.context).on(Side::Candidate, candidate);
    let mut filters = matchers.iter().map(|matcher| matcher.filter(|name| known.value(name))).collect::<Result<Vec<_>, _>>()?;
    if !severities.is_empty() {
        filters.push(matcher::one_of(severity_label, severities));
    }
    Ok(filters)
}

towpath_sdk::export_health_check!(HealthAlerts);

#[cfg(test)]
mod tests;
