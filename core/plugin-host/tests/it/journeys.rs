//! Synthetic journeys through the sandbox, against a service that keeps sessions.

use plugin_host::{Assessment, CallError, CallErrorKind, Called, Grants, HealthVerdict, HttpGrant, HttpRule, Scheme, Window};
use serde_json::{Value, json};

use crate::bundled::{candidate, plugin};
use crate::fixture::{Asked, PATIENCE, Said, Service, context};

/// Who has logged in may see the shop.
fn shop(asked: &Asked) -> Said {
    let logged_in = asked.headers.get("authorization").is_some_and(|value| value == "Bearer t-1/2");
    let json = "application/json";
    match (asked.method.as_str(), asked.target.as_str()) {
        ("POST", "/login") if asked.body == r#"{"name":"probe"}"# => (201, json, r#"{"token":"t-1/2","cart":7}"#.to_owned()),
        ("GET", "/carts/7") if logged_in => (200, json, r#"{"items":[{"state":"ready"},{"state":"ready"}]}"#.to_owned()),
        _ => (401, "text/html", "<html>".to_owned()),
    }
}

fn journey(state: &str) -> String {
    json!({ "journeys": [{ "name": "buy", "steps": [
        { "method": "POST", "path": "/login", "json": { "name": "probe" }, "expect": { "status": [201] },
          "capture": { "token": { "json": "$.token" }, "cart": { "json": "$.cart" } } },
        { "path": "/carts/$cart", "headers": { "authorization": "Bearer $token" },
          "expect": { "json": [{ "path": "$.items[?@.state != 'gone'].state", "equals": state }], "body": { "matches": "^\\{" } } }
    ] }] })
    .to_string()
}

fn may_log_in() -> Grants {
    let rule = HttpRule {
        scheme: Scheme::Http,
        host: "{subject}".to_owned(),
        port: None,
        methods: vec!["POST".to_owned()],
        path: "/login".to_owned(),
        private: true,
        credentials: None,
        response_bytes_max: None,
        timeout_ms: None,
    };
    Grants { http: Some(HttpGrant { subjects: true, allow: vec![rule] }), ..Grants::default() }
}

async fn assess(settings: &str, grants: &Grants) -> Result<Called<Assessment>, CallError> {
    let service = Service::start(shop).await;
    let subjects = candidate(format!("127.0.0.1:{}", service.port));
    plugin("health-http").assess(&context(settings, PATIENCE), &subjects, &Window::default(), grants).await
}

#[tokio::test]
async fn a_journey_logs_in_and_uses_what_it_was_given() {
    let found = assess(&journey("ready"), &may_log_in()).await.expect("an answer").answer;
    assert_eq!(found.verdict, HealthVerdict::Healthy, "{}", found.sentence);
    let found = assess(&journey("sold"), &may_log_in()).await.expect("an answer").answer;
    let why = r#"step 2 of 2 (GET /carts/$cart): $.items[?@.state != 'gone'].state is "ready", expected "sold" (2 attempts)"#;
    assert_eq!(found.sentence, format!("journey \"buy\" failed on the candidate at {why}"));
    assert_eq!(found.verdict, HealthVerdict::Unhealthy);
}

#[tokio::test]
async fn without_a_rule_for_it_nothing_is_written_to_what_is_judged() {
    let grants = Grants { http: Some(HttpGrant { subjects: true, allow: Vec::new() }), ..Grants::default() };
    let error = assess(&journey("ready"), &grants).await.expect_err("reading alone is granted");
    let CallErrorKind::Refused { power: "http", line, .. } = error.kind else { panic!("{error:?}") };
    let line: Value = serde_json::from_str(&line).expect("JSON");
    let rule = json!({ "scheme": "http", "host": "{subject}", "methods": ["POST"], "path": "/login", "private": true });
    assert_eq!(line, json!({ "http": { "allow": [rule] } }));
}

#[tokio::test]
async fn paths_and_expressions_that_nest_without_end_are_refused_and_crash_nothing() {
    let nested = "(".repeat(490);
    for expect in [json!({ "path": format!("$[?{nested}"), "exists": true }), json!({ "path": "$.a", "matches": nested })] {
        let settings = json!({ "journeys": [{ "name": "a", "steps": [{ "path": "/", "expect": { "json": [expect] } }] }] });
        let found = assess(&settings.to_string(), &Grants::default()).await.expect("no crash").answer;
        assert!(found.verdict == HealthVerdict::Error && found.sentence.contains("cannot be read"), "{}", found.sentence);
    }
}
