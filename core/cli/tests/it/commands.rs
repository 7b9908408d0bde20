//! What commands print, and what they ask for.

use cli::Exit;
use towpath_proto::v1;

use crate::fake::{Fake, run, update};

#[tokio::test]
async fn without_a_server_the_way_to_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (exit, out, err) = run(folder.path(), "list").await;
    let expected = format!(
        "error[TP0301]: no server is running on the data folder {}\n\n\
         hint: start one with `towpath up`, or name one with --server HOST:PORT\n",
        folder.path().display()
    );
    assert_eq!((exit, out.as_str(), err), (Exit::NoServer, "", expected));
}

#[tokio::test]
async fn a_server_that_is_gone_is_no_server() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on the discard port of a test machine.
    std::fs::write(folder.path().join("server.json"), r#"{"address":"127.0.0.1:9","pid":1}"#).unwrap();
    let (exit, _, err) = run(folder.path(), "list --json").await;
    assert_eq!(exit, Exit::NoServer);
    let said: serde_json::Value = serde_json::from_str(&err).unwrap();
    assert_eq!(said["error"]["code"], "TP0301");
}

#[tokio::test]
async fn a_refusal_has_its_code_and_the_token_was_shown() {
    let fake = Fake::start().await;
    let (exit, out, err) = fake.run("service get nothing").await;
    let expected = "error[TP0111]: there is no service \"nothing\"; known: hello\n";
    assert_eq!((exit, out.as_str(), err.as_str()), (Exit::Refused, "", expected));
    assert_eq!(*fake.script.tokens.lock().unwrap(), ["Bearer secret"]);
    let (exit, _, err) = fake.run("approve d-1").await;
    let expected = "error[TP0501]: cannot approve a deployment that is shifting\n\nhint: look at it\n";
    assert_eq!((exit, err.as_str()), (Exit::Refused, expected));
}

#[tokio::test]
async fn lists_are_tables_or_json() {
    let fake = Fake::start().await;
    let (exit, out, _) = fake.run("service list").await;
    let expected = "\
NAME           VERSION  WHAT
hello          3        follows web-canary ^1.0
a-longer-name  3        \\u{1b}[31mred
";
    assert_eq!((exit, out.as_str()), (Exit::Done, expected));
    let (_, out, _) = fake.run("service list --json").await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["documents"][0]["summary"], "follows web-canary ^1.0");
    assert_eq!(out.lines().count(), 1);
}

#[tokio::test]
async fn a_deployment_is_shown_planned_and_started_as_it_was_shown() {
    let fake = Fake::start().await;
    let (exit, out, _) = fake.run("deploy hello local --release v2 --yes --request-id mine").await;
    assert_eq!((exit, out.as_str()), (Exit::Done, "1. provision\n2. shift\ndeployment d-1\n"));
    let asked = fake.script.started.lock().unwrap().remove(0);
    assert_eq!((asked.plan_hash.as_str(), asked.request_id.as_str(), asked.release.as_str()), ("p-1", "mine", "v2"));
    let (_, out, _) = fake.run("deploy hello local --release v2 --yes --json").await;
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json, serde_json::json!({"deployment_id": "d-1", "version": 1, "repeated": false}));
    assert!(!fake.script.started.lock().unwrap()[0].request_id.is_empty(), "every start can be repeated");
}

#[tokio::test]
async fn show_is_one_picture() {
    let fake = Fake::start().await;
    let (_, out, _) = fake.run("show d-7").await;
    assert!(out.starts_with("hello → local: v1 → v2  succeeded  42s"), "{out}");
    let (_, out, _) = fake.run("show d-7 --json").await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap()["id"], "d-7");
}

fn running(id: &str, ended: bool) -> v1::StatusResponse {
    let deployment = v1::DeploymentSummary {
        id: id.to_owned(),
        ended,
        phase: if ended { "succeeded" } else { "shifting" }.to_owned(),
        release_label: "v2".to_owned(),
        ..v1::DeploymentSummary::default()
    };
    let scope = v1::ScopeStatus {
        scope: Some(v1::Scope { service: "hello".to_owned(), environment: "local".to_owned() }),
        stable_label: "v1".to_owned(),
        deployment: Some(deployment),
        queued: 2,
        ..v1::ScopeStatus::default()
    };
    v1::StatusResponse { scopes: vec![scope] }
}

#[tokio::test]
async fn a_deployment_is_named_by_where_it_runs() {
    let fake = Fake::start().await;
    *fake.script.status.lock().unwrap() = running("d-4", false);
    let (exit, out, _) = fake.run("pause hello local --reason lunch --expected-version 7").await;
    assert_eq!((exit, out.as_str()), (Exit::Done, "deployment d-4 paused (version 10)\n"));
    let (verb, asked) = fake.script.commanded.lock().unwrap().remove(0);
    assert_eq!((verb, asked.deployment_id.as_str(), asked.reason.as_str()), ("pause", "d-4", "lunch"));
    assert_eq!(asked.expected_version, 7);
    *fake.script.status.lock().unwrap() = running("d-4", true);
    let (exit, _, err) = fake.run("pause hello local").await;
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("no deployment of hello runs in local; the last one is succeeded"), "{err}");
}

#[tokio::test]
async fn rollback_takes_back_what_runs_or_goes_to_what_was_before() {
    let fake = Fake::start().await;
    *fake.script.status.lock().unwrap() = running("d-4", false);
    let (_, out, _) = fake.run("rollback hello local").await;
    assert_eq!(out, "deployment d-4 is being rolled back (version 10)\n");
    *fake.script.status.lock().unwrap() = running("d-4", true);
    let (_, out, _) = fake.run("rollback hello local").await;
    assert_eq!(out, "deployment d-2\n");
    fake.script.watches.lock().unwrap().push_back((vec![update(1, "succeeded", "ended", "done")], None));
    *fake.script.status.lock().unwrap() = running("d-4", false);
    let (exit, out, _) = fake.run("rollback hello local --watch --json").await;
    assert_eq!((exit, out.lines().count()), (Exit::Done, 1), "updates and nothing else: {out}");
}

#[tokio::test]
async fn status_says_what_runs_where() {
    let fake = Fake::start().await;
    *fake.script.status.lock().unwrap() = running("d-4", false);
    let (_, out, _) = fake.run("status").await;
    let expected = "\
SERVICE  ENVIRONMENT  STABLE  PREVIOUS  DEPLOYMENT  RELEASE  PHASE
hello    local        v1      -         d-4         v2       shifting, 2 queued
";
    assert_eq!(out, expected);
}

#[tokio::test]
async fn a_path_is_checked_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("path.yaml");
    std::fs::write(&file, "apiVersion: towpath.dev/v1\nkind: GoldenPath\nmetadata: { name: x, verison: 1.0.0 }\n").unwrap();
    let (exit, _, err) = run(folder.path(), &format!("path lint {}", file.display())).await;
    assert_eq!(exit, Exit::Usage);
    assert!(err.contains("verison") && err.contains("path.yaml:3:"), "{err}");
    let (exit, _, err) = run(folder.path(), "path lint nowhere.yaml").await;
    assert_eq!(exit, Exit::Usage);
    assert!(err.starts_with("error: nowhere.yaml cannot be read: "), "{err}");
}
