//! Verdicts over evidence, good and bad.

use towpath_sdk::gate::{Evidence, Gate, Question, Verdict};
use towpath_sdk::testing::context;

use super::Plugin;

fn check(settings: &str, evidence: &[&str], verdict: Verdict, sentence: &str) {
    let attached = |content: &&str| Evidence {
        kind: "summary".to_owned(),
        name: "checks".to_owned(),
        media_type: "application/json".to_owned(),
        digest: String::new(),
        content: content.as_bytes().to_vec(),
    };
    let question = Question {
        context: context(settings),
        settings: serde_json::from_str(settings).expect("settings"),
        evidence: evidence.iter().map(attached).collect(),
    };
    let answer = Plugin::evaluate(&question);
    assert_eq!(answer.sentence, sentence);
    assert_eq!(format!("{:?}", answer.verdict), format!("{verdict:?}"));
}

#[test]
fn failed_checks_are_held_against_the_limit() {
    let evidence = r#"{"passed": 7, "failed": 1}"#;
    check("{}", &[evidence], Verdict::Fail, "1 checks failed, at most 0 may");
    check(r#"{"failedMax": 1}"#, &[evidence], Verdict::Pass, "7 checks passed, 1 failed");
}

#[test]
fn no_evidence_is_no_pass() {
    check("{}", &[], Verdict::Fail, "the artifact has no evidence of kind `summary`");
}

#[test]
fn evidence_that_cannot_be_read_is_an_error() {
    let sentence = "the evidence \"checks\" cannot be read: EOF while parsing a value at line 1 column 0";
    check("{}", &[""], Verdict::Error, sentence);
}
