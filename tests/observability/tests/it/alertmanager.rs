//! A real Alertmanager: alerts that fire, are silenced and end.

use serde_json::Value;
use test_observability::{Alertmanager, until};

/// The states of all alerts, or none that is unprocessed.
fn states(alertmanager: &Alertmanager) -> Vec<String> {
    let state = |alert: &Value| alert["status"]["state"].as_str().unwrap().to_owned();
    alertmanager.alerts().iter().map(state).collect()
}

#[test]
fn alerts_fire_are_silenced_and_end() {
    let alertmanager = Alertmanager::start();
    assert_eq!(alertmanager.alerts(), Vec::<Value>::new());
    let labels = [("alertname", "ErrorsHigh"), ("service", "web"), ("side", "candidate")];
    alertmanager.fire(&labels);
    until("the alert is active", || (states(&alertmanager) == ["active"]).then_some(()));
    assert_eq!(alertmanager.alerts()[0]["labels"]["service"], "web");
    let silence = alertmanager.silence(&[("service", "web")]);
    until("the alert is silenced", || (states(&alertmanager) == ["suppressed"]).then_some(()));
    alertmanager.expire(&silence);
    until("the alert is active again", || (states(&alertmanager) == ["active"]).then_some(()));
    alertmanager.resolve(&labels);
    until("the alert is over", || states(&alertmanager).is_empty().then_some(()));
}
