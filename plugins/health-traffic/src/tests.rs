//! Verdicts over the counters of a scripted router.

use serde_json::{Value, json};
use towpath_sdk::HealthCheck;
use towpath_sdk::health::{Assessment, Look, Subject, Subjects, Verdict, Window};
use towpath_sdk::powers::runtime::Error;
use towpath_sdk::testing::conformance::{self, HealthCase};
use towpath_sdk::testing::{World, context, in_world};

use super::{HealthTraffic, Settings};

/// A router with these counters.
struct Router(Value);

impl World for Router {
    fn runtime_status(&mut self) -> Result<Option<String>, Error> {
        Ok(Some(json!({ "fence": 1, "counters": self.0 }).to_string()))
    }
}

/// The counters of a release: how many requests took up to 10 ms, up to 100 ms, and failed.
fn counters(release: &str, since: i64, fast: u64, slow: u64, errors: u64) -> Value {
    let count = fast + slow;
    json!({
        "release": release, "sinceUnixMs": since, "requests": count, "errors": errors, "spilled": 0,
        "latency": { "buckets": [{ "leMs": 10, "count": fast }, { "leMs": 100, "count": count }], "count": count, "sumMs": 1.0 }
    })
}

fn look(settings: &str, state: Option<Vec<u8>>) -> Look<Settings> {
    let subject = |release: &str| Subject { basis_points: 500, ..Subject::new(release) };
    let mut context = context(settings);
    context.state = state;
    Look {
        context,
        settings: serde_json::from_str(settings).expect("settings"),
        subjects: Subjects { stable: Some(subject("v1")), candidate: Some(subject("v2")), public_endpoint: None },
        window: Window { started_ms: 1_000, ends_ms: 61_000 },
    }
}

fn assess(settings: &str, state: Option<Vec<u8>>, stable: Value, candidate: Value) -> Assessment {
    let look = look(settings, state);
    in_world(Router(json!({ "stable": stable, "candidate": candidate, "unserved": 0 })), || HealthTraffic::assess(&look))
}

fn check(settings: &str, candidate: Value, verdict: Verdict, sentence: &str) {
    let found = assess(settings, None, counters("v1", 2_000, 900, 100, 0), candidate);
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
}

#[test]
fn few_errors_in_enough_requests_are_healthy() {
    check("{}", counters("v2", 2_000, 200, 0, 2), Verdict::Healthy, "2 of 200 requests to the candidate failed, 1.0 % may");
}

#[test]
fn too_many_errors_are_unhealthy() {
    check(
        "{}",
        counters("v2", 2_000, 200, 0, 3),
        Verdict::Unhealthy,
        "3 of 200 requests to the candidate failed, at most 1.0 % may",
    );
}

#[test]
fn too_few_requests_are_not_healthy() {
    check(
        "{}",
        counters("v2", 2_000, 49, 0, 0),
        Verdict::Inconclusive,
        "0 of 49 requests to the candidate failed, 50 are needed for a verdict",
    );
    check(
        "{}",
        counters("v2", 2_000, 0, 0, 0),
        Verdict::Inconclusive,
        "0 of 0 requests to the candidate failed, 50 are needed for a verdict",
    );
}

#[test]
fn errors_that_nothing_can_make_good_are_reported_before_enough_requests_came() {
    check("{}", counters("v2", 2_000, 5, 0, 3), Verdict::Unhealthy, "3 of 5 requests to the candidate failed, at most 1.0 % may");
}

#[test]
fn latency_is_judged_at_the_percentile() {
    let settings = r#"{ "maxErrorRate": null, "maxLatencyMs": 50 }"#;
    check(settings, counters("v2", 2_000, 95, 5, 0), Verdict::Healthy, "the candidate's p95 is 10.0 ms");
    check(settings, counters("v2", 2_000, 80, 20, 0), Verdict::Unhealthy, "the candidate's p95 is 77.5 ms, at most 50 ms");
}

#[test]
fn latency_is_compared_with_stable() {
    let settings = r#"{ "maxErrorRate": null, "maxLatencyRatio": 1.5 }"#;
    check(settings, counters("v2", 2_000, 90, 10, 0), Verdict::Healthy, "the candidate's p95 is 55.0 ms and stable's 55.0 ms");
    check(settings, counters("v2", 2_000, 0, 100, 0), Verdict::Unhealthy, "the candidate's p95 is 95.5 ms and stable's 55.0 ms");
}

/// Looks again and again, a second apart, while both sides get requests; returns the looks that it took until a verdict, and the last one.
fn watched(settings: &str, each: impl Fn(u64) -> (Value, Value), looks: u64) -> (u64, Assessment) {
    let mut state = None;
    for number in 1..=looks {
        let (stable, candidate) = each(number);
        let found = assess(settings, state, stable, candidate);
        if found.verdict == Verdict::Unhealthy || number == looks {
            return (number, found);
        }
        state = found.state;
    }
    unreachable!("the last look returns")
}

#[test]
fn errors_beside_stables_are_certain_as_soon_as_they_are() {
    let settings = r#"{ "maxErrorRate": null, "worseThanStable": {} }"#;
    // Ten requests a second to the candidate, ninety to stable, which fails in one of a hundred.
    let stable = |look: u64| counters("v1", 2_000, 90 * look, 0, 9 * look / 10);
    let awful = |look: u64| (stable(look), counters("v2", 2_000, 10 * look, 0, 5 * look));
    let (looks, found) = watched(settings, awful, 60);
    assert!(looks <= 3 && found.sentence.contains("against stable"), "{looks} looks: {}", found.sentence);
    let evidence = found.measurements.iter().find(|measured| measured.name == "evidence-of-more-errors").expect("measured");
    assert!(Some(evidence.value) > evidence.limit && evidence.limit == Some(100.0), "{evidence:?}");
    let bad = |look: u64| (stable(look), counters("v2", 2_000, 10 * look, 0, look / 2));
    let (looks, found) = watched(settings, bad, 120);
    assert!(looks > 3 && looks < 60 && found.verdict == Verdict::Unhealthy, "{looks} looks: {}", found.sentence);
    let same = |look: u64| (stable(look), counters("v2", 2_000, 10 * look, 0, look / 10));
    let (looks, found) = watched(settings, same, 600);
    assert_eq!((looks, found.verdict), (600, Verdict::Healthy), "{}", found.sentence);
    assert!(found.state.expect("a state").len() < 4_096);
}

#[test]
fn without_enough_requests_of_both_sides_nothing_is_compared() {
    let settings = r#"{ "maxErrorRate": null, "worseThanStable": {} }"#;
    check_sides(settings, Value::Null, counters("v2", 2_000, 200, 0, 0), Verdict::Inconclusive);
    check_sides(settings, counters("v1", 2_000, 49, 0, 0), counters("v2", 2_000, 200, 0, 0), Verdict::Inconclusive);
    check_sides(settings, counters("v1", 2_000, 900, 0, 0), counters("v2", 2_000, 49, 0, 0), Verdict::Inconclusive);
    check_sides(settings, counters("v1", 2_000, 900, 0, 0), counters("v2", 2_000, 50, 0, 0), Verdict::Healthy);
    let found = assess(r#"{ "worseThanStable": { "tolerance": 0.5 } }"#, None, Value::Null, counters("v2", 2_000, 9, 0, 0));
    assert!(found.verdict == Verdict::Error && found.sentence.contains("tolerance"), "{}", found.sentence);
}

#[test]
fn where_stable_takes_no_traffic_the_limits_alone_judge() {
    let alone = |settings: &str| {
        let mut look = look(settings, None);
        look.subjects.stable.as_mut().expect("a side").basis_points = 0;
        let counted = json!({ "stable": counters("v1", 2_000, 0, 0, 0), "candidate": counters("v2", 2_000, 200, 0, 0) });
        in_world(Router(counted), || HealthTraffic::assess(&look))
    };
    let found = alone(r#"{ "worseThanStable": {} }"#);
    let compared = found.measurements.iter().any(|measured| measured.name == "evidence-of-more-errors");
    assert_eq!((found.verdict, compared), (Verdict::Healthy, false), "{}", found.sentence);
    assert_eq!(alone(r#"{ "maxErrorRate": null, "worseThanStable": {} }"#).verdict, Verdict::Inconclusive);
}

fn check_sides(settings: &str, stable: Value, candidate: Value, verdict: Verdict) {
    let found = assess(settings, None, stable, candidate);
    assert_eq!(found.verdict, verdict, "{}", found.sentence);
}

#[test]
fn counters_that_begin_anew_in_the_middle_lose_nothing_of_the_comparison() {
    let settings = r#"{ "maxErrorRate": null, "worseThanStable": {} }"#;
    let again = |look: u64| {
        let (since, counted) = if look < 5 { (2_000, look) } else { (3_000, look - 4) };
        (counters("v1", since, 90 * counted, 0, 0), counters("v2", since, 10 * counted, 0, counted))
    };
    let (looks, found) = watched(settings, again, 60);
    assert!(looks < 12 && found.verdict == Verdict::Unhealthy, "{looks} looks: {}", found.sentence);
}

#[test]
fn what_was_counted_before_the_watch_does_not_count() {
    let first = assess("{}", None, Value::Null, counters("v2", 500, 1_000, 0, 500));
    assert_eq!(first.verdict, Verdict::Inconclusive, "{}", first.sentence);
    let later = assess("{}", first.state.clone(), Value::Null, counters("v2", 500, 1_100, 0, 500));
    assert_eq!(later.sentence, "0 of 100 requests to the candidate failed, 1.0 % may");
    // The runtime was restarted: its counters began anew.
    let after = assess("{}", first.state, Value::Null, counters("v2", 5_000, 60, 0, 60));
    assert_eq!(after.verdict, Verdict::Unhealthy);
}

#[test]
fn a_reading_of_another_watch_is_not_used() {
    let mut other = look("{}", None);
    other.window.started_ms = 700;
    let counted = || json!({ "stable": null, "candidate": counters("v2", 500, 1_000, 0, 500) });
    let state = in_world(Router(counted()), || HealthTraffic::assess(&other)).state;
    let now = assess("{}", state, Value::Null, counters("v2", 500, 1_100, 0, 600));
    assert_eq!(now.sentence, "0 of 0 requests to the candidate failed, 50 are needed for a verdict");
}

#[test]
fn counters_of_another_release_judge_nobody() {
    let sentence = "the runtime counts nothing for release v2 as the candidate";
    check("{}", counters("v3", 2_000, 200, 0, 0), Verdict::Inconclusive, sentence);
}

#[test]
fn a_check_without_a_limit_is_an_error() {
    let sentence = "no limit is set; a check without one would find everything healthy";
    check(r#"{ "maxErrorRate": null }"#, counters("v2", 2_000, 200, 0, 0), Verdict::Error, sentence);
}

#[test]
fn it_does_what_every_health_check_owes() {
    let world = || {
        let (stable, candidate) = (counters("v1", 2_000, 900, 0, 0), counters("v2", 2_000, 200, 0, 0));
        Box::new(Router(json!({ "stable": stable, "candidate": candidate, "unserved": 0 }))) as Box<dyn World>
    };
    conformance::health::<HealthTraffic>(&HealthCase::new("{}", world).without_endpoint());
}
