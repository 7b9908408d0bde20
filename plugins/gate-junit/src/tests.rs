//! Verdicts over reports, good and bad.

use towpath_sdk::Gate;
use towpath_sdk::gate::{Evidence, Question, Verdict};
use towpath_sdk::testing::conformance::{self, GateCase};
use towpath_sdk::testing::context;

use super::GateJunit;

/// As cargo-nextest writes it, shortened.
const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1" errors="0">
    <testsuite name="web" tests="4" disabled="0" errors="0" failures="1">
        <testcase name="adds" classname="web" time="0.004"/>
        <testcase name="removes &lt;all&gt;" classname="web" time="0.004"><system-out>fine</system-out></testcase>
        <testcase name="lists" classname="web" time="0.010">
            <failure type="test failure"><![CDATA[assertion <failed>]]></failure>
        </testcase>
        <testcase name="later" classname="web"><skipped/></testcase>
    </testsuite>
</testsuites>
"#;

fn check(settings: &str, reports: &[&str], verdict: Verdict, sentence: &str) {
    let evidence = |content: &&str| Evidence {
        kind: "junit".to_owned(),
        name: "unit".to_owned(),
        media_type: "application/xml".to_owned(),
        digest: String::new(),
        content: content.as_bytes().to_vec(),
    };
    let question = Question {
        context: context(settings),
        settings: serde_json::from_str(settings).expect("settings"),
        evidence: reports.iter().map(evidence).collect(),
    };
    let found = GateJunit::evaluate(&question);
    assert_eq!(found.sentence, sentence);
    assert_eq!(format!("{:?}", found.verdict), format!("{verdict:?}"));
}

#[test]
fn failed_tests_are_counted_and_named() {
    check("{}", &[REPORT], Verdict::Fail, "1 tests failed, at most 0 may (web.lists)");
    check(r#"{"failuresMax":1}"#, &[REPORT], Verdict::Pass, "3 tests ran, 1 failed, 1 were skipped");
}

#[test]
fn tests_that_are_missing_or_skipped_are_held_against_it() {
    check(r#"{"failuresMax":1,"testsMin":4}"#, &[REPORT], Verdict::Fail, "3 tests ran, at least 4 must");
    check(r#"{"failuresMax":1,"skippedMax":0}"#, &[REPORT], Verdict::Fail, "1 tests were skipped, at most 0 may be");
    check("{}", &["<testsuite/>"], Verdict::Fail, "0 tests ran, at least 1 must");
}

#[test]
fn several_reports_are_taken_together() {
    check(r#"{"failuresMax":2}"#, &[REPORT, REPORT], Verdict::Pass, "6 tests ran, 2 failed, 2 were skipped");
}

#[test]
fn no_report_is_no_pass() {
    check("{}", &[], Verdict::Fail, "the artifact has no evidence of kind `junit`");
    check(r#"{"name":"e2e"}"#, &[REPORT], Verdict::Fail, "the artifact has no evidence of kind `junit` with the name \"e2e\"");
}

#[test]
fn a_report_that_cannot_be_read_is_an_error_with_its_place() {
    let bad =
        |report, place: &str| check("{}", &[report], Verdict::Error, &format!("the report \"unit\" cannot be read: {place}"));
    bad("", "line 1, column 1: it is empty");
    bad("<html></html>", "line 1, column 1: it begins with <html>, expected <testsuites> or <testsuite>");
    bad("<testsuite>\n<testcase name=\"a\">", "line 2, column 20: it ends inside of <testcase>");
    bad("<testsuite/><testsuite/>", "line 1, column 13: there is a second report after the first");
    bad(
        "<!DOCTYPE x [<!ENTITY a \"b\">]><testsuite/>",
        "line 1, column 1: a document type is declared, which a test report does not need",
    );
}

#[test]
fn a_wrong_end_and_endless_nesting_are_errors() {
    for report in ["<testsuite><testcase></testsuite></testcase>".to_owned(), "<testsuite>".repeat(100)] {
        super::report::read(report.as_bytes()).expect_err(&report);
    }
    super::report::read(b"<testsuite>\xff</testsuite>").expect_err("not UTF-8");
}

#[test]
fn it_does_what_every_gate_owes() {
    let evidence = Evidence {
        kind: "junit".to_owned(),
        name: "unit".to_owned(),
        media_type: "application/xml".to_owned(),
        digest: String::new(),
        content: REPORT.as_bytes().to_vec(),
    };
    conformance::gate::<GateJunit>(&GateCase::new(r#"{"failuresMax":1}"#, vec![evidence]));
}
