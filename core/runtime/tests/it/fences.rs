//! What is taken, what is refused, and what is remembered.

use std::net::TcpListener;

use runtime::client::ClientError;
use runtime::protocol::DesiredState;
use runtime::{Runtime, StartError};

use crate::stage::{Caller, Stage, scope, weight};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_fence_is_refused_and_changes_nothing() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &[]));
    let old = stage.next(Some(&v2), None, weight(0));
    let before = stage.bring(Some(&v1), None, weight(0)).await;
    let refused = stage.apply(&old).await;
    assert!(matches!(refused, Err(ClientError::Superseded { highest_fence: 2 })), "{refused:?}");
    assert_eq!(stage.status().await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_fence_takes_the_same_state_only() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let desired = stage.next(Some(&v1), None, weight(0));
    stage.apply(&desired).await.unwrap();
    stage.apply(&desired).await.unwrap();
    let other = DesiredState { operation_key: "other".to_owned(), ..desired };
    let refused = stage.apply(&other).await.unwrap_err().to_string();
    assert!(refused.contains("fence 1 was already used for another state"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_brings_back_fence_processes_and_port() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let old = stage.next(Some(&v1), None, weight(0));
    let before = stage.bring(Some(&v1), None, weight(0)).await;
    stage.shutdown().await;
    assert!(matches!(stage.client.health().await, Err(ClientError::Unreachable { .. })));
    stage.start().await;
    let after = stage.status_when(|status| status.converged).await;
    assert_eq!((after.fence, &after.public_endpoint), (before.fence, &before.public_endpoint));
    assert_eq!(Caller::connect(&after.public_endpoint.unwrap()).await.get("/").await.1, "v1");
    assert!(matches!(stage.apply(&old).await, Err(ClientError::Superseded { highest_fence: 2 })));
    let listed = stage.client.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].service.as_str(), listed[0].fence), (1, "web", 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_a_sentence_and_no_state() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let desired = DesiredState { port, ..stage.next(Some(&v1), None, weight(0)) };
    match stage.apply(&desired).await {
        Err(ClientError::Unavailable { reason }) => {
            assert!(reason.starts_with(&format!("cannot listen on 127.0.0.1:{port}: Address already in use")), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(stage.client.status(&scope()).await.unwrap(), None);
    drop(taken);
    stage.apply(&desired).await.unwrap();
    let status = stage.status_when(|status| status.converged).await;
    assert_eq!(status.public_endpoint, Some(format!("127.0.0.1:{port}")));
    // Another port: the new one opens, the old one closes.
    let moved = stage.next(Some(&v1), None, weight(0));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    stage.apply(&DesiredState { port: free, ..moved }).await.unwrap();
    assert_eq!(Caller::connect(&format!("127.0.0.1:{free}")).await.get("/").await.1, "v1");
    crate::stage::until("the old port is closed", || std::net::TcpStream::connect(("127.0.0.1", port)).is_err()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_over_a_restart_is_taken_back_when_it_is_free() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    stage.shutdown().await;
    let taken = TcpListener::bind(&endpoint).unwrap();
    stage.start().await;
    let trouble = stage.status_when(|s| s.groups[0].ready == 1).await;
    assert!(!trouble.converged && trouble.message.contains("cannot listen on"), "{}", trouble.message);
    drop(taken);
    let back = stage.status_when(|status| status.converged).await;
    assert_eq!(back.public_endpoint, Some(endpoint));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_cannot_be_stored_changes_nothing() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &[]));
    let before = stage.bring(Some(&v1), None, weight(0)).await;
    // A folder in the file's place: replacing the file fails, as it does on a full or broken disk.
    let file = stage.dir.path().join("data/scopes/test/web/state.json");
    let good = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir_all(file.join("in-the-way")).unwrap();
    let desired = stage.next(Some(&v2), None, weight(0));
    match stage.apply(&desired).await {
        Err(ClientError::Unavailable { reason }) => assert!(reason.starts_with("cannot store the desired state"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let after = stage.status().await;
    assert_eq!((after.fence, after.groups), (before.fence, before.groups));
    std::fs::remove_dir_all(&file).unwrap();
    std::fs::write(&file, good).unwrap();
    stage.apply(&desired).await.unwrap();
    assert_eq!(stage.status_when(|status| status.converged).await.groups[0].release, "v2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused_in_a_sentence() {
    let stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let refused = async |desired: Vec<u8>, expect: &str| match stage.client.apply_json(&scope(), desired).await {
        Err(ClientError::Refused { reason }) => assert!(reason.contains(expect), "expected {expect:?} in {reason:?}"),
        other => panic!("{other:?}"),
    };
    let good = DesiredState {
        fence: 1,
        operation_key: "k".to_owned(),
        port: 0,
        stable: Some(v1),
        candidate: None,
        traffic: weight(1),
        drain_timeout_ms: 1,
    };
    refused(serde_json::to_vec(&good).unwrap(), "traffic gives 1 basis points to the candidate side, which is absent").await;
    let unknown = serde_json::to_string(&good).unwrap().replace("\"drainTimeoutMs\"", "\"drainTimeout\"");
    refused(unknown.into_bytes(), "unknown field `drainTimeout`, expected one of `fence`, `operationKey`").await;
    assert_eq!(stage.client.status(&scope()).await.unwrap(), None, "nothing was remembered");
    assert_eq!(stage.client.list().await.unwrap(), vec![]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_runtime_and_an_open_socket_folder_are_refused() {
    let stage = Stage::new().await;
    assert!(matches!(Runtime::start(stage.options()).await, Err(StartError::Running { .. })));
    let open = stage.dir.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut options = stage.options();
    options.data_dir = stage.dir.path().join("other");
    options.control_socket = open.join("socket");
    assert!(matches!(Runtime::start(options).await, Err(StartError::SocketFolder { found: 0o755, .. })));
    assert_eq!(stage.client.health().await.unwrap().pid, std::process::id());
}
