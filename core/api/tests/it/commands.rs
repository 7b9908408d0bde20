//! Steering a running deployment.

use tonic::Code;
use towpath_proto::v1;

use crate::support::{Rig, code, command};

async fn watched(rig: &Rig) -> v1::Deployment {
    let id = rig.deploy("slow", "v1").await;
    let seen = rig.follow(&id, |deployment| deployment.waiting_kind == "verdict").await;
    seen.last().unwrap().deployment.clone().unwrap()
}

#[tokio::test]
async fn a_deployment_is_halted_goes_on_and_is_taken_back() {
    let rig = Rig::furnished().await;
    let deployment = watched(&rig).await;
    let reason = v1::CommandRequest { reason: "lunch".to_owned(), ..command(&deployment.id) };
    rig.deployments().pause(reason).await.unwrap();
    let paused = rig.get(&deployment.id).await;
    assert!(paused.paused && paused.waiting.contains("lunch"), "{}", paused.waiting);
    rig.deployments().resume(command(&deployment.id)).await.unwrap();
    assert!(!rig.get(&deployment.id).await.paused);
    rig.deployments().abort(v1::CommandRequest { reason: "no".to_owned(), ..command(&deployment.id) }).await.unwrap();
    let ended = rig.end_of(&deployment.id).await;
    assert_eq!((ended.phase.as_str(), ended.outcome.as_str()), ("aborted", "aborted by user:ada: no"));
    let refused = rig.deployments().pause(command(&deployment.id)).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::FailedPrecondition, "TP0501"), "{refused}");
    rig.stop().await;
}

#[tokio::test]
async fn a_command_to_another_version_is_refused() {
    let rig = Rig::furnished().await;
    let deployment = watched(&rig).await;
    rig.deployments().pause(command(&deployment.id)).await.unwrap();
    let version = rig.get(&deployment.id).await.version;
    let late = v1::CommandRequest { expected_version: version - 1, ..command(&deployment.id) };
    let refused = rig.deployments().resume(late).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::Aborted, "TP0502"), "{refused}");
    let right = v1::CommandRequest { expected_version: version, ..command(&deployment.id) };
    rig.deployments().resume(right).await.unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn a_repeated_command_has_one_result() {
    let rig = Rig::furnished().await;
    let deployment = watched(&rig).await;
    let request = v1::CommandRequest { request_id: "halt".to_owned(), ..command(&deployment.id) };
    let first = rig.deployments().pause(request.clone()).await.unwrap().into_inner();
    let again = rig.deployments().pause(request.clone()).await.unwrap().into_inner();
    assert_eq!((again.version, again.repeated), (first.version, true));
    let refused = rig.deployments().resume(request).await.unwrap_err();
    assert_eq!(code(&refused), "TP0503", "{refused}");
    rig.stop().await;
}

#[tokio::test]
async fn promote_ends_the_watch() {
    let rig = Rig::furnished().await;
    let deployment = watched(&rig).await;
    rig.deployments().promote(command(&deployment.id)).await.unwrap();
    let ended = rig.end_of(&deployment.id).await;
    assert_eq!(ended.phase, "succeeded");
    assert!(ended.steps.iter().any(|step| step.note == "waived by user:ada"), "{:?}", ended.steps);
    rig.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_so_nobody_answers() {
    let rig = Rig::furnished().await;
    let deployment = watched(&rig).await;
    let yes = v1::ApproveRequest {
        deployment_id: deployment.id.clone(),
        plan_hash: deployment.plan_hash.clone(),
        ..v1::ApproveRequest::default()
    };
    let refused = rig.deployments().approve(yes).await.unwrap_err();
    assert_eq!(code(&refused), "TP0501", "{refused}");
    let refused = rig.deployments().reject(command(&deployment.id)).await.unwrap_err();
    assert_eq!(code(&refused), "TP0501", "{refused}");
    rig.stop().await;
}
