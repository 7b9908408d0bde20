//! What a Loki answers, and what is asked of it.

use serde_json::{Value, json};
use towpath_sdk::Side;
use towpath_sdk::health::Verdict;
use towpath_sdk::powers::http::{Error, Response};

use super::world::Loki;
use super::{SECOND, STARTED_MS, at, is, measured, watched};

fn settings(rules: &Value) -> Value {
    let loki = json!({ "url": "https://logs.example.com/base/", "query": "{release=\"$release\"} |= `$service`" });
    let mut settings = json!({ "loki": loki });
    for (name, rule) in rules.as_object().expect("rules") {
        settings[name] = rule.clone();
    }
    settings
}

fn per_minute(max: f64) -> Value {
    settings(&json!({ "errors": { "matches": ["ERROR"], "perMinuteMax": max } }))
}

/// A Loki in which the candidate writes a line each second, every tenth an error.
fn filled(seconds: i64) -> Loki {
    let mut loki = Loki::default();
    (0..seconds).for_each(|second| loki.write("r-2", at(second), if second % 10 == 0 { "ERROR" } else { "served" }));
    loki
}

#[test]
fn lines_are_asked_for_from_where_the_last_look_ended() {
    let mut settings = per_minute(100.0);
    settings["loki"]["tenant"] = json!("shop");
    let loki = filled(120);
    let found = watched(&loki, &settings, [30, 60]);
    is(&found, Verdict::Healthy, "6 error lines of the candidate in a minute, at most 100 may be (6 of 55 lines)");
    let asked = loki.asked.lock().expect("nobody panicked").clone();
    assert_eq!(asked.len(), 2, "one question a look");
    assert!(asked[0].url.starts_with("https://logs.example.com/base/loki/api/v1/query_range?"), "{}", asked[0].url);
    let said = |name: &str| asked.iter().map(|asked| asked.parameters[name].clone()).collect::<Vec<_>>();
    assert_eq!(said("query"), vec!["{release=\"r-2\"} |= `web`"; 2]);
    // Five seconds are left for lines that come late.
    assert_eq!(said("start"), [at(0), at(25)].map(|at| at.to_string()));
    assert_eq!(said("end"), [at(25), at(55)].map(|at| at.to_string()));
    assert_eq!((said("limit")[0].as_str(), said("direction")[0].as_str()), ("1000", "forward"));
    assert_eq!(asked[0].tenant.as_deref(), Some("shop"));
}

#[test]
fn who_takes_the_end_as_part_of_a_range_gives_nothing_twice() {
    let loki = Loki { takes_end: true, ..filled(120) };
    let found = watched(&loki, &per_minute(100.0), (10..=60).step_by(5));
    is(&found, Verdict::Healthy, "6 error lines of the candidate in a minute, at most 100 may be (6 of 55 lines)");
}

#[test]
fn lines_that_come_late_are_seen_while_there_is_room_for_them() {
    let mut late = filled(30);
    // At 30 s it was not there yet, at 60 s it is; its time is after what was read at 30 s.
    let before = watched(&late, &per_minute(100.0), [30]);
    late.write("r-2", at(27), "ERROR late");
    let look = super::look(&per_minute(100.0), 60, before.state);
    let found = towpath_sdk::testing::in_world(super::Source::at(&late, look.context.now_ms), || {
        <crate::HealthLogs as towpath_sdk::HealthCheck>::assess(&look)
    });
    is(&found, Verdict::Healthy, "4 error lines of the candidate in a minute, at most 100 may be (4 of 31 lines)");
}

#[test]
fn pages_overlap_where_they_meet_and_nothing_is_lost_or_counted_twice() {
    let mut loki = Loki::default();
    // 2700 lines of three instances, always three at one time, of which two are equal but for their instance.
    for number in 0..900 {
        for (instance, line) in [(0, "ERROR"), (1, "ERROR"), (2, "served")] {
            loki.write_by("r-2", instance, at(0) + number * SECOND / 100, line);
        }
    }
    let found = watched(&loki, &per_minute(1e6), [30]);
    is(&found, Verdict::Healthy, "1800 error lines of the candidate in a minute, at most 1000000 may be (1800 of 2700 lines)");
    assert_eq!(loki.asked.lock().expect("nobody panicked").len(), 3);
}

#[test]
fn lines_that_all_have_one_time_end_somewhere() {
    let mut loki = Loki::default();
    (0..5_000).for_each(|_| loki.write("r-2", at(3), "ERROR tied"));
    (0..10).for_each(|number| loki.write("r-2", at(5) + number, "ERROR after"));
    let found = watched(&loki, &per_minute(1e6), [30]);
    assert_eq!(found.verdict, Verdict::Healthy);
    // Of one instant a page is seen, and then what comes after it.
    assert!(found.sentence.contains("(1010 of 1010 lines)"), "{}", found.sentence);
}

#[test]
fn more_lines_than_a_look_takes_are_read_in_part_and_that_is_said() {
    let mut loki = Loki::default();
    // Four thousand a second, every fortieth an error.
    (0..100_000)
        .for_each(|number| loki.write("r-2", at(0) + number * SECOND / 4_000, if number % 40 == 0 { "ERROR" } else { "served" }));
    let found = watched(&loki, &per_minute(100.0), [30]);
    assert_eq!(found.verdict, Verdict::Unhealthy);
    assert!(found.sentence.ends_with("not all lines were read, those of 0.9 of 25.0 s were"), "{}", found.sentence);
    assert_eq!(measured(&found, "lines", Side::Candidate).map(|(lines, ..)| lines), Some(3_997.0));
    // 25 seconds at a hundred errors a second.
    let (worst, ..) = measured(&found, "error-lines-per-minute", Side::Candidate).expect("measured");
    assert!((2_000.0..3_000.0).contains(&worst), "{worst}");
    // The next look goes on from now, not from where it was left behind.
    watched(&loki, &per_minute(100.0), [30, 40]);
    let asked = loki.asked.lock().expect("nobody panicked").clone();
    assert_eq!(asked.last().expect("a question").parameters["start"], at(25).to_string());
}

#[test]
fn long_lines_are_fewer() {
    let mut loki = Loki::default();
    let long = format!("ERROR {}", "x".repeat(1_000));
    (0..10_000).for_each(|number| loki.write("r-2", at(0) + number * SECOND / 1_000, &long));
    let found = watched(&loki, &per_minute(1e6), [30]);
    assert_eq!(found.verdict, Verdict::Healthy);
    assert_eq!(measured(&found, "lines", Side::Candidate).map(|(lines, ..)| lines), Some(1_999.0), "two pages have a megabyte");
    assert!(found.sentence.contains("not all lines were read"), "{}", found.sentence);
}

#[test]
fn answers_that_are_larger_than_the_host_takes_are_asked_for_in_smaller_pages() {
    let mut loki = Loki { bytes_max: Some(100_000), ..Loki::default() };
    let long = format!("ERROR {}", "x".repeat(1_000));
    (0..200).for_each(|second| loki.write("r-2", at(0) + second * SECOND / 10, &long));
    let found = watched(&loki, &per_minute(1e6), [30]);
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    let limits: Vec<_> =
        loki.asked.lock().expect("nobody panicked").iter().map(|asked| asked.parameters["limit"].clone()).collect();
    assert_eq!(limits[..3], ["1000", "250", "62"]);
    let huge = Loki { bytes_max: Some(10), ..loki };
    let sentence = "the Loki cannot be asked: the answer is larger than 10 bytes (for the candidate's lines)";
    is(&watched(&huge, &per_minute(1e6), [30]), Verdict::Error, sentence);
}

#[test]
fn stables_lines_from_before_are_read_once_and_backwards() {
    let mut loki = filled(120);
    (0..120).for_each(|second| loki.write("r-1", at(second), "served"));
    (0..30).for_each(|second| loki.write("r-1", at(-3_000 + second), "ERROR"));
    let rules = settings(&json!({ "newPatterns": {} }));
    let found = watched(&loki, &rules, [30, 60]);
    is(&found, Verdict::Healthy, "0 new patterns beside 2 patterns of stable, 0 may be");
    let asked = loki.asked.lock().expect("nobody panicked").clone();
    let backward: Vec<_> = asked.iter().filter(|asked| asked.parameters["direction"] == "backward").collect();
    assert_eq!(backward.len(), 1, "before the watch nothing changes any more");
    assert_eq!(
        (backward[0].parameters["start"].as_str(), backward[0].parameters["end"].as_str()),
        (at(-3_600).to_string().as_str(), at(0).to_string().as_str())
    );
    // As far as one looks back, and no further.
    let short = settings(&json!({ "newPatterns": { "lookBackMinutes": 30 } }));
    assert_eq!(watched(&loki, &short, [60]).verdict, Verdict::Unhealthy);
}

#[test]
fn a_clock_that_is_far_from_ours_leaves_open_what_is_of_the_watch() {
    let behind = Loki { ahead_ms: Some(-90_000), ..filled(120) };
    let sentence = "the Loki's clock is 90 s behind ours, at most 5 s may be: which lines are of the watch is not known";
    is(&watched(&behind, &per_minute(100.0), [30]), Verdict::Inconclusive, sentence);
    let ahead = Loki { ahead_ms: Some(60_000), ..filled(120) };
    assert!(watched(&ahead, &per_minute(100.0), [30]).sentence.contains("is 60 s ahead of ours"));
    let near = Loki { ahead_ms: Some(4_000), ..filled(120) };
    assert_eq!(watched(&near, &per_minute(100.0), [30]).verdict, Verdict::Healthy);
}

#[test]
fn lines_of_the_future_wait_for_their_time() {
    let mut loki = filled(30);
    (0..50).for_each(|second| loki.write("r-2", at(100 + second), "ERROR of tomorrow"));
    let found = watched(&loki, &per_minute(5.0), [30, 60]);
    is(&found, Verdict::Healthy, "3 error lines of the candidate in a minute, at most 5 may be (3 of 30 lines)");
}

fn says(answer: Result<Response, Error>) -> Loki {
    Loki { says: Some(answer), ..Loki::default() }
}

fn page(status: u16, kind: &str, body: &str) -> Result<Response, Error> {
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Ok(Response { headers, ..Response::new(status, body) })
}

#[test]
fn what_cannot_be_asked_or_read_is_an_error() {
    let error = |answer: Result<Response, Error>, why: &str| {
        let sentence = format!("the Loki {why} (for the candidate's lines)");
        is(&watched(&says(answer), &per_minute(5.0), [30]), Verdict::Error, &sentence);
    };
    error(Err(Error::Timeout), "cannot be asked: no answer in time");
    error(Err(Error::Unreachable("connection refused".to_owned())), "cannot be asked: no connection: connection refused");
    error(Err(Error::Refused("no grant".to_owned())), "cannot be asked: not allowed: no grant");
    error(
        page(502, "text/html", "<html>\u{1b}[2JBad Gateway"),
        "answered with status 502, expected 200: text/html \"<html>Bad Gateway\"",
    );
    error(page(400, "text/plain", "parse error"), "answered with status 400, expected 200: text/plain \"parse error\"");
    error(
        page(200, "text/html", "<html>"),
        "answered with text/html \"<html>\", which are no lines: expected value at line 1 column 1",
    );
    error(page(200, "a", ""), "answered with a \"\", which are no lines: EOF while parsing a value at line 1 column 0");
    error(page(200, "a", "{}"), "answered with a \"{}\", which are no lines: missing field `data` at line 1 column 2");
    let matrix = r#"{"data":{"resultType":"matrix","result":[]}}"#;
    error(
        page(200, "a", matrix),
        "gave a result of type \"matrix\", expected \"streams\": the query must give lines, not numbers",
    );
    let streams =
        |values: &str| format!(r#"{{"data":{{"resultType":"streams","result":[{{"stream":{{}},"values":[{values}]}}]}}}}"#);
    error(page(200, "a", &streams(r#"["soon","x"]"#)), "gave the time \"soon\", expected nanoseconds");
    error(page(200, "a", &streams(r#"["NaN","x"]"#)), "gave the time \"NaN\", expected nanoseconds");
    for values in [r#"["1"]"#, "[1,\"x\"]", "7", "NaN"] {
        let found = watched(&says(page(200, "a", &streams(values))), &per_minute(5.0), [30]);
        assert!(found.verdict == Verdict::Error && found.sentence.contains("which are no lines"), "{}", found.sentence);
    }
    // A time before all times, and one after.
    let strange = streams(&format!(r#"["{}","ERROR"],["{}","ERROR"]"#, i64::MIN, i64::MAX));
    let sentence = "the candidate has written 0 lines, 20 are needed for a verdict";
    is(&watched(&says(page(200, "a", &strange)), &per_minute(5.0), [30]), Verdict::Inconclusive, sentence);
    let empty = r#"{"data":{"resultType":"streams","result":[]}}"#;
    is(&watched(&says(page(200, "a", empty)), &per_minute(5.0), [30]), Verdict::Inconclusive, sentence);
}

#[test]
fn what_was_known_stays_known_when_a_look_fails() {
    let loki = filled(120);
    let before = watched(&loki, &per_minute(100.0), [30]);
    let state = before.state;
    let failed = super::assess(&says(Err(Error::Timeout)), &per_minute(100.0), 60, state);
    assert_eq!(failed.verdict, Verdict::Error);
    let found = super::assess(&loki, &per_minute(100.0), 70, failed.state);
    is(&found, Verdict::Healthy, "6 error lines of the candidate in a minute, at most 100 may be (7 of 65 lines)");
    assert_eq!(STARTED_MS % 1_000, 0, "the watch begins at a whole second");
}
