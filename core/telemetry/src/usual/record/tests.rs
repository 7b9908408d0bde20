//! The matrix of programs and forms: what was written by an old program, by this one, and by a newer one.

use std::collections::BTreeMap;

use model::{EnvironmentName, Scope, ServiceName};

use super::*;
use crate::usual::hour::Hour;
use crate::usual::minute::{MINUTE_MS, Minute};
use crate::usual::shelf::Kept;
use crate::usual::{Aspect, Baselines};

/// As the first program wrote it, on Monday, 2026-11-23. Never edited.
const FORM_1: &str = r#"{"form":1,"service":"web","environment":"production","metric":"http.server.request.duration","unit":"s","mean":{"hours":[[0,2969,60.0,60.0,0.25,1.5],[9,2969,90.5,60.0,0.5,2.0]],"days":[[20779,120.0,0.25],[20780,120.0,0.5]]},"errors":{"hours":[[0,2969,60.0,60.0,0.01,0.0001]],"days":[]}}"#;

const MONDAY: i64 = 1_795_392_000_000;

fn scope() -> Scope {
    Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("production").unwrap() }
}

fn unreadable(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

/// Returns what many minutes teach.
fn learnt() -> Baseline {
    let mut baseline = Baseline::default();
    for minute in 0..5_100 {
        let value = f64::from(minute % 37) / 7.0;
        let (mean, errors, amount) = (Some(value), Some(value / 100.0), Some(value * 60.0));
        let start_ms = MONDAY + i64::from(minute) * 2 * MINUTE_MS;
        baseline.learn(&Minute { metric: "time", unit: "s", mean, errors, amount }, start_ms);
    }
    baseline
}

#[test]
fn what_the_first_program_wrote_is_read() {
    let (of, metric, baseline) = read(FORM_1).unwrap();
    assert_eq!((of, metric.as_str(), baseline.unit.as_str()), (scope(), "http.server.request.duration", "s"));
    let mean = baseline.mean.as_ref().unwrap();
    let hour = Hour { week: 2_969, weight: 90.5, squared_weight: 60.0, mean: 0.5, deviations: 2.0 };
    assert_eq!((mean.hours[9], mean.hours[10]), (hour, Hour::default()));
    assert_eq!(mean.days.0.back().map(|day| (day.day, day.minutes, day.mean)), Some((20_780, 120.0, 0.5)));
    assert!(baseline.rate.is_none() && !baseline.changed);
    assert_eq!(write(&scope(), &metric, &baseline), FORM_1, "and is written as it was");
}

#[test]
fn what_this_program_writes_is_read_with_seven_digits() {
    let baseline = learnt();
    let text = write(&scope(), "time", &baseline);
    let (of, metric, back) = read(&text).unwrap();
    assert_eq!((of, metric.as_str()), (scope(), "time"));
    for aspect in Aspect::ALL {
        for hour in 0..168 {
            let at_ms = MONDAY + hour * 3_600_000;
            let (before, after) = (baseline.expected(aspect, at_ms).unwrap(), back.expected(aspect, at_ms).unwrap());
            assert_eq!(before.minutes, after.minutes, "{aspect:?} {hour}");
            for (one, other) in [(before.mean, after.mean), (before.deviation, after.deviation)] {
                assert!((one - other).abs() <= 1e-5 * one.abs(), "{aspect:?} {hour}: {one} became {other}");
            }
        }
    }
    assert!(text.len() < RECORD_BYTES_MAX / 4, "{} bytes", text.len());
    assert_eq!(write(&scope(), "time", &back), text, "nothing is lost a second time");
}

#[test]
fn what_a_newer_program_wrote_is_left_as_it_is() {
    let newer = FORM_1.replace(r#""form":1"#, r#""form":2,"more":[]"#);
    assert_eq!(unreadable(&newer), "it has form 2, this program knows up to 1");
    let key = key(&scope(), "http.server.request.duration");
    let mut baselines = Baselines::default();
    let unread = baselines.restore(vec![Kept { key, record: newer }]);
    assert_eq!(unread.len(), 1, "{unread:?}");
    assert!(unread[0].contains("form 2"), "{unread:?}");
    // It is learnt again, in memory alone.
    let minute = Minute { metric: "http.server.request.duration", unit: "s", mean: Some(1.0), errors: None, amount: None };
    baselines.learn_minute(&scope(), std::slice::from_ref(&minute), MONDAY);
    baselines.learn_minute(&scope(), &[Minute { metric: "other", ..minute }], MONDAY);
    assert_eq!(baselines.changed(), [(scope(), "other".to_owned())]);
    baselines.forget_old(MONDAY + 90 * 86_400_000);
    assert_eq!(baselines.gone(), [(scope(), "other".to_owned())], "nor is it removed");
}

#[test]
fn what_is_damaged_is_told_and_learnt_again() {
    let changed = |from: &str, to: &str| unreadable(&FORM_1.replace(from, to));
    assert!(unreadable("").contains("not of its form"));
    assert!(changed(r#""form":1"#, r#""form":0"#).contains("there is no form 0"));
    assert!(changed(r#""unit":"s""#, r#""unit":"s","more":1"#).contains("unknown field `more`"));
    assert!(changed("[0,2969,60.0,60.0,0.25,1.5]", "[168,2969,60.0,60.0,0.25,1.5]").contains("there is no hour 168"));
    assert!(changed("[9,2969,90.5,60.0,0.5,2.0]", "[9,2969,-1,60.0,0.5,2.0]").contains("hour 9 cannot be"));
    assert!(changed("[9,2969,90.5,60.0,0.5,2.0]", "[9,2969,1,60.0,0.5,-2.0]").contains("hour 9 cannot be"));
    assert!(changed("[20780,120.0,0.5]", "[20779,120.0,0.5]").contains("day 20779 cannot be"));
    assert!(changed("[20780,120.0,0.5]", "[20780,null,0.5]").contains("not of its form"));
    assert!(changed(r#""service":"web""#, r#""service":"Web""#).contains("service name"));
    assert!(unreadable(&" ".repeat(RECORD_BYTES_MAX + 1)).contains("at most 262144 are read"));
    let mut baselines = Baselines::default();
    let key = key(&scope(), "time");
    assert_eq!(baselines.restore(vec![Kept { key, record: "{".to_owned() }]).len(), 1);
    let minute = Minute { metric: "time", unit: "s", mean: Some(1.0), errors: None, amount: None };
    baselines.learn_minute(&scope(), &[minute], MONDAY);
    assert_eq!(baselines.changed(), [(scope(), "time".to_owned())], "the next record takes its place");
}

#[test]
fn any_text_is_read_or_refused() {
    let mut seen = BTreeMap::new();
    for at in 0..FORM_1.len() {
        for byte in [b'0', b'"', b'-', b'}', b'e'] {
            let mut text = FORM_1.as_bytes().to_vec();
            text[at] = byte;
            *seen.entry(read(&String::from_utf8(text).unwrap()).is_ok()).or_insert(0) += 1;
        }
    }
    assert!(seen[&true] > 0 && seen[&false] > 0, "{seen:?}");
}
