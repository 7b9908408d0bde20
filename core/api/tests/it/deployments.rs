//! Planning, starting and listing deployments.

use std::sync::atomic::Ordering;

use tonic::Code;
use towpath_proto::v1;

use crate::support::{Rig, code, scope, start};

#[tokio::test]
async fn a_release_goes_out_and_is_stable_then() {
    let rig = Rig::furnished().await;
    let first = rig.end_of(&rig.deploy("quick", "v1").await).await;
    assert_eq!((first.phase.as_str(), first.stable_label.as_str()), ("succeeded", ""));
    let second = rig.end_of(&rig.deploy("quick", "v2").await).await;
    assert_eq!((second.phase.as_str(), second.stable_label.as_str()), ("succeeded", "v1"));
    assert!(second.steps.iter().all(|step| step.state() == v1::StepState::Done && step.ended_at_ms >= step.entered_at_ms));
    assert_eq!(second.traffic.unwrap().candidate_basis_points, 10_000);
    assert_eq!(second.checks[0].verdict, "healthy");
    assert!(second.waiting.is_empty() && !second.outcome.is_empty());
    let request = v1::StatusRequest { service: "quick".to_owned(), ..v1::StatusRequest::default() };
    let status = rig.deployments().status(request).await.unwrap().into_inner();
    let labels = |scope: &v1::ScopeStatus| (scope.stable_label.clone(), scope.previous_label.clone());
    assert_eq!(status.scopes.iter().map(labels).collect::<Vec<_>>(), [("v2".to_owned(), "v1".to_owned())]);
    rig.stop().await;
}

#[tokio::test]
async fn an_ill_release_is_taken_back_and_says_why() {
    let rig = Rig::furnished().await;
    rig.end_of(&rig.deploy("quick", "v1").await).await;
    rig.world.ill.store(true, Ordering::Relaxed);
    let ended = rig.end_of(&rig.deploy("quick", "v2").await).await;
    assert_eq!(ended.phase, "rolled-back");
    assert!(ended.outcome.contains("half of all requests fail"), "{}", ended.outcome);
    assert!(ended.steps.iter().any(|step| step.state() == v1::StepState::Failed), "{:?}", ended.steps);
    assert!(ended.steps.iter().any(|step| step.state() == v1::StepState::Skipped), "{:?}", ended.steps);
    assert!(ended.way_back.iter().all(|step| step.state() == v1::StepState::Done), "{:?}", ended.way_back);
    let measured = &ended.checks[0].measurements[0];
    assert_eq!((measured.value, measured.limit, measured.side()), (0.5, Some(0.01), v1::Side::Candidate));
    rig.stop().await;
}

#[tokio::test]
async fn a_repeated_start_is_one_deployment() {
    let rig = Rig::furnished().await;
    let request = v1::StartRequest { request_id: "once".to_owned(), ..start("quick", "v1") };
    let first = rig.deployments().start(request.clone()).await.unwrap().into_inner();
    let again = rig.deployments().start(request.clone()).await.unwrap().into_inner();
    assert_eq!((&again.deployment_id, again.version, again.repeated), (&first.deployment_id, first.version, true));
    // Also when the world has moved on, and the same plan could not even be made any more.
    rig.end_of(&first.deployment_id).await;
    let again = rig.deployments().start(request.clone()).await.unwrap().into_inner();
    assert_eq!((&again.deployment_id, again.repeated), (&first.deployment_id, true));
    let other = v1::StartRequest { release: "v2".to_owned(), ..request };
    let refused = rig.deployments().start(other).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::AlreadyExists, "TP0503"), "{refused}");
    rig.stop().await;
}

#[tokio::test]
async fn what_is_stable_already_is_refused() {
    let rig = Rig::furnished().await;
    rig.end_of(&rig.deploy("quick", "v1").await).await;
    let refused = rig.deployments().start(start("quick", "v1")).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::FailedPrecondition, "TP0504"), "{refused}");
    rig.stop().await;
}

#[tokio::test]
async fn a_plan_is_shown_and_another_one_is_not_started() {
    let rig = Rig::furnished().await;
    let request = v1::PlanRequest { scope: scope("quick"), release: "v1".to_owned() };
    let plan = rig.deployments().plan(request).await.unwrap().into_inner();
    assert!(plan.first && plan.stable_release.is_empty() && !plan.steps.is_empty());
    assert!(plan.steps.iter().all(|step| !step.does.is_empty() && !step.why.is_empty()), "{:?}", plan.steps);
    assert!(plan.text.lines().count() > plan.steps.len(), "{}", plan.text);
    rig.end_of(&rig.deploy("quick", "v2").await).await;
    let late = v1::StartRequest { plan_hash: plan.hash, ..start("quick", "v1") };
    let refused = rig.deployments().start(late).await.unwrap_err();
    assert_eq!(code(&refused), "TP0506", "{refused}");
    rig.stop().await;
}

#[tokio::test]
async fn a_release_whose_plugins_changed_is_refused() {
    let rig = Rig::furnished().await;
    *rig.world.build.lock().unwrap() = 7;
    let refused = rig.deployments().start(start("quick", "v1")).await.unwrap_err();
    assert_eq!(code(&refused), "TP0607", "{refused}");
    assert_eq!(refused.message().matches("sha256:").count(), 2, "both digests are shown: {refused}");
    rig.stop().await;
}

#[tokio::test]
async fn deployments_are_listed_in_pages_newest_first() {
    let rig = Rig::furnished().await;
    let mut ids = Vec::new();
    for label in ["v1", "v2", "v1"] {
        let id = rig.deploy("quick", label).await;
        rig.end_of(&id).await;
        ids.insert(0, id);
    }
    let slow = rig.deploy("slow", "v1").await;
    let mut request =
        v1::ListDeploymentsRequest { service: "quick".to_owned(), page_size: 2, ..v1::ListDeploymentsRequest::default() };
    let mut listed = Vec::new();
    loop {
        let page = rig.deployments().list(request.clone()).await.unwrap().into_inner();
        assert!(page.deployments.len() <= 2);
        listed.extend(page.deployments.into_iter().map(|deployment| deployment.id));
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    assert_eq!(listed, ids);
    let unfinished = v1::ListDeploymentsRequest { unfinished_only: true, ..v1::ListDeploymentsRequest::default() };
    let page = rig.deployments().list(unfinished).await.unwrap().into_inner();
    assert_eq!(page.deployments.iter().map(|deployment| &deployment.id).collect::<Vec<_>>(), [&slow]);
    rig.stop().await;
}
