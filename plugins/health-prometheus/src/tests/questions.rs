//! What Prometheus is asked: about whom, and about which time.

use super::*;

fn queries(asked: &[Form]) -> Vec<&str> {
    asked.iter().map(|form| form["query"].as_str()).collect()
}

#[test]
fn the_request_is_a_form_to_the_query_api() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let world = Scripted { answer: Box::new(|_| number("1")), asked: Arc::clone(&asked), age_ms: AGE_MS };
    let settings = settings(json!({ "failure": "candidate > 5" }));
    let subjects = Subjects { stable: None, candidate: Some(Subject::new("v\"2")), public_endpoint: None };
    let mut context = context(&settings);
    context.deadline_ms = i64::MAX;
    let look = Look {
        context,
        settings: serde_json::from_str(&settings).unwrap(),
        subjects,
        window: Window { started_ms: BEGAN_MS, ends_ms: 0 },
    };
    in_world(world, || HealthPrometheus::assess(&look));
    let asked = asked.lock().unwrap();
    let (request, form) = &asked[0];
    assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", "http://prometheus.test:9090/api/v1/query"));
    assert!(request.headers.contains(&("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())));
    // Without a time: Prometheus' own clock says when now is. What stands in a label cannot leave its quotes.
    assert_eq!(
        form.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
        [r#"query=errors{release="v\"2"}"#, "timeout=5000ms"]
    );
    assert_eq!(request.timeout_ms, 5_000);
}

#[test]
fn a_window_never_reaches_before_the_watch() {
    let metric = json!({ "query": "rate(errors{release=\"$release\"}[$window])", "failure": "candidate > 1", "lookBack": "30s" });
    for (age_ms, window) in [(600_000, "30s"), (30_000, "30s"), (29_999, "29s"), (4_200, "4s"), (1_000, "1s")] {
        let (_, asked) = look(&settings(metric.clone()), age_ms, |_| number("0"));
        assert_eq!(queries(&asked), [format!("rate(errors{{release=\"v2\"}}[{window}])")], "{age_ms}");
    }
    let (found, asked) = look(&settings(metric), 999, |_| number("0"));
    assert_eq!((found.verdict, asked.len()), (Verdict::Inconclusive, 0));
    assert_eq!(found.sentence, "the watch began less than 1 s ago, and only what came since then is looked at");
}

#[test]
fn no_value_of_a_range_looks_back_to_before_the_watch() {
    let metric = |query: &str| json!({ "query": query, "failure": "candidate > 1", "lookBack": "30s", "range": { "over": "5m", "step": "15s" } });
    let span = |query: &str, age_ms: i64| {
        let (_, asked) = look(&settings(metric(query)), age_ms, |form| values(form, &["0", "0", "0", "0"]));
        let form = asked.iter().find(|form| form.contains_key("start")).expect("a range was asked for").clone();
        let at = |name: &str| (form[name].parse::<f64>().unwrap() * 1_000.0).round() as i64 - BEGAN_MS;
        (at("start"), at("end"), form["step"].clone(), form["query"].clone())
    };
    let rate = "rate(errors{release=\"$release\"}[$window])";
    let filled = "rate(errors{release=\"v2\"}[30s])".to_owned();
    assert_eq!(span(rate, 600_000), (300_000, 600_000, "15000ms".to_owned(), filled.clone()));
    assert_eq!(span(rate, 90_000), (30_000, 90_000, "15000ms".to_owned(), filled));
    assert_eq!(span(rate, 20_000), (20_000, 20_000, "15000ms".to_owned(), "rate(errors{release=\"v2\"}[20s])".to_owned()));
    assert_eq!(span("errors{release=\"$release\"}", 90_000).0, 0);
}

#[test]
fn the_baseline_is_stable_before_the_watch_or_so_long_ago() {
    let metric = |more: Value| {
        let mut metric = json!({ "query": "rate(errors{release=\"$release\"}[$window])", "failure": "candidate > 2 * baseline", "lookBack": "30s" });
        more.as_object().unwrap().iter().for_each(|(key, value)| metric[key] = value.clone());
        settings(metric)
    };
    let (found, asked) = look(&metric(json!({})), 90_000, sides("0.02", "0.015"));
    assert_eq!(found.sentence, "error rate is 2 % (before 1.5 %), and not candidate > 2 * baseline");
    assert_eq!(queries(&asked), [r#"rate(errors{release="v2"}[30s])"#, "time()", r#"rate(errors{release="v1"}[30s])"#]);
    assert_eq!(asked[2]["time"], format!("{}.000", BEGAN_MS / 1_000));
    let before = found.measurements.iter().find(|measured| measured.name == "error-rate-before").expect("measured");
    assert_eq!((before.value, before.side), (0.015, None));
    let (_, asked) = look(&metric(json!({ "baselineOffset": "7d" })), 90_000, sides("0.02", "0.015"));
    assert_eq!(asked[2]["time"], format!("{}.000", BEGAN_MS / 1_000 + 90 - 7 * 86_400));
    let (_, asked) = look(
        &metric(json!({ "baselineQuery": "job:errors:rate", "range": { "over": "60s", "step": "10s", "pointsMin": 1 } })),
        600_000,
        |form| values(form, &["0"; 7]),
    );
    let past = asked.last().unwrap();
    let expect = ["job:errors:rate".to_owned(), format!("{}.000", BEGAN_MS / 1_000 - 60), format!("{}.000", BEGAN_MS / 1_000)];
    assert_eq!([&past["query"], &past["start"], &past["end"]].map(Clone::clone), expect);
}

#[test]
fn one_query_for_both_sides_is_an_error() {
    let compared = json!({ "query": "sum(rate(errors[1m]))", "success": "candidate <= stable" });
    let (found, asked) = look(&settings(compared.clone()), AGE_MS, |_| number("1"));
    assert_eq!((found.verdict, asked.len()), (Verdict::Error, 0));
    assert!(found.sentence.contains("asks the same about candidate and stable"), "{}", found.sentence);
    let mut apart = compared;
    apart["stableQuery"] = json!("sum(rate(old_errors[1m]))");
    assert_eq!(look(&settings(apart), AGE_MS, |_| number("1")).0.verdict, Verdict::Healthy);
}

#[test]
fn a_placeholder_that_is_not_known_is_an_error_before_anything_is_asked() {
    for metric in [
        json!({ "query": "errors{release=\"$relase\"}", "failure": "candidate > 1" }),
        json!({ "failure": "candidate > 1", "samples": { "query": "count($relase)", "min": 1 } }),
        json!({ "failure": "candidate > 1", "fresh": { "series": "up{a=\"$relase\"}", "maxAge": "1m" } }),
    ] {
        let (found, asked) = look(&settings(metric), AGE_MS, |_| number("1"));
        assert_eq!((found.verdict, asked.len()), (Verdict::Error, 0));
        assert!(
            found.sentence.starts_with("metric \"error rate\": $relase is not known; known are $service"),
            "{}",
            found.sentence
        );
    }
}

#[test]
fn what_decides_is_asked_before_what_does_not() {
    let metric = |name: &str, role: &str| json!({ "name": name, "query": name, "failure": "candidate > 1", "role": role });
    let settings =
        json!({ "url": "http://p", "metrics": [metric("a", "dryRun"), metric("b", "decides"), metric("c", "decides")] });
    let (_, asked) = look(&settings.to_string(), AGE_MS, |_| number("1"));
    assert_eq!(queries(&asked), ["b", "c", "a"]);
}

#[test]
fn a_question_waits_no_longer_than_the_look() {
    let settings = settings(json!({ "failure": "candidate > 1" }));
    let at = |left_ms: i64| {
        let mut context = context(&settings);
        context.deadline_ms = BEGAN_MS + AGE_MS + left_ms;
        let subjects = Subjects { stable: None, candidate: Some(Subject::new("v2")), public_endpoint: None };
        let window = Window { started_ms: BEGAN_MS, ends_ms: 0 };
        let look = Look { context, settings: serde_json::from_str(&settings).unwrap(), subjects, window };
        let (found, asked) = look_at(&look, AGE_MS, |_| number("0"));
        (asked.first().map(|form| form["timeout"].clone()), found.sentence)
    };
    assert_eq!(at(60_000).0.as_deref(), Some("5000ms"));
    assert_eq!(at(2_000).0.as_deref(), Some("1500ms"));
    assert_eq!(at(500), (None, "Prometheus cannot be asked: no time is left of this look".to_owned()));
}
