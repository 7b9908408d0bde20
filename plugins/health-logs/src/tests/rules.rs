//! The rules, over lines of the local runtime.

use serde_json::{Value, json};
use towpath_sdk::health::Verdict;
use towpath_sdk::powers::runtime::LogStream;
use towpath_sdk::testing::in_world;
use towpath_sdk::{HealthCheck, Side};

use super::world::{Runtime, Source};
use super::{STARTED_MS, assess, is, look, measured, per_minute, watched};
use crate::HealthLogs;

/// Returns a runtime in which the candidate writes these lines, one a second from the beginning of the watch on.
fn writes(lines: &[&str]) -> Runtime {
    let mut runtime = Runtime::default();
    for (second, line) in (0_i64..).zip(lines) {
        runtime.write("r-2", STARTED_MS + second * 1_000, line);
    }
    runtime
}

#[test]
fn error_lines_of_a_minute_are_held_against_the_limit() {
    let mut lines = vec!["served"; 100];
    (lines[10], lines[20], lines[90]) = ("ERROR a", "ERROR b", "ERROR c");
    let found = watched(&writes(&lines), &per_minute(2.0), [30, 60, 120]);
    is(&found, Verdict::Healthy, "2 error lines of the candidate in a minute, at most 2 may be (3 of 100 lines)");
    assert_eq!(measured(&found, "error-lines-per-minute", Side::Candidate), Some((2.0, Some(2.0), Some(100))));
    assert_eq!(measured(&found, "lines", Side::Candidate), Some((100.0, Some(20.0), Some(100))));
    // In any minute, also over two looks.
    lines[71] = "ERROR d";
    let found = watched(&writes(&lines), &per_minute(2.0), [72, 120]);
    is(&found, Verdict::Healthy, "2 error lines of the candidate in a minute, at most 2 may be (4 of 100 lines)");
    lines[65] = "ERROR e";
    let found = watched(&writes(&lines), &per_minute(2.0), [65, 120]);
    is(&found, Verdict::Unhealthy, "3 error lines of the candidate in a minute, at most 2 may be (5 of 100 lines)");
}

#[test]
fn exceptions_are_no_errors() {
    let settings =
        json!({ "runtime": {}, "errors": { "matches": ["(?i)error"], "except": ["no error", "^DEBUG"], "perMinuteMax": 0 } });
    let mut lines = vec!["served with no error"; 30];
    lines[3] = "DEBUG an Error";
    let found = watched(&writes(&lines), &settings, [60]);
    is(&found, Verdict::Healthy, "0 error lines of the candidate in a minute, at most 0 may be (0 of 30 lines)");
}

#[test]
fn no_line_and_few_lines_are_not_healthy() {
    let found = watched(&Runtime::default(), &per_minute(5.0), [60]);
    is(&found, Verdict::Inconclusive, "the candidate has written 0 lines, 20 are needed for a verdict");
    let found = watched(&writes(&["served"]), &per_minute(5.0), [60]);
    is(&found, Verdict::Inconclusive, "the candidate has written 1 line, 20 are needed for a verdict");
    // Too many errors are certain before enough lines came.
    let found = watched(&writes(&["ERROR"; 6]), &per_minute(5.0), [60]);
    is(&found, Verdict::Unhealthy, "6 error lines of the candidate in a minute, at most 5 may be (6 of 6 lines)");
}

#[test]
fn lines_of_before_and_of_the_runtime_itself_do_not_count() {
    let mut runtime = writes(&["served"; 30]);
    (1..50).for_each(|before| runtime.write("r-2", STARTED_MS - before * 10, "ERROR at the start"));
    (0..50).for_each(|after| runtime.write_to("r-2", STARTED_MS + after * 10, LogStream::Runtime, "ERROR: ended with status 1"));
    runtime.write_to("r-2", STARTED_MS + 5, LogStream::Errors, "ERROR once");
    let found = watched(&runtime, &per_minute(1.0), [60]);
    is(&found, Verdict::Healthy, "1 error lines of the candidate in a minute, at most 1 may be (1 of 31 lines)");
}

#[test]
fn lines_at_the_border_of_two_looks_count_once_and_equal_ones_as_often_as_they_are() {
    let mut runtime = Runtime::default();
    // At the very instants up to which looks read.
    for second in 0..40 {
        runtime.write("r-2", STARTED_MS + second * 1_000 + 500, "ERROR again");
        runtime.write("r-2", STARTED_MS + second * 1_000 + 500, "ERROR again");
    }
    let found = watched(&runtime, &per_minute(1_000.0), 1..=41);
    is(&found, Verdict::Healthy, "80 error lines of the candidate in a minute, at most 1000 may be (80 of 80 lines)");
}

#[test]
fn more_lines_than_the_runtime_keeps_are_estimated_and_said() {
    let mut runtime = Runtime::default();
    // A hundred lines a second, each tenth an error; a thousand are kept, of the last ten seconds.
    for line in 0..6_000 {
        runtime.write("r-2", STARTED_MS + line * 10, if line % 10 == 0 { "ERROR" } else { "served" });
    }
    let found = watched(&runtime, &per_minute(500.0), [60]);
    assert_eq!(found.verdict, Verdict::Unhealthy);
    let (worst, limit, samples) = measured(&found, "error-lines-per-minute", Side::Candidate).expect("measured");
    assert!((550.0..650.0).contains(&worst) && limit == Some(500.0), "{worst}");
    assert!(samples.is_some_and(|samples| samples <= 1_000), "{samples:?}");
    assert!(
        found.sentence.starts_with("about ") && found.sentence.ends_with("not all lines were read, those of 9.5 of 59.5 s were"),
        "{}",
        found.sentence
    );
}

fn beside_stable() -> Value {
    json!({ "runtime": {}, "errors": { "matches": ["ERROR"], "shareOfStableMax": 1.0 } })
}

/// Both sides write; each so many lines a second, of which every nth is an error.
fn both(seconds: i64, stable: (i64, i64), candidate: (i64, i64)) -> Runtime {
    let mut runtime = Runtime::default();
    for (release, (lines, every)) in [("r-1", stable), ("r-2", candidate)] {
        for line in 0..seconds * lines {
            let text = if line % every == every - 1 { "ERROR" } else { "served" };
            runtime.write(release, STARTED_MS + line * 1_000 / lines, text);
        }
    }
    runtime
}

#[test]
fn error_lines_are_compared_with_stables_by_their_share() {
    // A twentieth of the traffic, the same share of errors: far fewer in a minute, and no better.
    let found = watched(&both(300, (20, 50), (1, 50)), &beside_stable(), (10..=300).step_by(10));
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    assert!(found.sentence.contains("against stable 2 %"), "{}", found.sentence);
    let found = watched(&both(120, (20, 50), (2, 5)), &beside_stable(), (10..=120).step_by(10));
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.sentence);
    assert!(
        found.sentence.contains("against stable 2 %") && found.sentence.contains("certain enough after"),
        "{}",
        found.sentence
    );
    let (evidence, needed, _) = measured(&found, "evidence-of-more-error-lines", Side::Candidate).expect("measured");
    assert!(Some(evidence) > needed && needed == Some(100.0), "{evidence}");
    let share = found.measurements.iter().find(|measured| measured.name == "error-lines-share").expect("measured");
    assert!(share.interval.is_some_and(|interval| interval.low < share.value && share.value < interval.high), "{share:?}");
    assert!(
        found.measurements[2].test.as_deref().is_some_and(|test| test.contains("anytime-valid")),
        "{:?}",
        found.measurements[2]
    );
}

#[test]
fn lines_that_are_all_errors_or_never_are_judged_too() {
    let found = watched(&both(60, (10, 1), (10, 1)), &beside_stable(), (10..=60).step_by(10));
    assert_eq!(found.verdict, Verdict::Healthy, "both sides say nothing else: {}", found.sentence);
    let found = watched(&both(60, (10, 1_000_000), (10, 1_000_000)), &beside_stable(), (10..=60).step_by(10));
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    let found = watched(&both(60, (10, 1_000_000), (10, 1)), &beside_stable(), [10]);
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.sentence);
}

#[test]
fn without_stable_nothing_is_compared() {
    let alone = |settings: &Value| {
        let mut look = look(settings, 60, None);
        look.subjects.stable.as_mut().expect("a side").basis_points = 0;
        in_world(writes(&["served"; 50]).at(look.context.now_ms), || HealthLogs::assess(&look))
    };
    let found = alone(&beside_stable());
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.sentence.contains("no error lines of stable"), "{}", found.sentence);
    let mut both = beside_stable();
    both["errors"]["perMinuteMax"] = json!(1);
    is(&alone(&both), Verdict::Healthy, "0 error lines of the candidate in a minute, at most 1 may be (0 of 50 lines)");
}

fn new_patterns() -> Value {
    json!({ "runtime": {}, "newPatterns": {}, "linesMin": 5 })
}

/// Stable's usual lines, before the watch and in it, and the candidate's.
fn usual() -> Runtime {
    let mut runtime = Runtime::default();
    for line in 0..20 {
        runtime.write("r-1", STARTED_MS - 60_000 + line * 1_000, &format!("started worker {line} in {line}ms"));
        runtime.write("r-1", STARTED_MS + line * 1_000, &format!("GET /carts/{line} 200"));
        runtime.write("r-2", STARTED_MS + line * 1_000, &format!("GET /carts/{line} 200"));
        runtime.write("r-2", STARTED_MS + line * 1_000, &format!("started worker {line} in {line}ms"));
    }
    runtime
}

#[test]
fn patterns_that_stable_wrote_before_or_in_the_watch_are_not_new() {
    let found = watched(&usual(), &new_patterns(), [10, 20, 30]);
    is(&found, Verdict::Healthy, "0 new patterns beside 2 patterns of stable, 0 may be");
    assert_eq!(measured(&found, "new-patterns", Side::Candidate), Some((0.0, Some(0.0), Some(40))));
    assert_eq!(measured(&found, "patterns-known", Side::Stable), Some((2.0, None, Some(40))));
}

#[test]
fn a_pattern_that_the_candidate_alone_writes_is_named_with_an_example() {
    let mut runtime = usual();
    for (second, user) in [(3, "ann"), (4, "bob")] {
        runtime.write(
            "r-2",
            STARTED_MS + second * 1_000,
            &format!("ERROR cart of {user} lost: token=abc123 at 0xbeef \u{1b}[31m"),
        );
    }
    let found = watched(&runtime, &new_patterns(), [10, 30]);
    assert_eq!(found.verdict, Verdict::Healthy, "twice is not yet a pattern: {}", found.sentence);
    runtime.write("r-2", STARTED_MS + 25_000, "ERROR cart of cy lost: token=def456 at 0xbeef");
    let found = watched(&runtime, &new_patterns(), [10, 30]);
    is(
        &found,
        Verdict::Unhealthy,
        "1 new pattern, at most 0 may be: \"ERROR cart of ann lost: token=<hidden> at <id>\" (3 lines)",
    );
    let mut settings = new_patterns();
    settings["newPatterns"]["max"] = json!(1);
    is(&watched(&runtime, &settings, [30]), Verdict::Healthy, "1 new pattern beside 2 patterns of stable, 1 may be");
    settings["newPatterns"] = json!({ "matches": ["^WARN"] });
    let found = watched(&runtime, &settings, [30]);
    is(&found, Verdict::Inconclusive, "0 lines of stable are known, 5 are needed to tell which patterns are new");
    // Stable writes it as well, only later.
    for line in 0..3 {
        runtime.write("r-1", STARTED_MS + 35_000 + line, "ERROR cart of eve lost: token=x at 0x1");
        runtime.write("r-1", STARTED_MS + 35_000 + line, "ERROR cart of dan lost: token=x at 0x1");
    }
    assert_eq!(watched(&runtime, &new_patterns(), [10, 30, 40]).verdict, Verdict::Healthy);
}

#[test]
fn several_new_patterns_are_counted_and_the_sentence_stays_short() {
    let mut runtime = usual();
    for word in ["alpha", "beta", "gamma", "delta"] {
        (0..5).for_each(|line| runtime.write("r-2", STARTED_MS + line, &format!("{word} {}", "very ".repeat(200))));
    }
    let found = watched(&runtime, &new_patterns(), [30]);
    assert!(
        found.sentence.starts_with("4 new patterns, at most 0 may be: ") && found.sentence.ends_with(", and 2 more"),
        "{}",
        found.sentence
    );
    assert!(found.sentence.chars().count() < 450, "{}", found.sentence);
}

#[test]
fn where_stable_writes_no_end_of_patterns_none_is_new() {
    let mut runtime = usual();
    let word = |number: i64| format!("{} {} x", letters(number), letters(number * 7 + 1));
    (0..900).for_each(|number| runtime.write("r-1", STARTED_MS - 1_000, &word(number)));
    let found = watched(&runtime, &new_patterns(), [30]);
    let why = "stable writes more than 400 patterns, so that it is not known which are new; narrow newPatterns.matches";
    is(&found, Verdict::Inconclusive, why);
}

/// Returns a number in letters: digits would be masked.
fn letters(number: i64) -> String {
    format!("{number:05}").bytes().map(|digit| char::from(digit - b'0' + b'g')).collect()
}

#[test]
fn binary_garbage_is_one_pattern_and_crashes_nothing() {
    let mut runtime = usual();
    for number in 0..200_u32 {
        let bytes: Vec<u8> = (0..40).map(|place| (number.wrapping_mul(2_654_435_761).rotate_left(place) % 256) as u8).collect();
        runtime.write("r-2", STARTED_MS + i64::from(number), &String::from_utf8_lossy(&bytes));
    }
    let found = watched(&runtime, &new_patterns(), [30]);
    assert!(matches!(found.verdict, Verdict::Healthy | Verdict::Unhealthy), "{}", found.sentence);
    assert!(!found.sentence.contains(char::is_control), "{:?}", found.sentence);
}

#[test]
fn what_is_remembered_stays_small() {
    let settings = json!({ "runtime": {}, "newPatterns": { "max": 1000 }, "linesMin": 1,
                           "errors": { "matches": ["g"], "perMinuteMax": 1_000_000, "shareOfStableMax": 1.5 } });
    let mut runtime = Runtime::default();
    // Long lines of words that are all different, with all that JSON has to escape.
    let line = |number: i64| (0..40).map(|place| format!("{}\"\\é", letters(number * 40 + place))).collect::<Vec<_>>().join(" ");
    (0..1_000).for_each(|number| runtime.write("r-1", STARTED_MS - 1_000, &line(number)));
    (0..1_000).for_each(|number| runtime.write("r-2", STARTED_MS + number * 50, &line(number + 2_000)));
    let found = watched(&runtime, &settings, [20, 40, 60]);
    let bytes = found.state.expect("a state").len();
    assert!((30_000..60_000).contains(&bytes), "{bytes}");
}

#[test]
fn what_another_watch_left_is_not_used() {
    let state = assess(&writes(&["ERROR"; 10]), &per_minute(5.0), 20, None).state;
    let mut later = look(&per_minute(5.0), 60, state);
    later.window.started_ms += 30_000;
    let found = in_world(writes(&["ERROR"; 10]).at(later.context.now_ms), || HealthLogs::assess(&later));
    is(&found, Verdict::Inconclusive, "the candidate has written 0 lines, 20 are needed for a verdict");
}
