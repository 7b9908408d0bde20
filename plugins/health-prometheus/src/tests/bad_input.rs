//! Everything bad that can come in, row by row as in the README's table.

use super::*;

/// Both conditions, so that nothing but a good number is healthy.
fn both() -> Value {
    json!({ "success": "candidate < 0.01", "failure": "candidate > 0.05" })
}

fn with(more: Value) -> Value {
    let mut metric = both();
    more.as_object().expect("an object").iter().for_each(|(key, value)| metric[key] = value.clone());
    metric
}

#[track_caller]
fn not_known(metric: Value, answer: impl FnMut(&Form) -> Answer + Send + 'static, why: &str) {
    check(metric, answer, Verdict::Inconclusive, &format!("error rate of the candidate is not known: {why}"));
}

#[track_caller]
fn is_wrong(answer: impl FnMut(&Form) -> Answer + Send + 'static, why: &str) {
    let (found, _) = look(&settings(both()), AGE_MS, answer);
    let expect = format!("metric \"error rate\" asked about the candidate: {why}");
    assert!(found.verdict == Verdict::Error && found.sentence.starts_with(&expect), "{:?} {}", found.verdict, found.sentence);
}

#[track_caller]
fn is_away(answer: impl FnMut(&Form) -> Answer + Send + 'static, why: &str) {
    let (found, asked) = look(&settings(with(json!({ "success": "candidate < stable" }))), AGE_MS, answer);
    let expect = format!("Prometheus cannot be asked: {why}");
    assert_eq!((found.verdict, found.sentence, asked.len()), (Verdict::Inconclusive, expect, 1));
}

fn answers(status: u16, body: &'static str) -> impl FnMut(&Form) -> Answer + Send {
    move |_| Ok(http::Response::new(status, body))
}

#[test]
fn nothing_found_is_not_zero() {
    not_known(both(), |_| nothing(), "the query finds nothing");
    let range = json!({ "range": { "over": "60s", "step": "10s" } });
    not_known(with(range), |_| success(json!({ "resultType": "matrix", "result": [] })), "the query finds nothing");
}

#[test]
fn nothing_found_is_zero_where_samples_show_that_somebody_counts() {
    let zero = with(json!({ "empty": "zero", "samples": { "query": "count{release=\"$release\"}", "min": 50 } }));
    let counted =
        |count: &'static str| move |form: &Form| if form["query"].contains("count") { number(count) } else { nothing() };
    let found = check(zero.clone(), counted("812"), Verdict::Healthy, "error rate is 0 %: candidate < 0.01");
    assert_eq!((found.measurements[0].value, found.measurements[0].samples), (0.0, Some(812)));
    not_known(zero.clone(), counted("49"), "it rests on 49 samples, 50 are needed");
    not_known(zero, |_| nothing(), "it rests on 0 samples, 50 are needed");
}

#[test]
fn no_number_and_minus_infinity_are_nothing() {
    not_known(both(), |_| number("NaN"), "the query gives NaN, as 0 divided by 0 does");
    not_known(both(), |_| number("-Inf"), "the query gives -inf, which cannot be: bounds are 0 to any");
    let unbounded = with(json!({ "bounds": { "min": null } }));
    not_known(unbounded, |_| number("-Inf"), "the query gives -inf, which cannot be: bounds are any to any");
}

#[test]
fn infinity_exceeds_every_limit_and_is_good_for_nothing() {
    let found = check(both(), |_| number("+Inf"), Verdict::Unhealthy, "error rate is inf %: candidate > 0.05");
    assert!(found.measurements.is_empty());
    // As an availability it would be splendid.
    not_known(json!({ "success": "candidate > 0.99" }), |_| number("+Inf"), "the query gives inf");
    check(
        json!({ "failure": "candidate < 0.99" }),
        |_| number("+Inf"),
        Verdict::Inconclusive,
        "error rate is inf %, which is no number",
    );
    let beside = json!({ "success": "candidate < 1.5 * stable" });
    let sentence = "error rate of stable is not known: the query gives inf";
    check(beside, sides("0.5", "+Inf"), Verdict::Inconclusive, sentence);
}

#[test]
fn numbers_that_cannot_be_are_nothing() {
    // As a difference is after a counter began again.
    not_known(both(), |_| number("-3"), "the query gives -3, which cannot be: bounds are 0 to any");
    let share = with(json!({ "bounds": { "max": 1.0 } }));
    not_known(share, |_| number("1.5"), "the query gives 1.5, which cannot be: bounds are 0 to 1");
    let below_zero = with(json!({ "bounds": { "min": null } }));
    check(below_zero, |_| number("-3"), Verdict::Healthy, "error rate is -300 %: candidate < 0.01");
}

#[test]
fn few_values_of_a_range_are_none() {
    let range = || with(json!({ "range": { "over": "60s", "step": "10s" } }));
    not_known(range(), |form| values(form, &["0"]), "1 values of a range were found, 3 are needed");
    not_known(range(), |form| values(form, &["0", "NaN", "NaN", "0"]), "2 values of a range were found, 3 are needed");
    not_known(range(), |form| values(form, &["0", "0", "0"]), "3 of 7 values of a range were found, half of them are needed");
    check(range(), |form| values(form, &["0", "0", "0", "0"]), Verdict::Healthy, "error rate is 0 %: candidate < 0.01");
}

#[test]
fn the_same_number_on_both_sides_is_compared_as_it_is_written() {
    let sentence = "error rate is 2 % (stable 2 %): candidate <= stable";
    check(json!({ "success": "candidate <= stable" }), sides("0.02", "0.02"), Verdict::Healthy, sentence);
    let sentence = "error rate is 0 % (stable 0 %), and not candidate > 1.5 * stable";
    check(json!({ "failure": "candidate > 1.5 * stable" }), sides("0", "0"), Verdict::Healthy, sentence);
}

#[test]
fn old_samples_are_nothing() {
    let fresh = || with(json!({ "fresh": { "series": "requests{release=\"$release\"}", "maxAge": "60s" } }));
    let aged = |age: &'static str| move |form: &Form| number(if form["query"].starts_with("time()") { age } else { "0" });
    check(fresh(), aged("59.9"), Verdict::Healthy, "error rate is 0 %: candidate < 0.01");
    let (_, asked) = look(&settings(fresh()), AGE_MS, aged("1"));
    assert_eq!(asked[0]["query"], "time() - max(timestamp(requests{release=\"v2\"}))");
    let selector = "requests{release=\"v2\"}";
    not_known(fresh(), aged("75.2"), &format!("it is stale: the newest sample of {selector} is 75 s old, at most 60s may be"));
    not_known(fresh(), |_| nothing(), &format!("it is stale: there is no sample of {selector} any more"));
    not_known(fresh(), aged("NaN"), &format!("it is stale: there is no sample of {selector} any more"));
}

#[test]
fn clocks_that_differ_change_nothing_and_are_spoken_of() {
    let fresh = with(json!({ "fresh": { "series": "requests", "maxAge": "60s" } }));
    let ahead = |form: &Form| number(if form["query"].starts_with("time()") { "-93" } else { "0" });
    not_known(fresh, ahead, "the newest sample of requests is 93 s ahead of Prometheus' clock");
    // Prometheus is an hour behind: its own time counts for instants, ours for durations alone.
    struct Behind;
    impl World for Behind {
        fn fetch(&mut self, request: &http::Request) -> Answer {
            let form = decoded(&String::from_utf8_lossy(&request.body));
            let now = (BEGAN_MS + AGE_MS) / 1_000 - 3_600;
            if form["query"] == "time()" {
                return success(json!({ "resultType": "scalar", "result": [now, now.to_string()] }));
            }
            assert_eq!((form["start"].clone(), form["end"].clone()), (format!("{}.000", now - 60), format!("{now}.000")));
            values(&form, &["0"; 7])
        }

        fn now_ms(&mut self) -> i64 {
            BEGAN_MS + AGE_MS
        }
    }
    let settings = settings(with(json!({ "range": { "over": "60s", "step": "10s" } })));
    let mut context = context(&settings);
    context.deadline_ms = i64::MAX;
    let subjects = Subjects { stable: None, candidate: Some(Subject::new("v2")), public_endpoint: None };
    let window = Window { started_ms: BEGAN_MS, ends_ms: 0 };
    let look = Look { context, settings: serde_json::from_str(&settings).unwrap(), subjects, window };
    let found = in_world(Behind, || HealthPrometheus::assess(&look));
    let sentence = "error rate is 0 %: candidate < 0.01; Prometheus' clock is 3600 s behind this server's";
    assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Healthy, sentence));
}

#[test]
fn a_server_that_is_broken_or_starts_is_away() {
    is_away(answers(500, "oops"), r#"Prometheus answers with status 500: "oops""#);
    is_away(answers(502, "<html>Bad Gateway"), r#"Prometheus answers with status 502: "<html>Bad Gateway""#);
    is_away(answers(503, "Service Unavailable"), r#"Prometheus answers with status 503: "Service Unavailable""#);
    is_away(answers(429, ""), r#"Prometheus answers with status 429: """#);
    let late = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    is_away(answers(503, late), "Prometheus says timeout: query timed out");
}

#[test]
fn a_server_that_hangs_or_is_not_there_is_away_and_asked_once() {
    is_away(|_| Err(http::Error::Timeout), "no answer in time");
    is_away(|_| Err(http::Error::Unreachable("connection refused".to_owned())), "no connection: connection refused");
    is_away(|_| Err(http::Error::Broken("reset".to_owned())), "the connection broke: reset");
}

#[test]
fn who_is_away_hides_nothing_that_was_found_before() {
    let metric = |name: &str| json!({ "name": name, "query": name, "failure": "candidate > 1" });
    let settings = json!({ "url": "http://p", "metrics": [metric("a"), metric("b")] }).to_string();
    let answer = |form: &Form| if form["query"] == "a" { number("5") } else { Err(http::Error::Timeout) };
    let (found, _) = look(&settings, AGE_MS, answer);
    assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Unhealthy, "a is 5: candidate > 1"));
}

#[test]
fn what_is_asked_wrongly_is_an_error() {
    let bad = r#"{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected end of input"}"#;
    is_wrong(answers(400, bad), "Prometheus says bad_data: 1:5: parse error: unexpected end of input");
    let failed = r#"{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}"#;
    is_wrong(answers(422, failed), "Prometheus says execution: many-to-many matching not allowed");
    is_wrong(answers(404, "404 page not found"), r#"Prometheus answers with status 404: "404 page not found""#);
    is_wrong(answers(302, ""), r#"Prometheus answers with status 302: """#);
    let refused = "Prometheus answers with status 401: \"Unauthorized\"; its credentials are those of the grant";
    is_wrong(answers(401, "Unauthorized"), refused);
    is_wrong(|_| Err(http::Error::Refused("grant it with {…}".to_owned())), "not allowed: grant it with {…}");
}

#[test]
fn who_is_no_prometheus_is_an_error() {
    is_wrong(answers(200, "<!doctype html><p>Sign in"), "the answer is HTML and not that of Prometheus' API: ");
    is_wrong(answers(200, ""), "the answer is empty and not that of Prometheus' API");
    is_wrong(
        answers(200, r#"{"status":"success","data":{"resultType":"vector","result":[{"#),
        "the answer is JSON of another form",
    );
}

#[test]
fn what_is_not_one_number_is_an_error() {
    let sample = |code: u32| json!({ "metric": { "code": code.to_string() }, "value": [1, "1"] });
    let vector =
        move |count: u32| success(json!({ "resultType": "vector", "result": (0..count).map(sample).collect::<Vec<_>>() }));
    let two = "the query gives 2 series, expected one; sum them up or select one ({code=\"0\"}, {code=\"1\"})";
    is_wrong(move |_| vector(2), two);
    is_wrong(move |_| vector(20_000), "the query gives 20000 series, at most 1000 are read; sum them up or select fewer");
    // A million of them are more than the host reads.
    is_wrong(
        |_| Err(http::Error::TooLarge(4_194_304)),
        "the answer is larger than 4194304 bytes; the query must sum up to one number",
    );
    is_wrong(
        |_| success(json!({ "resultType": "string", "result": [1, "text"] })),
        "the query's value is the text \"text\", expected numbers",
    );
    let histogram = json!({ "resultType": "vector", "result": [{ "metric": {}, "histogram": [1, {}] }] });
    is_wrong(move |_| success(histogram.clone()), "the value of {} is a native histogram, expected a number");
}

#[test]
fn an_answer_with_a_warning_is_no_number() {
    let body = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"0"]}]},"warnings":["a store did not answer"]}"#;
    not_known(both(), answers(200, body), "Prometheus warns: a store did not answer");
}

#[test]
fn a_side_that_is_missing_is_not_known() {
    let look_without = |subjects: Subjects| {
        let settings = settings(json!({ "success": "candidate < 1.5 * stable" }));
        let mut context = context(&settings);
        context.deadline_ms = i64::MAX;
        let window = Window { started_ms: BEGAN_MS, ends_ms: 0 };
        let look = Look { context, settings: serde_json::from_str(&settings).unwrap(), subjects, window };
        let (found, _) = look_at(&look, AGE_MS, |_| number("0"));
        (found.verdict, found.sentence)
    };
    let candidate = || Some(Subject::new("v2"));
    let alone = look_without(Subjects { stable: None, candidate: candidate(), public_endpoint: None });
    assert_eq!(alone, (Verdict::Inconclusive, "error rate of stable is not known: there is no stable side".to_owned()));
    let nobody = look_without(Subjects { stable: candidate(), candidate: None, public_endpoint: None });
    assert_eq!(nobody, (Verdict::Inconclusive, "there is no candidate to ask Prometheus about".to_owned()));
}

#[test]
fn settings_that_make_no_sense_are_errors_with_their_place() {
    let read = |text: &str| serde_json::from_str::<Settings>(text).map_err(|why| why.to_string());
    let typo = read(&settings(json!({ "failure": "candidat > 1" }))).expect_err("it is misspelt");
    assert!(typo.contains("speaks of \"candidat\", known are candidate, stable, baseline"), "{typo}");
    let of = |metric: Value| read(&settings(metric)).expect("it can be read").check().expect_err("it makes no sense");
    let one = |key: &str, value: Value| of(with(json!({ key: value })));
    assert!(of(json!({})).contains("metric \"error rate\": neither success nor failure is given"));
    assert!(one("empty", json!("zero")).contains("which needs samples"));
    assert!(one("role", json!("dryRun")).contains("no metric decides"));
    assert!(one("name", json!("\u{1b}[31m")).contains("a name has letters or digits"));
    assert!(one("name", json!("!!")).contains("a name has letters or digits"));
    assert!(one("query", json!(" ")).contains("a query has 1 bytes, expected 1 to 4000"));
    assert!(one("bounds", json!({ "min": 2, "max": 1 })).contains("expected the smaller one first"));
    assert!(one("range", json!({ "over": "10d", "step": "1s" })).contains("has 864001 values, at most 10000 are looked at"));
    assert!(one("range", json!({ "over": "30s", "step": "15s", "pointsMin": 4 })).contains("pointsMin is 4, expected 1 to 3"));
    assert!(one("samples", json!({ "query": "a", "min": 0 })).contains("samples.min is 0"));
    let url =
        |url: &str| read(&settings(both()).replace("http://prometheus.test:9090", url)).unwrap().check().expect_err("no place");
    assert!(url("prometheus:9090").contains("begins with http"));
    assert!(url("http://user:secret@prometheus").contains("belong into the grant"));
    let twice = settings(both());
    let metric = twice.split_once('[').unwrap().1.rsplit_once(']').unwrap().0;
    let twice = twice.replace(metric, &format!("{metric},{}", metric.replace("error rate", "Error-Rate")));
    assert!(read(&twice).unwrap().check().is_err_and(|why| why.contains("two metrics are called")));
}
