//! A watch in words: how long, by whom, what it leads to, and what each check's looks decide.

use model::{Check, CheckRole, InconclusiveAction, Millis, UnhealthyAction, WatchSpec};

/// Returns what a watch does and what it waits for. `leads_back` says whether there is a way back from it.
pub(crate) fn words(spec: &WatchSpec, leads_back: bool) -> (String, String) {
    let names: Vec<String> = spec.checks.iter().map(named).collect();
    let (by, leads_to) = (names.join(", "), leads_to(spec, leads_back));
    let all_decide = spec.checks.iter().all(|check| check.role.decides());
    let who = if all_decide { "every check" } else { "every check that decides" };
    match spec.until_decided {
        true => {
            let does = format!("watch until decided, {} to {}, by {by}; {leads_to}", spec.duration, spec.longest());
            (does, format!("{who} to find it healthy, after {} or later", spec.duration))
        }
        false => (format!("watch {} by {by}; {leads_to}", spec.duration), format!("{who} to find it healthy at the end")),
    }
}

fn named(check: &Check) -> String {
    let name = &check.health.name;
    match check.role {
        CheckRole::Deciding => name.clone(),
        CheckRole::Critical => format!("{name} (critical)"),
        CheckRole::DryRun => format!("{name} (dry run)"),
    }
}

/// Returns what the verdicts lead to. That a watch pauses when nobody could decide goes without saying.
fn leads_to(spec: &WatchSpec, leads_back: bool) -> &'static str {
    let unhealthy = spec.on_unhealthy == UnhealthyAction::GoBack && leads_back;
    let undecided = spec.on_inconclusive == InconclusiveAction::GoBack && leads_back;
    let critical = spec.checks.iter().any(|check| check.role == CheckRole::Critical) && leads_back;
    match (unhealthy, undecided, critical) {
        (true, true, _) => "go back when unhealthy or undecided",
        (true, false, _) => "go back when unhealthy",
        (false, true, true) => "pause when unhealthy, go back when a critical check finds it so, or when undecided",
        (false, true, false) => "pause when unhealthy, go back when undecided",
        (false, false, true) => "pause when unhealthy, go back when a critical check finds it so",
        (false, false, false) => "pause when unhealthy",
    }
}

/// Returns a line for each check: how often it looks, and what its looks decide.
pub(crate) fn looks(spec: &WatchSpec, leads_back: bool) -> Vec<String> {
    spec.checks.iter().map(|check| format!("{} {}; {}", named(check), pace(check), decides(check, leads_back))).collect()
}

fn pace(check: &Check) -> String {
    match check.start_after {
        Millis(0) => format!("every {}", check.interval),
        after => format!("first after {after}, then every {}", check.interval),
    }
}

fn decides(check: &Check, leads_back: bool) -> String {
    let errors = check.errors_tolerated.saturating_add(1);
    let of_critical = |does: &str| match errors {
        1 => format!("one unhealthy look {does} at once, one error leaves it undecided"),
        _ => format!("one unhealthy look {does} at once, {errors} errors in a row leave it undecided"),
    };
    match (check.role, check.failures_to_decide.max(1), errors) {
        (CheckRole::DryRun, _, _) => "decides nothing".to_owned(),
        (CheckRole::Critical, _, _) if leads_back => of_critical("goes back"),
        (CheckRole::Critical, _, _) => of_critical("pauses"),
        (CheckRole::Deciding, 1, 1) => "one unhealthy look decides, one error leaves it undecided".to_owned(),
        (CheckRole::Deciding, 1, _) => format!("one unhealthy look decides, {errors} errors in a row leave it undecided"),
        (CheckRole::Deciding, count, 1) => format!("{count} unhealthy looks in a row decide, one error leaves it undecided"),
        (CheckRole::Deciding, count, _) => {
            format!("{count} unhealthy looks in a row decide, {errors} errors in a row leave it undecided")
        }
    }
}
