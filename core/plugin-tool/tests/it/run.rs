//! One call from a file, with all that it did.

use plugin_tool::ToolError;
use plugin_tool::call::Said;
use plugin_tool::run::{RunOptions, run};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::fixture::{bundled, now_ms, workshop};

async fn ran(component: Vec<u8>, call: &Value) -> Result<Said, ToolError> {
    let folder = test_plugins::workspace().join("examples/gate-coverage-js");
    let (call, cache_dir) = (call.to_string().into(), Some(workshop().compiled()));
    run(&RunOptions { component, call, folder, cache_dir }, now_ms).await
}

/// Serves requests with success and this body until the test ends; returns where.
async fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = connection.read(&mut request).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
            // A client that goes away early is its own affair.
            if read.is_ok() && connection.write_all(answer).await.is_err() {}
        }
    });
    address.to_string()
}

#[tokio::test]
async fn a_gate_in_javascript_answers_over_evidence_in_a_file() {
    let lcov = "SF:a.js\nLF:10\nLH:9\nend_of_record\n";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("unit.lcov"), lcov).expect("written");
    let call = json!({ "call": "evaluate", "evidence": [{ "kind": "lcov", "content": { "file": "unit.lcov" } }] });
    let options = RunOptions {
        component: workshop().example("gate-coverage-js"),
        call: call.to_string().into(),
        folder: folder.path().to_owned(),
        cache_dir: Some(workshop().compiled()),
    };
    let said = run(&options, now_ms).await.expect("run");
    let answer = said.answer.expect("an answer");
    assert_eq!((&answer["verdict"], &answer["sentence"]), (&json!("pass"), &json!("90.0% of the lines are covered")));
    assert_eq!(answer["measurements"][0]["value"], 90.0);
}

#[tokio::test]
async fn a_health_check_in_python_shows_every_request_that_it_sent() {
    let endpoint = server().await;
    let call = json!({
        "call": "assess",
        "settings": { "samplesPerLook": 3, "samplesMin": 3, "latencyMsMax": 60_000 },
        "grants": { "http": { "subjects": true } },
        "subjects": { "candidate": { "release": "v2", "endpoint": endpoint } },
    });
    let said = ran(workshop().example("health-latency-py"), &call).await.expect("run");
    let answer = said.answer.as_ref().unwrap_or_else(|| panic!("{said:?}"));
    assert_eq!(answer["verdict"], "healthy", "{said:?}");
    let state: Value = serde_json::from_str(answer["state"]["text"].as_str().expect("a text")).expect("JSON");
    assert_eq!(state["latenciesMs"].as_array().map(Vec::len), Some(3));
    let what: Vec<_> = said.uses.iter().map(|one| (one.power, one.outcome)).collect();
    assert_eq!(what.iter().filter(|one| **one == ("http", "done")).count(), 3, "{what:?}");
    assert_eq!(said.uses.iter().find(|one| one.power == "http").expect("one").what, format!("GET http://{endpoint}/"));
}

#[tokio::test]
async fn a_refused_power_ends_the_call_and_names_the_grant() {
    let call = json!({
        "call": "assess",
        "subjects": { "candidate": { "release": "v2", "endpoint": "127.0.0.1:1" } },
    });
    for component in [workshop().example("health-latency-py"), bundled("health-http")] {
        let said = ran(component, &call).await.expect("run");
        assert!(said.answer.is_none());
        let error = said.error.expect("what stopped it");
        assert!(error.contains("may not use `http`") && error.contains(r#"{"http":{"subjects":true}}"#), "{error}");
        assert!(said.uses.iter().any(|one| one.outcome == "refused"), "{:?}", said.uses);
    }
}

#[tokio::test]
async fn a_call_that_cannot_be_read_is_named() {
    let error = ran(bundled("gate-junit"), &json!({ "call": "evaluate", "evidences": [] })).await.expect_err("no call");
    assert!(error.to_string().contains("unknown field `evidences`"), "{error}");
    let error = ran(bundled("gate-junit"), &json!({ "call": "judge" })).await.expect_err("no call");
    assert!(error.to_string().contains("unknown variant `judge`, expected one of"), "{error}");
}

#[tokio::test]
async fn a_question_of_another_kind_is_said_to_be_one() {
    let said = ran(bundled("gate-junit"), &json!({ "call": "observe" })).await.expect("run");
    assert_eq!(said.error.as_deref(), Some("the plugin is no target, it is of kind gate"));
}
