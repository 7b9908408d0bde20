//! What services are told about themselves for their telemetry.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use runtime::protocol::Group;

use crate::stage::{Caller, SERVICE, Stage, weight};

/// A release whose version is what it was told, one variable after the other.
fn release(stage: &Stage, version: &str) -> Group {
    let source = tempfile::tempdir().unwrap();
    let told = "$OTEL_SERVICE_NAME $OTEL_RESOURCE_ATTRIBUTES $OTEL_EXPORTER_OTLP_ENDPOINT";
    fs::write(source.path().join("run"), format!("#!/bin/sh\n# {version}\nexec \"{SERVICE}\" \"{told}\"\n")).unwrap();
    fs::set_permissions(source.path().join("run"), Permissions::from_mode(0o755)).unwrap();
    let imported = artifact::Store::open(&stage.dir.path().join("artifacts")).unwrap().import(source.path()).unwrap();
    let digest = imported.digest.to_string();
    Group { command: vec!["./run".to_owned()], artifact_digest: digest, ..stage.release(version, &[]) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_is_told_who_it_is_unless_it_is_told_otherwise() {
    let mut stage = Stage::watched().await;
    let (v1, mut v2) = (release(&stage, "r:1"), release(&stage, "r:2"));
    v2.env.insert("OTEL_SERVICE_NAME".to_owned(), "mine".to_owned());
    v2.env.insert("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), "http://127.0.0.1:1".to_owned());
    let status = stage.bring(Some(&v1), Some(&v2), weight(0)).await;
    let discovered = test_observability::http::get(stage.metrics(), "/discovery").json();
    let attributes = |group: usize| {
        let (release, instance) = (&status.groups[group].release, discovered[group]["labels"]["instance"].as_str().unwrap());
        format!("service.name=web,service.version={release},deployment.environment.name=test,service.instance.id={instance}")
    };
    let mut stable = Caller::connect(&status.groups[0].endpoints[0]).await;
    assert_eq!(stable.get("/").await.1, format!("web {} http://127.0.0.1:4318", attributes(0)));
    let mut candidate = Caller::connect(&status.groups[1].endpoints[0]).await;
    assert_eq!(candidate.get("/").await.1, format!("mine {} http://127.0.0.1:1", attributes(1)));
}
