//! Taking a finished deployment back.

use tonic::Code;
use towpath_proto::v1;

use crate::support::{Rig, code, scope};

fn restore(service: &str, release: &str) -> v1::RestoreRequest {
    v1::RestoreRequest { scope: scope(service), release: release.to_owned(), request_id: String::new() }
}

#[tokio::test]
async fn a_finished_deployment_is_taken_back_by_a_new_one() {
    let rig = Rig::furnished().await;
    rig.end_of(&rig.deploy("quick", "v1").await).await;
    let refused = rig.deployments().restore(restore("quick", "")).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::FailedPrecondition, "TP0505"), "{refused}");
    rig.end_of(&rig.deploy("quick", "v2").await).await;
    let request = v1::RestoreRequest { request_id: "back".to_owned(), ..restore("quick", "") };
    let started = rig.deployments().restore(request.clone()).await.unwrap().into_inner();
    let ended = rig.end_of(&started.deployment_id).await;
    assert_eq!((ended.phase.as_str(), ended.release_label.as_str(), ended.strategy.as_str()), ("succeeded", "v1", "restore"));
    let again = rig.deployments().restore(request).await.unwrap().into_inner();
    assert_eq!((again.deployment_id, again.repeated), (started.deployment_id, true));
    rig.stop().await;
}

#[tokio::test]
async fn going_back_to_what_is_there_is_refused() {
    let rig = Rig::furnished().await;
    rig.end_of(&rig.deploy("quick", "v1").await).await;
    let refused = rig.deployments().restore(restore("quick", "v1")).await.unwrap_err();
    assert_eq!(code(&refused), "TP0504", "{refused}");
    let named = rig.deployments().restore(restore("quick", "v2")).await.unwrap().into_inner();
    assert_eq!(rig.end_of(&named.deployment_id).await.release_label, "v2");
    rig.stop().await;
}

#[tokio::test]
async fn a_running_deployment_is_rolled_back_and_not_restored() {
    let rig = Rig::furnished().await;
    rig.deploy("slow", "v1").await;
    let refused = rig.deployments().restore(restore("slow", "")).await.unwrap_err();
    assert_eq!(code(&refused), "TP0501", "{refused}");
    rig.stop().await;
}
