//! The check of alerts through the sandbox, against a real Alertmanager.

use std::time::Duration;

use plugin_host::{Assessment, Grants, HealthVerdict, Plugin, Subject, Subjects, Window};
use serde_json::{Value, json};
use test_observability::Alertmanager;

use crate::bundled::plugin;
use crate::fixture::{PATIENCE, context, may_get};

/// Looks before a test gives up: a minute, for a busy machine.
const LOOKS_MAX: u32 = 600;

/// A check of the alerts of a service, as an operator granted it.
struct Check {
    plugin: Plugin,
    grants: Grants,
    settings: Value,
    window: Window,
}

impl Check {
    fn of(alertmanager: &Alertmanager) -> Self {
        let matchers = json!(["service=\"$service\"", "release=~\"$label|all\"", "team!=\"data\"", "job!~\"batch.*\""]);
        Self {
            plugin: plugin("health-alerts"),
            grants: may_get(alertmanager.address().port(), "/api/v2/alerts"),
            settings: json!({ "alertmanager": alertmanager.url(), "matchers": matchers, "severities": ["page", "critical"], "watchdog": "Watchdog" }),
            window: Window { started_ms: now_ms() - 60_000, ends_ms: now_ms() + 60_000 },
        }
    }

    async fn assess(&self) -> Assessment {
        // A label that is a regular expression to those who do not escape it.
        let candidate = Subject { release: "r-2".to_owned(), label: "v2.0+b|.*".to_owned(), ..Subject::default() };
        let subjects = Subjects { candidate: Some(candidate), ..Subjects::default() };
        let context = context(&self.settings.to_string(), PATIENCE);
        self.plugin.assess(&context, &subjects, &self.window, &self.grants).await.expect("an answer").answer
    }

    /// Looks until the verdict is this one: what was told to an Alertmanager takes a moment.
    async fn until(&self, verdict: HealthVerdict) -> String {
        let mut last = String::new();
        for _ in 0..LOOKS_MAX {
            let found = self.assess().await;
            if found.verdict == verdict {
                return found.sentence;
            }
            last = found.sentence;
            tokio::time::sleep(Duration::from_millis(100)).await; // tidy: between two looks at the condition
        }
        panic!("{verdict:?} was not found, but: {last}");
    }
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The labels of an alert that matches.
const ERRORS: [(&str, &str); 4] =
    [("alertname", "ErrorsHigh"), ("service", "web"), ("release", "v2.0+b|.*"), ("severity", "page")];

#[tokio::test]
async fn alerts_that_match_are_unhealthy_while_they_fire_and_nobody_silenced_them() {
    let alertmanager = Alertmanager::start();
    let check = Check::of(&alertmanager);
    let silent = "0 alerts \"Watchdog\" fire, 1 is expected always to: nobody would tell us of another";
    assert_eq!(check.until(HealthVerdict::Inconclusive).await, silent);
    alertmanager.fire(&[("alertname", "Watchdog")]);
    let quiet = check.until(HealthVerdict::Healthy).await;
    assert!(quiet.ends_with("; \"Watchdog\" fires, as it always must"), "{quiet}");
    // Of another service, another release, another severity, another team, another job.
    let all = [("alertname", "Other"), ("service", "web"), ("release", "all"), ("severity", "page")];
    for place in 1..4 {
        let mut labels = all;
        labels[place].1 = "elsewhere";
        alertmanager.fire(&labels);
    }
    alertmanager.fire(&[all.as_slice(), &[("team", "data")]].concat());
    alertmanager.fire(&[all.as_slice(), &[("job", "batch-7")]].concat());
    assert_eq!(check.assess().await.sentence, quiet);
    alertmanager.fire(&ERRORS);
    let firing = check.until(HealthVerdict::Unhealthy).await;
    assert!(firing.starts_with("1 alert fires that match, 0 may: ErrorsHigh (page) since 20"), "{firing}");
    alertmanager.silence(&[("alertname", "ErrorsHigh")]);
    check.until(HealthVerdict::Healthy).await;
    alertmanager.fire(&all);
    let firing = check.until(HealthVerdict::Unhealthy).await;
    assert!(firing.contains("Other (page)"), "{firing}");
    alertmanager.resolve(&all);
    check.until(HealthVerdict::Healthy).await;
}

#[tokio::test]
async fn what_fired_before_the_watch_is_not_the_candidates() {
    let alertmanager = Alertmanager::start();
    alertmanager.fire(&[("alertname", "Watchdog")]);
    alertmanager.fire(&ERRORS);
    let mut check = Check::of(&alertmanager);
    check.window.started_ms = now_ms() + 60_000;
    let old = check.until(HealthVerdict::Healthy).await;
    assert!(old.contains("1 that began before the watch do not count"), "{old}");
    check.settings["since"] = json!("any");
    check.until(HealthVerdict::Unhealthy).await;
}

#[tokio::test]
async fn an_alertmanager_that_refuses_hangs_or_is_gone_is_an_error() {
    let mut alertmanager = Alertmanager::start();
    alertmanager.fire(&[("alertname", "Watchdog")]);
    let mut check = Check::of(&alertmanager);
    check.settings["timeoutMs"] = json!(1_000);
    check.until(HealthVerdict::Healthy).await;
    let matchers = std::mem::replace(&mut check.settings["matchers"], json!(["service=~\"(\""]));
    let refused = check.until(HealthVerdict::Error).await;
    assert!(refused.starts_with("the Alertmanager answered with status 400, expected 200: application/json"), "{refused}");
    check.settings["matchers"] = matchers;
    alertmanager.pause();
    assert_eq!(check.until(HealthVerdict::Error).await, "the Alertmanager cannot be asked: no answer in time");
    alertmanager.kill();
    let gone = check.until(HealthVerdict::Error).await;
    assert!(gone.starts_with("the Alertmanager cannot be asked: no connection"), "{gone}");
}
