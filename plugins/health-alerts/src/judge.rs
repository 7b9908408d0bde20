//! From alerts to a verdict.

use towpath_sdk::helpers::text::clean;
use towpath_sdk::powers::clock;
use towpath_sdk::prelude::*;

use crate::ask::{Alert, Answer, alerts};
use crate::matcher;
use crate::settings::{Settings, Since};

/// Alerts that a sentence names; of the others it tells the number.
const NAMED_MAX: usize = 3;

/// How much of the matchers stands in a sentence, in characters.
const MATCHERS_SHOWN_MAX: usize = 160;

/// What a clock that is read to the second can be off by, in milliseconds.
const SECOND_MS: i64 = 1_000;

/// Asks and judges. An alert that fires is certain; whether one would fire is asked only where none does.
pub(crate) fn judge(look: &Look<Settings>, filters: &[String]) -> Assessment {
    let answer = match alerts(look, filters) {
        Ok(answer) => answer,
        Err(sentence) => return Assessment::error(sentence),
    };
    let skew_ms = answer.date_ms.map(|date_ms| date_ms - clock::now_ms());
    let skew_max = i64::from(look.settings.clock_skew_ms_max);
    let earliest = look.window.started_ms.saturating_sub(skew_max);
    let (count, before): (Vec<&Alert>, Vec<&Alert>) =
        answer.alerts.iter().partition(|alert| look.settings.since == Since::Any || alert.starts_ms >= earliest);
    let measured = measurements(look, &answer, count.len(), before.len(), skew_ms);
    // Where no alert is old or new, nobody's clock matters.
    let unsure = skew_ms.filter(|skew_ms| skew_ms.abs() > skew_max + SECOND_MS && !answer.alerts.is_empty());
    if let (Some(skew_ms), Since::Watch) = (unsure, look.settings.since) {
        let ahead = if skew_ms > 0 { "ahead of" } else { "behind" };
        let sentence = format!(
            "the Alertmanager's clock is {} s {ahead} ours, at most {} s may be: which of {} began in the watch is not known",
            skew_ms.abs() / 1_000,
            skew_max / 1_000,
            counted(answer.alerts.len())
        );
        return Assessment::inconclusive(sentence).measured(measured);
    }
    if !count.is_empty() {
        let sentence = format!("{} that match, 0 may: {}", firing(count.len()), named(look, &count));
        return Assessment::unhealthy(sentence).measured(measured);
    }
    let old = match before.len() {
        0 => String::new(),
        number => format!("; {number} that began before the watch do not count"),
    };
    let quiet = format!("0 alerts fire that match {}, 0 may{old}", clean(&filters.join(", "), MATCHERS_SHOWN_MAX));
    let Some(name) = &look.settings.watchdog else { return Assessment::healthy(quiet).measured(measured) };
    watched(look, name, &quiet).measured(measured)
}

/// Returns the verdict of an Alertmanager without alerts that count: healthy where the watchdog fires.
fn watched(look: &Look<Settings>, name: &str, quiet: &str) -> Assessment {
    let answer = match alerts(look, &[matcher::is("alertname", name)]) {
        Ok(answer) => answer,
        Err(sentence) => return Assessment::error(sentence),
    };
    let shown = clean(name, 60);
    let Some(updated_ms) = answer.alerts.iter().map(|alert| alert.updated_ms).max() else {
        let sentence = format!("0 alerts {shown:?} fire, 1 is expected always to: nobody would tell us of another");
        return Assessment::inconclusive(sentence);
    };
    // Both times are the Alertmanager's own, where it says its own.
    let age_ms = answer.date_ms.unwrap_or_else(clock::now_ms).saturating_sub(updated_ms).max(0);
    let age_max = look.settings.watchdog_age_ms_max;
    // An age of millions of years loses its last digits.
    let measured =
        Measurement::new("watchdog-age", age_ms as f64, "ms").against(f64::from(age_max)).of_samples(answer.alerts.len() as u64);
    let assessment = if age_ms > i64::from(age_max) {
        let (age, max) = (age_ms / 1_000, age_max / 1_000);
        Assessment::inconclusive(format!(
            "{shown:?} was last heard of {age} s ago, at most {max} s ago may be: nobody would tell us of another"
        ))
    } else {
        Assessment::healthy(format!("{quiet}; {shown:?} fires, as it always must"))
    };
    assessment.measured([measured])
}

fn measurements(look: &Look<Settings>, answer: &Answer, count: usize, before: usize, skew_ms: Option<i64>) -> Vec<Measurement> {
    // Who asks for the candidate's alerts alone has measured on its side.
    let is_candidates = look.settings.matchers.iter().any(|matcher| matcher.names("release") || matcher.names("label"));
    let placed = |measured: Measurement| if is_candidates { measured.on(Side::Candidate) } else { measured };
    let firing = Measurement::new("alerts-firing", count as f64, "1").against(0.0).of_samples(answer.alerts.len() as u64);
    let before = Measurement::new("alerts-from-before", before as f64, "1").of_samples(answer.alerts.len() as u64);
    let max = f64::from(look.settings.clock_skew_ms_max);
    let skew = skew_ms.map(|skew_ms| Measurement::new("clock-skew", skew_ms.abs() as f64, "ms").against(max));
    [placed(firing), placed(before)].into_iter().chain(skew).collect()
}

fn named(look: &Look<Settings>, alerts: &[&Alert]) -> String {
    let name = |alert: &&Alert| {
        let severity = alert.labels.get(&look.settings.severity_label);
        let severity = severity.map_or_else(String::new, |severity| format!(" ({})", clean(severity, 20)));
        format!("{}{severity} since {}", alert.name, clean(&alert.since, 40))
    };
    let mut names: Vec<_> = alerts.iter().take(NAMED_MAX).map(name).collect();
    if alerts.len() > NAMED_MAX {
        names.push(format!("and {} more", alerts.len() - NAMED_MAX));
    }
    names.join(", ")
}

fn firing(count: usize) -> String {
    format!("{} {}", counted(count), if count == 1 { "fires" } else { "fire" })
}

fn counted(count: usize) -> String {
    format!("{count} alert{}", if count == 1 { "" } else { "s" })
}
