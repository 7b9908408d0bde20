//! The check of lines through the sandbox: of a double of Loki, and of the local runtime.

use std::sync::Arc;

use async_trait::async_trait;
use plugin_host::{
    Assessment, Grants, HealthVerdict, Options, RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, RuntimeScope,
    Subject, Subjects, Window,
};
use serde_json::{Value, json};
use test_observability::{Fault, LokiDouble};

use crate::bundled::{loaded, plugin};
use crate::fixture::{PATIENCE, context, may_get};

/// When the watch began: a minute before now.
fn started_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond() - 60_000
}

fn subjects() -> Subjects {
    let side = |release: &str, label: &str| {
        Some(Subject { release: release.to_owned(), label: label.to_owned(), basis_points: 5_000, ..Subject::default() })
    };
    Subjects { stable: side("r-1", "v1"), candidate: side("r-2", "v2"), public_endpoint: None }
}

/// The lines of a side: one each half second since the beginning of the watch. The candidate has some that stable never writes.
fn lines(started_ms: i64, release: &str) -> Vec<(i64, String)> {
    let line = |number: i64| match number {
        number if release == "r-2" && number % 5 == 4 => format!("ERROR cart {number} lost: token=abc{number}"),
        number => format!("GET /carts/{number} took {number}ms"),
    };
    (0..100).map(|number| (started_ms + number * 500, line(number))).collect()
}

/// Returns a Loki that has the lines of both sides.
fn loki(started_ms: i64) -> LokiDouble {
    let loki = LokiDouble::start();
    for release in ["r-1", "r-2"] {
        let lines = lines(started_ms, release);
        let lines: Vec<_> = lines.iter().map(|(at_ms, line)| (at_ms * 1_000_000, line.as_str())).collect();
        loki.push(&[("app", "web"), ("release", release)], &lines);
    }
    loki
}

async fn assess(loki: &LokiDouble, started_ms: i64, rules: &Value) -> Assessment {
    let (mut settings, port) = (rules.clone(), loki.address().port());
    let query = "{app=\"$service\", release=\"$release\"} |~ `^(GET|ERROR) `";
    settings["loki"] = json!({ "url": loki.url(), "query": query, "timeoutMs": 500 });
    let window = Window { started_ms, ends_ms: started_ms + 120_000 };
    let (context, grants) = (context(&settings.to_string(), PATIENCE), may_get(port, "/loki/api/v1/query_range"));
    plugin("health-logs").assess(&context, &subjects(), &window, &grants).await.expect("an answer").answer
}

#[tokio::test]
async fn lines_of_a_loki_are_judged_by_both_rules() {
    let started_ms = started_ms();
    let loki = loki(started_ms);
    let found = assess(&loki, started_ms, &json!({ "newPatterns": {} })).await;
    assert_eq!(found.sentence, "1 new pattern, at most 0 may be: \"ERROR cart <n> lost: token=<hidden>\" (20 lines)");
    assert_eq!(found.verdict, HealthVerdict::Unhealthy);
    assert!(found.state.is_some_and(|state| state.len() < 4_096));
    let errors = |max: u32| json!({ "errors": { "matches": ["^ERROR"], "perMinuteMax": max, "shareOfStableMax": 2 } });
    let found = assess(&loki, started_ms, &errors(100)).await;
    assert_eq!(found.verdict, HealthVerdict::Unhealthy, "{}", found.sentence);
    assert!(
        found.sentence.starts_with("candidate error lines 20 % (20 of 100) against stable 0 % (0 of 100)"),
        "{}",
        found.sentence
    );
    let found = assess(&loki, started_ms, &json!({ "errors": { "matches": ["^ERROR"], "perMinuteMax": 20 } })).await;
    assert_eq!(found.verdict, HealthVerdict::Healthy, "{}", found.sentence);
}

#[tokio::test]
async fn a_loki_that_answers_with_a_page_of_errors_or_not_at_all_is_an_error() {
    let rules = json!({ "errors": { "matches": ["ERROR"], "perMinuteMax": 10 } });
    let started_ms = started_ms();
    let loki = loki(started_ms);
    assert_eq!(assess(&loki, started_ms, &rules).await.verdict, HealthVerdict::Unhealthy);
    loki.set_fault(Some(Fault::Says(502, "text/html", "<h1>Bad Gateway</h1>".to_owned())));
    let found = assess(&loki, started_ms, &rules).await;
    let why = "answered with status 502, expected 200: text/html \"<h1>Bad Gateway</h1>\"";
    assert_eq!(found.sentence, format!("the Loki {why} (for the candidate's lines)"));
    assert_eq!(found.verdict, HealthVerdict::Error);
    loki.set_fault(Some(Fault::Hangs));
    let found = assess(&loki, started_ms, &rules).await;
    assert_eq!(found.sentence, "the Loki cannot be asked: no answer in time (for the candidate's lines)");
    assert_eq!(found.verdict, HealthVerdict::Error);
}

/// A runtime whose releases wrote lines.
struct Writing(i64);

#[async_trait]
impl RuntimeBackend for Writing {
    async fn apply(&self, _: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        Ok(desired)
    }

    async fn status(&self, _: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        Ok(None)
    }

    async fn logs(&self, _: &RuntimeScope, release: &str, _: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        let line = |(at_ms, text)| RuntimeLogLine { at_ms, instance: 0, stream: RuntimeLogStream::Output, text };
        Ok(lines(self.0, release).into_iter().map(line).collect())
    }
}

#[tokio::test]
async fn lines_of_the_local_runtime_are_judged() {
    let started_ms = started_ms();
    let plugin = loaded("health-logs", Options { runtime: Some(Arc::new(Writing(started_ms))), ..Options::default() });
    let settings = json!({ "runtime": {}, "newPatterns": { "matches": ["ERROR|GET"] }, "errors": { "matches": ["ERROR"], "perMinuteMax": 19 } });
    let (context, grants) = (context(&settings.to_string(), PATIENCE), Grants { runtime: true, ..Grants::default() });
    let window = Window { started_ms, ends_ms: started_ms + 120_000 };
    let found = plugin.assess(&context, &subjects(), &window, &grants).await.expect("an answer").answer;
    assert_eq!(found.verdict, HealthVerdict::Unhealthy);
    let errors = "20 error lines of the candidate in a minute, at most 19 may be (20 of 100 lines)";
    let pattern = "1 new pattern, at most 0 may be: \"ERROR cart <n> lost: token=<hidden>\" (20 lines)";
    assert_eq!(found.sentence, format!("{errors}; {pattern}"));
}
