//! Following a deployment.

use tonic::Code;
use towpath_proto::v1;

use crate::support::{PATIENCE, Rig};

fn watch(id: &str, after_version: u64) -> v1::WatchDeploymentRequest {
    v1::WatchDeploymentRequest { deployment_id: id.to_owned(), after_version }
}

#[tokio::test]
async fn a_watch_has_every_version_once_and_ends_with_the_deployment() {
    let rig = Rig::furnished().await;
    let id = rig.deploy("quick", "v1").await;
    let seen = rig.follow(&id, |deployment| deployment.ended).await;
    let versions: Vec<u64> = seen.iter().map(|update| update.version).collect();
    assert_eq!(versions, (1..=seen.len() as u64).collect::<Vec<_>>());
    assert!(seen.iter().all(|update| !update.sentence.is_empty() && !update.event.is_empty()));
    assert_eq!((seen[0].event.as_str(), seen.last().unwrap().event.as_str()), ("requested", "ended"));
    rig.stop().await;
}

#[tokio::test]
async fn a_watch_is_resumed_behind_a_version_without_loss() {
    let rig = Rig::furnished().await;
    let id = rig.deploy("quick", "v1").await;
    let all = rig.follow(&id, |deployment| deployment.ended).await;
    for after in [1, 5, all.len() as u64 - 1, all.len() as u64, all.len() as u64 + 9] {
        let mut stream = rig.deployments().watch(watch(&id, after)).await.unwrap().into_inner();
        let mut rest = Vec::new();
        while let Some(update) = stream.message().await.unwrap() {
            rest.push(update);
        }
        assert_eq!(rest, all.iter().filter(|update| update.version > after).cloned().collect::<Vec<_>>(), "after {after}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn a_server_that_stops_says_so_to_its_watchers() {
    let rig = Rig::furnished().await;
    let id = rig.deploy("slow", "v1").await;
    let mut stream = rig.deployments().watch(watch(&id, 0)).await.unwrap().into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().version, 1);
    let stopping = tokio::spawn(rig.stop());
    let end = async {
        loop {
            if let Err(status) = stream.message().await {
                return status;
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, end).await.unwrap();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    drop(stream);
    stopping.await.unwrap();
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_watched() {
    let rig = Rig::furnished().await;
    let refused = rig.deployments().watch(watch("nothing", 0)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound, "{refused}");
    rig.stop().await;
}
