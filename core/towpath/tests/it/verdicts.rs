//! A policy over recorded data: it decides soon after the fault, not before it, and says what is wrong with a file.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::rig::command;

const POLICY: &str = r#"{ "metrics": [{ "name": "error rate", "role": "critical", "shares": {} }] }"#;

/// The second from which on the candidate of a bad record fails.
pub(crate) const FAULT_S: u64 = 120;

/// When records begin: seconds since 1970.
pub(crate) const BEGIN_S: u64 = 1_795_000_000;

/// Ten requests a second to the candidate and ninety to stable, which fails once in a hundred; so does the candidate, until it fails once
/// in five.
pub(crate) fn record(seconds: u64, fault_s: Option<u64>) -> String {
    let mut text = "time,metric,side,events,trials\n".to_owned();
    for second in 0..seconds {
        let failing = fault_s.is_some_and(|fault| second >= fault);
        let of_candidate = if failing { 2 } else { u64::from(second % 10 == 3) };
        let of_stable = u64::from(second % 10 != 7);
        let at = BEGIN_S + second;
        writeln!(text, "{at},error rate,candidate,{of_candidate},10\n{at},error rate,stable,{of_stable},90").unwrap();
    }
    text
}

/// Replays a record, and returns the exit code, the answer and what was said on standard error.
fn replay(folder: &Path, policy: &str, record: &str) -> (Option<i32>, Value, String) {
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (policy, record) = (file("policy.json", policy), file("record.csv", record));
    let output = command(folder, &["verdict", "replay", "--json", "--policy", &policy, &record]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

#[test]
fn a_fault_is_decided_soon_after_it_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let (code, bad, said) = replay(folder.path(), POLICY, &record(300, Some(FAULT_S)));
    assert_eq!(code, Some(1), "{said}");
    let decided = &bad["changes"][usize::try_from(bad["decided"].as_u64().unwrap()).unwrap()];
    let after_s = decided["elapsed_ms"].as_u64().unwrap() / 1_000;
    assert!((FAULT_S + 1..FAULT_S + 60).contains(&after_s), "{decided}");
    assert_eq!(decided["verdict"]["outcome"], "Unhealthy", "{decided}");
    let sentence = decided["verdict"]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("candidate error rate") && sentence.contains("against stable"), "{sentence}");
    assert_eq!(bad["looks"], 300);

    let (code, good, _) = replay(folder.path(), POLICY, &record(600, None));
    assert_eq!((code, good["last"]["outcome"].as_str()), (Some(0), Some("Healthy")), "{}", good["last"]);
    // Nobody looks more often than is asked for, and a pause in the record is one look.
    let minutes = POLICY.replacen('{', r#"{ "lookEveryMs": 60000,"#, 1);
    let pause = record(60, None) + &format!("{},error rate,candidate,0,10\n", BEGIN_S + 86_400);
    assert_eq!(replay(folder.path(), &minutes, &pause).1["looks"], 2);
}

#[test]
fn every_test_takes_its_own_data() {
    let folder = tempfile::tempdir().unwrap();
    let policy = r#"{ "metrics": [
        { "name": "slow", "limit": { "limit": 0.05 } },
        { "name": "size", "mean": { "low": 0, "high": 100, "tolerance": 5, "margin": 20 } },
        { "name": "time", "times": { "thresholds": [100] }, "role": "dryRun" }
    ] }"#;
    let mut text = "time,metric,side,value,events,trials\n".to_owned();
    for second in 0..200 {
        let at = BEGIN_S + second;
        writeln!(text, "{at},slow,candidate,,5,10\n{at},size,candidate,40,,\n{at},size,stable,40,,").unwrap();
        writeln!(text, "{at},time,candidate,250,,\n{at},time,stable,{},,", if second % 2 == 0 { "NaN" } else { "50" }).unwrap();
    }
    let (code, found, said) = replay(folder.path(), policy, &text);
    assert_eq!(code, Some(1), "{said}");
    let conclusions: Vec<_> =
        found["last"]["findings"].as_array().unwrap().iter().map(|finding| finding["conclusion"].as_str().unwrap()).collect();
    assert_eq!(conclusions, ["Worse", "Good", "Worse"], "{}", found["last"]);
}

#[test]
fn a_file_that_cannot_be_used_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let header = "time,metric,side,events,trials\n";
    let row = |row: &str| format!("{header}{BEGIN_S},error rate,stable,0,9\n{row}\n");
    for (text, why) in [
        (String::new(), "column \"time\" is missing".to_owned()),
        (header.to_owned(), "it has no rows".to_owned()),
        ("time,metric,side\n".to_owned(), "expected the columns events and trials, or value".to_owned()),
        ("time,metric,side,event\n".to_owned(), "line 1: column \"event\" is not known".to_owned()),
        (row("tomorrow,error rate,stable,0,9"), "line 3: time is \"tomorrow\"".to_owned()),
        (row("1,error rate,stable,0,9"), format!("line 3: time is {} ms before", (BEGIN_S - 1) * 1_000)),
        (row("1795000001,errors,stable,0,9"), "line 3: metric is \"errors\", the policy has error rate".to_owned()),
        (row("1795000001,error rate,canary,0,9"), "line 3: side is \"canary\", expected candidate or stable".to_owned()),
        (row("1795000001,error rate,stable,x,9"), "line 3: events is \"x\", expected a number".to_owned()),
        (row("1795000001,error rate,stable,-1,9"), "line 3: ".to_owned()),
        (row("1795000001,error rate,stable,10,9"), "line 3: ".to_owned()),
        (row("1795000001,error rate,stable,NaN,9"), "line 3: ".to_owned()),
        (row("1795000001,error rate,stable,0"), "line: 3".to_owned()),
    ] {
        let (code, _, said) = replay(folder.path(), POLICY, &text);
        assert!(
            code == Some(2) && said.contains("TP0701") && said.contains("record.csv") && said.contains(&why),
            "{text}\n{code:?} {said}"
        );
    }
    let (code, _, said) = replay(folder.path(), "{\n  \"metric\": 1 }", header);
    assert!(code == Some(2) && said.contains("policy.json") && said.contains("line 2 column"), "{said}");
}
