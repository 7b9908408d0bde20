//! Processes: verified, started, restarted, stopped, listened to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use runtime::protocol::{Group, LogQuery, Side, Stream};

use crate::stage::{Caller, Stage, is_alive, scope, until, weight};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_release_folder_is_refused_with_both_digests() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let folder = stage.dir.path().join("artifacts").join(v1.artifact_digest.replace(':', "-"));
    let folder = fs::canonicalize(folder).unwrap();
    fs::set_permissions(folder.join("version"), Permissions::from_mode(0o644)).unwrap();
    fs::write(folder.join("version"), "evil").unwrap();
    let found = artifact::digest_of(&folder).unwrap();
    let desired = stage.next(Some(&v1), None, weight(0));
    stage.apply(&desired).await.unwrap();
    let status = stage.status_when(|s| s.groups[0].failed == 1).await;
    let expect = format!(
        "release folder {} changed after registration: registered {}, found {found}",
        folder.display(),
        v1.artifact_digest
    );
    assert_eq!(status.groups[0].last_error.as_deref(), Some(expect.as_str()));
    assert_eq!((status.groups[0].ready, status.groups[0].starting, status.converged), (0, 0, false));
    // Repaired, and asked for once more: the same state with the same fence is enough.
    fs::write(folder.join("version"), "v1").unwrap();
    stage.apply(&desired).await.unwrap();
    stage.status_when(|s| s.converged).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_was_never_registered_is_named() {
    let mut stage = Stage::new().await;
    let unknown = Group { artifact_digest: format!("sha256:{}", "1".repeat(64)), ..stage.release("v1", &[]) };
    let desired = stage.next(Some(&unknown), None, weight(0));
    stage.apply(&desired).await.unwrap();
    let status = stage.status_when(|s| s.groups[0].failed == 1).await;
    assert!(status.message.contains("is not in the store: no folder"), "{}", status.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashing_release_is_restarted_with_growing_pauses() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &["crash"]);
    let desired = stage.next(Some(&v1), None, weight(0));
    stage.apply(&desired).await.unwrap();
    let status = stage.status_when(|s| s.groups[0].restarts >= 2 && s.groups[0].failed == 1).await;
    assert_eq!(status.groups[0].last_error.as_deref(), Some("exited with status 7"));
    let lines = stage.client.logs(&scope(), &LogQuery { release: Some("v1".to_owned()), ..LogQuery::default() }).await.unwrap();
    let crashes: Vec<&str> = lines.iter().map(|l| l.text.as_str()).filter(|l| l.starts_with("exited")).collect();
    let expect = ["200", "400", "800"].map(|ms| format!("exited with status 7; starting again in {ms} ms"));
    assert_eq!(crashes[..3], expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_cannot_be_started_is_named() {
    let mut stage = Stage::new().await;
    let v1 = Group { command: vec!["./missing".to_owned()], ..stage.release("v1", &[]) };
    let desired = stage.next(Some(&v1), None, weight(0));
    stage.apply(&desired).await.unwrap();
    let status = stage.status_when(|s| s.groups[0].failed == 1).await;
    let error = status.groups[0].last_error.clone().unwrap();
    assert!(error.starts_with("cannot start \"./missing\": No such file or directory"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_found_in_its_folder_and_gets_a_bare_environment() {
    let mut stage = Stage::new().await;
    let source = tempfile::tempdir().unwrap();
    fs::write(source.path().join("run"), "#!/bin/sh\nexec \"$SERVICE\" scripted\n").unwrap();
    fs::set_permissions(source.path().join("run"), Permissions::from_mode(0o755)).unwrap();
    let imported = artifact::Store::open(&stage.dir.path().join("artifacts")).unwrap().import(source.path()).unwrap();
    let mut group =
        Group { command: vec!["run".to_owned()], artifact_digest: imported.digest.to_string(), ..stage.release("v1", &[]) };
    group.env.insert("SERVICE".to_owned(), crate::stage::SERVICE.to_owned());
    let endpoint = stage.bring(Some(&group), None, weight(0)).await.public_endpoint.unwrap();
    let mut caller = Caller::connect(&endpoint).await;
    assert_eq!(caller.get("/").await.1, "scripted");
    // PWD is the shell's own.
    assert_eq!(
        caller.get("/environment").await.1,
        "HOST,OTEL_RESOURCE_ATTRIBUTES,OTEL_SERVICE_NAME,PATH,PORT,PWD,SERVICE,TOWPATH_RUNTIME_DATA"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_stop_is_killed() {
    let mut stage = Stage::new().await;
    let v1 = Group { stop_timeout_ms: 100, ..stage.release("v1", &["stubborn"]) };
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let pid = Caller::connect(&endpoint).await.get("/pid").await.1;
    stage.bring(None, None, None).await;
    until("the process is gone", || !is_alive(&pid)).await;
    let query = LogQuery { release: Some("v1".to_owned()), ..LogQuery::default() };
    let last = stage.client.logs(&scope(), &query).await.unwrap().pop().unwrap();
    assert!(last.text.contains("killed after it did not stop within 100 ms; was killed by signal 9"), "{last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capacity_follows_what_is_asked_for() {
    let mut stage = Stage::new().await;
    let with = |group: &Group, instances| Group { instances, ..group.clone() };
    let v1 = stage.release("v1", &[]);
    let one = stage.bring(Some(&with(&v1, 1)), None, weight(0)).await.groups[0].endpoints.clone();
    let three = stage.bring(Some(&with(&v1, 3)), None, weight(0)).await.groups[0].endpoints.clone();
    assert!(three.len() == 3 && three.contains(&one[0]), "{one:?} {three:?}");
    let again = stage.bring(Some(&with(&v1, 1)), None, weight(0)).await.groups[0].endpoints.clone();
    assert_eq!(again, one, "the oldest stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_service_writes_can_be_read() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &[]));
    stage.bring(Some(&v1), Some(&v2), weight(0)).await;
    let query = LogQuery { side: Some(Side::Candidate), ..LogQuery::default() };
    let lines = stage.client.logs(&scope(), &query).await.unwrap();
    let written: Vec<_> = lines.iter().filter(|line| line.stream == Stream::Out).collect();
    assert!(written.len() == 1 && written[0].text.starts_with("version v2 listens on"), "{lines:?}");
    let last = LogQuery { lines: Some(1), ..query };
    assert_eq!(stage.client.logs(&scope(), &last).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_stops_every_process() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let pid = Caller::connect(&endpoint).await.get("/pid").await.1;
    stage.shutdown().await;
    assert!(!is_alive(&pid));
}
