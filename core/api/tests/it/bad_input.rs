//! What clients get wrong: every call answers with a status and a code, and nothing is changed.

use tonic::{Code, Response, Status};
use towpath_proto::v1;

use crate::support::{ENVIRONMENT, PATH, Rig, apply, code, command, release, scope, service, start};

/// A name that no rule allows, with something for the terminal in it.
const BAD: &str = "No\x1b[2Jt a name";

fn refused<T>(what: &str, result: Result<Response<T>, Status>, status: Code, expected: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{what} was taken"));
    assert_eq!((error.code(), code(&error).as_str()), (status, expected), "{what}: {error}");
    assert!(!error.message().contains('\x1b'), "{what}: {error}");
}

#[tokio::test]
async fn files_with_faults_are_refused_with_their_place() {
    let rig = Rig::furnished().await;
    let misspelt = |file: &str, right: &str, wrong: &str| apply(&file.replace(right, wrong));
    let invalid = Code::InvalidArgument;
    let result = rig.services().apply(misspelt(&service("quick", "1s"), "parameters:", "paramters:")).await;
    assert!(result.as_ref().is_err_and(|error| error.message().contains("file.yaml:6:")), "{result:?}");
    refused("a service", result, invalid, "TP0101");
    refused("an environment", rig.environments().apply(misspelt(ENVIRONMENT, "tier", "teir")).await, invalid, "TP0101");
    refused("a path", rig.paths().publish(misspelt(PATH, "weight", "wait")).await, invalid, "TP0101");
    for text in ["", "\0", "- 1", "{", "a: &a [*a]"] {
        refused("no file", rig.services().apply(apply(text)).await, invalid, "TP0101");
        refused("no file", rig.environments().apply(apply(text)).await, invalid, "TP0101");
        refused("no file", rig.paths().publish(apply(text)).await, invalid, "TP0101");
    }
    let huge = apply(&"#".repeat(300 * 1024));
    refused("a huge file", rig.services().apply(huge).await, invalid, "TP0110");
    rig.stop().await;
}

#[tokio::test]
async fn a_parameter_out_of_its_schema_is_refused_when_a_plan_is_made() {
    let rig = Rig::furnished().await;
    let file = service("odd", "1s").replace("[./web]", "7");
    rig.services().apply(apply(&file)).await.unwrap();
    rig.release("odd", "v1").await;
    let result = rig.deployments().start(start("odd", "v1")).await;
    assert!(result.as_ref().is_err_and(|error| error.message().contains("file.yaml:7:")), "{result:?}");
    refused("a parameter", result, Code::InvalidArgument, "TP0101");
    rig.stop().await;
}

#[tokio::test]
async fn releases_of_what_is_not_there_are_refused() {
    let rig = Rig::furnished().await;
    let invalid = Code::InvalidArgument;
    let base = || release("quick", "v9");
    let evidence =
        |kind: &str, content: Vec<u8>| vec![v1::Evidence { kind: kind.to_owned(), content, ..v1::Evidence::default() }];
    let many = |count| vec![evidence("junit", Vec::new()).remove(0); count];
    for (what, request, expected) in [
        ("a service's name", v1::CreateReleaseRequest { service: BAD.to_owned(), ..base() }, "TP0110"),
        ("no label", v1::CreateReleaseRequest { label: String::new(), ..base() }, "TP0110"),
        ("a label like an id", v1::CreateReleaseRequest { label: "r-1".to_owned(), ..base() }, "TP0110"),
        ("a label", v1::CreateReleaseRequest { label: BAD.to_owned(), ..base() }, "TP0110"),
        ("no artifact", v1::CreateReleaseRequest { artifact: String::new(), ..base() }, "TP0110"),
        ("a relative path", v1::CreateReleaseRequest { artifact: "./web".to_owned(), ..base() }, "TP0110"),
        ("half a digest", v1::CreateReleaseRequest { artifact: "web@sha256:12".to_owned(), ..base() }, "TP0110"),
        ("a tag", v1::CreateReleaseRequest { artifact: "web:latest".to_owned(), ..base() }, "TP0106"),
        ("a commit", v1::CreateReleaseRequest { source_commit: BAD.to_owned(), ..base() }, "TP0110"),
        ("no kind", v1::CreateReleaseRequest { evidence: evidence("", Vec::new()), ..base() }, "TP0110"),
        ("much evidence", v1::CreateReleaseRequest { evidence: evidence("junit", vec![0; 5 << 20]), ..base() }, "TP0110"),
        ("many pieces", v1::CreateReleaseRequest { evidence: many(65), ..base() }, "TP0110"),
    ] {
        refused(what, rig.releases().create(request).await, invalid, expected);
    }
    let unknown = v1::CreateReleaseRequest { service: "other".to_owned(), ..base() };
    refused("a service", rig.releases().create(unknown).await, Code::NotFound, "TP0111");
    let missing = v1::CreateReleaseRequest { artifact: "/nowhere".to_owned(), ..base() };
    refused("an artifact", rig.releases().create(missing).await, Code::NotFound, "TP0202");
    rig.stop().await;
}

#[tokio::test]
async fn what_has_no_name_is_not_found() {
    let rig = Rig::furnished().await;
    let missing = |name: &str| v1::GetRequest { name: name.to_owned() };
    for name in ["", "other", BAD] {
        refused("a service", rig.services().get(missing(name)).await, Code::NotFound, "TP0111");
        refused("an environment", rig.environments().get(missing(name)).await, Code::NotFound, "TP0111");
        refused("a path", rig.paths().get(missing(name)).await, Code::NotFound, "TP0111");
        refused("a plugin", rig.plugins().get(missing(name)).await, Code::NotFound, "TP0111");
        let request = v1::GetReleaseRequest { service: "quick".to_owned(), release: name.to_owned() };
        refused("a release", rig.releases().get(request).await, Code::NotFound, "TP0111");
    }
    let invalid = Code::InvalidArgument;
    refused("a path's version", rig.paths().get(missing("web@one")).await, invalid, "TP0110");
    let request = v1::GetReleaseRequest { service: BAD.to_owned(), release: "v1".to_owned() };
    refused("a release's service", rig.releases().get(request).await, invalid, "TP0110");
    let request = v1::ListReleasesRequest { service: BAD.to_owned() };
    refused("a list's service", rig.releases().list(request).await, invalid, "TP0110");
    rig.stop().await;
}

#[tokio::test]
async fn deployments_of_what_is_not_there_are_refused() {
    let rig = Rig::furnished().await;
    let invalid = Code::InvalidArgument;
    let bad_scope = || Some(v1::Scope { service: BAD.to_owned(), environment: "local".to_owned() });
    let plan = |scope, release: &str| v1::PlanRequest { scope, release: release.to_owned() };
    refused("no scope", rig.deployments().plan(plan(None, "v1")).await, invalid, "TP0110");
    refused("a scope", rig.deployments().plan(plan(bad_scope(), "v1")).await, invalid, "TP0110");
    refused("no release", rig.deployments().plan(plan(scope("quick"), "")).await, Code::NotFound, "TP0111");
    refused("a service", rig.deployments().plan(plan(scope("other"), "v1")).await, Code::NotFound, "TP0111");
    let nowhere = Some(v1::Scope { service: "quick".to_owned(), environment: "nowhere".to_owned() });
    refused("an environment", rig.deployments().plan(plan(nowhere, "v1")).await, Code::NotFound, "TP0111");
    let no_scope = v1::StartRequest { scope: None, ..start("quick", "v1") };
    refused("no scope", rig.deployments().start(no_scope).await, invalid, "TP0110");
    for id in ["two words", &"x".repeat(200), "\x1b"] {
        let request = v1::StartRequest { request_id: id.to_owned(), ..start("quick", "v1") };
        refused("a request id", rig.deployments().start(request).await, invalid, "TP0110");
    }
    let restore = v1::RestoreRequest { scope: bad_scope(), ..v1::RestoreRequest::default() };
    refused("a scope", rig.deployments().restore(restore).await, invalid, "TP0110");
    let list = |change: fn(&mut v1::ListDeploymentsRequest)| {
        let mut request = v1::ListDeploymentsRequest::default();
        change(&mut request);
        request
    };
    for request in [list(|r| r.service = BAD.into()), list(|r| r.environment = BAD.into()), list(|r| r.page_token = BAD.into())] {
        refused("a filter", rig.deployments().list(request).await, invalid, "TP0110");
    }
    let status = v1::StatusRequest { service: BAD.to_owned(), ..v1::StatusRequest::default() };
    refused("a status", rig.deployments().status(status).await, invalid, "TP0110");
    rig.stop().await;
}

#[tokio::test]
async fn commands_to_what_is_not_there_are_refused() {
    let rig = Rig::furnished().await;
    for (id, status, expected) in
        [("", Code::InvalidArgument, "TP0110"), (BAD, Code::InvalidArgument, "TP0110"), ("nothing", Code::NotFound, "TP0111")]
    {
        let get = v1::GetDeploymentRequest { deployment_id: id.to_owned() };
        refused("get", rig.deployments().get(get).await, status, expected);
        let watch = v1::WatchDeploymentRequest { deployment_id: id.to_owned(), after_version: 0 };
        refused("watch", rig.deployments().watch(watch).await, status, expected);
        refused("pause", rig.deployments().pause(command(id)).await, status, expected);
        refused("resume", rig.deployments().resume(command(id)).await, status, expected);
        refused("promote", rig.deployments().promote(command(id)).await, status, expected);
        refused("abort", rig.deployments().abort(command(id)).await, status, expected);
        refused("rollback", rig.deployments().rollback(command(id)).await, status, expected);
        refused("reject", rig.deployments().reject(command(id)).await, status, expected);
        let approve =
            v1::ApproveRequest { deployment_id: id.to_owned(), plan_hash: "p-1".to_owned(), ..v1::ApproveRequest::default() };
        refused("approve", rig.deployments().approve(approve).await, status, expected);
    }
    let reason = v1::CommandRequest { reason: BAD.to_owned(), ..command("nothing") };
    refused("a reason", rig.deployments().pause(reason).await, Code::InvalidArgument, "TP0110");
    let approve = v1::ApproveRequest { deployment_id: "nothing".to_owned(), ..v1::ApproveRequest::default() };
    refused("no plan", rig.deployments().approve(approve).await, Code::InvalidArgument, "TP0110");
    rig.stop().await;
}
