//! The check of lines through the sandbox: of what answers as a Loki does, and of the local runtime.

use std::sync::Arc;

use async_trait::async_trait;
use plugin_host::{
    Assessment, Grants, HealthVerdict, Options, RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, RuntimeScope,
    Subject, Subjects, Window,
};
use serde_json::{Value, json};

use crate::bundled::{loaded, plugin};
use crate::fixture::{Asked, PATIENCE, Said, Service, context, may_get};

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

/// The lines of a side: one each half second since the beginning of the watch. The candidate has one that stable never writes.
fn lines(started_ms: i64, release: &str) -> Vec<(i64, String)> {
    let line = |number: i64| match number {
        number if release == "r-2" && number % 5 == 4 => format!("ERROR cart {number} lost: token=abc{number}"),
        number => format!("GET /carts/{number} took {number}ms"),
    };
    (0..100).map(|number| (started_ms + number * 500, line(number))).collect()
}

/// Answers `query_range` with the lines of the release that the query names.
fn loki(started_ms: i64, asked: &Asked) -> Said {
    let (path, query) = asked.target.split_once('?').expect("a query");
    assert_eq!((asked.method.as_str(), path), ("GET", "/loki/api/v1/query_range"));
    let parameter = |name: &str| {
        let value = url::form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name);
        value.map(|(_, value)| value.into_owned()).expect("it is said")
    };
    let number = |name: &str| parameter(name).parse::<i64>().expect("a number");
    let release = if parameter("query") == "{app=\"web\", release=\"r-2\"}" { "r-2" } else { "r-1" };
    let range = number("start")..number("end");
    let values: Vec<Value> = lines(started_ms, release)
        .into_iter()
        .map(|(at_ms, line)| (at_ms * 1_000_000, line))
        .filter(|(at_ns, _)| range.contains(at_ns))
        .map(|(at_ns, line)| json!([at_ns.to_string(), line]))
        .collect();
    let stream = json!({ "stream": { "app": "web" }, "values": values });
    let body = json!({ "status": "success", "data": { "resultType": "streams", "result": [stream] } });
    Some((200, "application/json", body.to_string()))
}

async fn assess(port: u16, started_ms: i64, rules: &Value) -> Assessment {
    let mut settings = rules.clone();
    let query = "{app=\"$service\", release=\"$release\"}";
    settings["loki"] = json!({ "url": format!("http://127.0.0.1:{port}"), "query": query, "timeoutMs": 500 });
    let window = Window { started_ms, ends_ms: started_ms + 120_000 };
    let (context, grants) = (context(&settings.to_string(), PATIENCE), may_get(port, "/loki/api/v1/query_range"));
    plugin("health-logs").assess(&context, &subjects(), &window, &grants).await.expect("an answer").answer
}

#[tokio::test]
async fn lines_of_a_loki_are_judged_by_both_rules() {
    let started_ms = started_ms();
    let service = Service::start(move |asked| loki(started_ms, asked)).await;
    let found = assess(service.port, started_ms, &json!({ "newPatterns": {} })).await;
    assert_eq!(found.sentence, "1 new pattern, at most 0 may be: \"ERROR cart <n> lost: token=<hidden>\" (20 lines)");
    assert_eq!(found.verdict, HealthVerdict::Unhealthy);
    assert!(found.state.is_some_and(|state| state.len() < 4_096));
    let errors = |max: u32| json!({ "errors": { "matches": ["^ERROR"], "perMinuteMax": max, "shareOfStableMax": 2 } });
    let found = assess(service.port, started_ms, &errors(100)).await;
    assert_eq!(found.verdict, HealthVerdict::Unhealthy, "{}", found.sentence);
    assert!(
        found.sentence.starts_with("candidate error lines 20 % (20 of 100) against stable 0 % (0 of 100)"),
        "{}",
        found.sentence
    );
    let found = assess(service.port, started_ms, &json!({ "errors": { "matches": ["^ERROR"], "perMinuteMax": 20 } })).await;
    assert_eq!(found.verdict, HealthVerdict::Healthy, "{}", found.sentence);
}

#[tokio::test]
async fn a_loki_that_answers_with_a_page_of_errors_or_not_at_all_is_an_error() {
    let rules = json!({ "errors": { "matches": ["ERROR"], "perMinuteMax": 10 } });
    let service = Service::start(|_| Some((502, "text/html", "<h1>Bad Gateway</h1>".to_owned()))).await;
    let found = assess(service.port, started_ms(), &rules).await;
    let why = "answered with status 502, expected 200: text/html \"<h1>Bad Gateway</h1>\"";
    assert_eq!(found.sentence, format!("the Loki {why} (for the candidate's lines)"));
    assert_eq!(found.verdict, HealthVerdict::Error);
    let silent = Service::start(|_| None).await;
    let found = assess(silent.port, started_ms(), &rules).await;
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
