//! From numbers to verdicts.

use super::*;

#[test]
fn a_number_is_good_or_bad_or_neither() {
    let metric = json!({ "success": "candidate < 0.01", "failure": "candidate > 0.05" });
    check(metric.clone(), sides("0.002", "0"), Verdict::Healthy, "error rate is 0.2 %: candidate < 0.01");
    check(metric.clone(), sides("0.0712", "0"), Verdict::Unhealthy, "error rate is 7.12 %: candidate > 0.05");
    let sentence = "error rate is 3 %: neither candidate < 0.01 nor candidate > 0.05";
    let found = check(metric, sides("0.03", "0"), Verdict::Inconclusive, sentence);
    let [measured] = found.measurements.as_slice() else { panic!("{:?}", found.measurements) };
    assert_eq!((measured.name.as_str(), measured.value, measured.unit.as_str()), ("error-rate", 0.03, "ratio"));
    assert_eq!((measured.side, measured.limit, measured.samples), (Some(towpath_sdk::Side::Candidate), Some(0.05), None));
}

#[test]
fn one_condition_alone_says_both() {
    let success = json!({ "success": "candidate < 0.01" });
    check(success.clone(), sides("0.002", "0"), Verdict::Healthy, "error rate is 0.2 %: candidate < 0.01");
    check(success, sides("0.02", "0"), Verdict::Unhealthy, "error rate is 2 %, expected candidate < 0.01");
    let failure = json!({ "failure": "candidate > 0.05" });
    check(failure.clone(), sides("0.02", "0"), Verdict::Healthy, "error rate is 2 %, and not candidate > 0.05");
    check(failure, sides("0.06", "0"), Verdict::Unhealthy, "error rate is 6 %: candidate > 0.05");
}

#[test]
fn stable_is_asked_only_where_a_condition_speaks_of_it() {
    let metric = json!({ "success": "candidate < 0.01 || candidate < 1.5 * stable", "failure": "candidate > 2 * stable" });
    let (found, asked) = look(&settings(metric.clone()), AGE_MS, sides("0.02", "0.015"));
    assert_eq!(found.sentence, "error rate is 2 % (stable 1.5 %): candidate < 0.01 || candidate < 1.5 * stable");
    assert_eq!(
        asked.iter().map(|form| form["query"].as_str()).collect::<Vec<_>>(),
        [r#"errors{release="v2"}"#, r#"errors{release="v1"}"#]
    );
    let limits: Vec<_> = found.measurements.iter().map(|measured| (measured.value, measured.limit)).collect();
    assert_eq!(limits, [(0.02, Some(0.03)), (0.015, None)]);
    check(metric, sides("0.04", "0.015"), Verdict::Unhealthy, "error rate is 4 % (stable 1.5 %): candidate > 2 * stable");
    let (_, asked) = look(&settings(json!({ "failure": "candidate > 0.05" })), AGE_MS, sides("0.04", "0.015"));
    assert_eq!(asked.len(), 1);
}

#[test]
fn a_condition_without_a_value_decides_nothing() {
    let sentence = "error rate is 0 % (stable 0 %), for which a condition has no value, as 0 divided by 0 has none";
    check(json!({ "failure": "candidate / stable > 2" }), sides("0", "0"), Verdict::Inconclusive, sentence);
    let sentence = "error rate is 3 % (stable 1 %): candidate / stable > 2";
    check(json!({ "failure": "candidate / stable > 2" }), sides("0.03", "0.01"), Verdict::Unhealthy, sentence);
}

#[test]
fn several_metrics_are_one_verdict_with_one_sentence() {
    let metric =
        |name: &str, query: &str, role: &str| json!({ "name": name, "query": query, "failure": "candidate > 10", "role": role });
    let of = |metrics: Vec<Value>| {
        let settings = json!({ "url": "http://prometheus.test", "metrics": metrics }).to_string();
        let answer = |form: &Form| match form["query"].as_str() {
            "none" => nothing(),
            "wrong" => Ok(http::Response::new(400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#)),
            value => number(value),
        };
        let (found, _) = look(&settings, AGE_MS, answer);
        (found.verdict, found.sentence)
    };
    let (a, b) = (metric("a", "1", "decides"), metric("b", "2", "decides"));
    let said = "a is 1, and not candidate > 10; b is 2, and not candidate > 10";
    assert_eq!(of(vec![a.clone(), b.clone()]), (Verdict::Healthy, said.to_owned()));
    let (bad, none, wrong) = (metric("c", "11", "decides"), metric("d", "none", "decides"), metric("e", "wrong", "decides"));
    assert_eq!(
        of(vec![none.clone(), a.clone(), bad.clone(), wrong.clone()]),
        (Verdict::Unhealthy, "c is 11: candidate > 10".to_owned())
    );
    let said = "metric \"e\" asked about the candidate: Prometheus says bad_data: parse error";
    assert_eq!(of(vec![none.clone(), a.clone(), wrong]), (Verdict::Error, said.to_owned()));
    let said = "d of the candidate is not known: the query finds nothing";
    assert_eq!(of(vec![none.clone(), a.clone()]), (Verdict::Inconclusive, said.to_owned()));
    // What decides nothing is said where it is not well, and comes last.
    let dry = |name: &str, query: &str| metric(name, query, "dryRun");
    let said = "a is 1, and not candidate > 10; deciding nothing: f is 11: candidate > 10";
    assert_eq!(of(vec![dry("f", "11"), a.clone()]), (Verdict::Healthy, said.to_owned()));
    assert_eq!(of(vec![dry("f", "2"), a]), (Verdict::Healthy, "a is 1, and not candidate > 10".to_owned()));
    let five = ["g", "h", "i", "j", "k"].map(|name| metric(name, "11", "decides")).to_vec();
    let (_, sentence) = of(five);
    assert!(sentence.ends_with("i is 11: candidate > 10; and 2 metrics more"), "{sentence}");
}

#[test]
fn samples_are_counted_and_too_few_are_none() {
    let metric = json!({ "failure": "candidate > 0.05", "samples": { "query": "sum(increase(requests{release=\"$release\"}[$window]))", "min": 50 } });
    let counted = |count: &'static str| move |form: &Form| number(if form["query"].contains("increase") { count } else { "0.5" });
    let found = check(metric.clone(), counted("812.4"), Verdict::Unhealthy, "error rate is 50 %: candidate > 0.05");
    assert_eq!(found.measurements[0].samples, Some(812));
    let few = "error rate of the candidate is not known: it rests on 12 samples, 50 are needed";
    check(metric.clone(), counted("12"), Verdict::Inconclusive, few);
    let none = |form: &Form| if form["query"].contains("increase") { nothing() } else { number("0") };
    let sentence = "error rate of the candidate is not known: it rests on 0 samples, 50 are needed";
    check(metric.clone(), none, Verdict::Inconclusive, sentence);
    for (count, why) in [
        ("NaN", "its samples cannot be counted: the query gives NaN"),
        ("-3", "its samples cannot be counted: the query gives -3"),
        ("+Inf", "its samples are infinite"),
    ] {
        let (found, _) = look(&settings(metric.clone()), AGE_MS, counted(count));
        assert!(found.verdict == Verdict::Inconclusive && found.sentence.contains(why), "{}", found.sentence);
    }
}

#[test]
fn the_values_of_a_range_are_one_number() {
    let taken = |take: &str, found: &'static [&'static str]| {
        let metric =
            json!({ "failure": "candidate > 1000", "unit": "1", "range": { "over": "60s", "step": "10s", "take": take } });
        let (found, _) = look(&settings(metric), AGE_MS, move |form: &Form| values(form, found));
        (found.measurements.first().map(|measured| (measured.value, measured.samples)), found.sentence)
    };
    let found: &[&str] = &["1", "2", "3", "4", "5", "6", "100"];
    assert_eq!(taken("max", found).0, Some((100.0, Some(7))));
    assert_eq!(taken("min", found).0, Some((1.0, Some(7))));
    assert_eq!(taken("last", found).0, Some((100.0, Some(7))));
    assert_eq!(taken("p95", found).0, Some((100.0, Some(7))));
    assert_eq!(taken("mean", &["1", "NaN", "3", "4", "8", "NaN", "NaN"]).0, Some((4.0, Some(4))));
    let (none, sentence) = taken("last", &["1", "2", "3", "4", "5", "6", "NaN"]);
    assert!(none.is_none() && sentence.ends_with("the newest value of the range is missing"), "{sentence}");
}
