//! Reconciling against a runtime that answers from a script.

use serde_json::{Value, json};
use towpath_sdk::powers::runtime::Error;
use towpath_sdk::prelude::*;
use towpath_sdk::target::{SideDesired, Traffic};
use towpath_sdk::testing::{World, context, in_world};

use super::{Settings, TargetLocal};

/// A runtime that answers every call with the same status, or refuses.
struct Runtime(Result<Value, Error>);

impl World for Runtime {
    fn runtime_apply(&mut self, _: &str) -> Result<String, Error> {
        self.0.clone().map(|status| status.to_string())
    }

    fn runtime_status(&mut self) -> Result<Option<String>, Error> {
        self.0.clone().map(|status| Some(status.to_string()))
    }
}

fn side(release: &str, percent: u8) -> SideDesired {
    SideDesired {
        release: release.to_owned(),
        artifact_reference: String::new(),
        artifact_digest: format!("sha256:{release}"),
        configuration: json!({ "command": ["./web"], "port": 8080, "instances": 2 }).to_string(),
        capacity_percent: percent,
    }
}

fn canary() -> Desired {
    let traffic = Traffic { candidate_basis_points: 500, matches: Vec::new(), mirror_basis_points: 0, sticky: None };
    Desired { stable: Some(side("v1", 100)), candidate: Some(side("v2", 10)), traffic: Some(traffic) }
}

fn group(side: &str, release: &str, instances: u16, ready: u16) -> Value {
    json!({
        "side": side, "release": release, "artifactDigest": format!("sha256:{release}"), "instances": instances, "ready": ready,
        "starting": 0, "failed": 0, "restarts": 0, "lastError": null, "endpoints": ["127.0.0.1:4000"]
    })
}

fn status(groups: &[Value], weight: u16, converged: bool) -> Value {
    json!({
        "fence": 1, "operationKey": "k", "groups": groups, "retiring": [], "traffic": { "candidateBasisPoints": weight },
        "publicEndpoint": "127.0.0.1:8080", "converged": converged, "message": "v2 is starting", "counters": {}
    })
}

fn call() -> Call<Settings> {
    Call { context: context("{}"), settings: Settings::default() }
}

fn reconcile(call: &Call<Settings>, answer: Result<Value, Error>) -> Progress {
    in_world(Runtime(answer), || TargetLocal::reconcile(call, &canary()))
}

#[test]
fn converged_is_believed_only_with_the_facts() {
    let good = status(&[group("stable", "v1", 2, 2), group("candidate", "v2", 1, 1)], 500, true);
    let Progress::Converged(seen) = reconcile(&call(), Ok(good)) else { panic!("it has converged") };
    assert_eq!((seen.sides.len(), seen.candidate_basis_points, seen.highest_fence), (2, 500, 1));
    for bad in [
        status(&[group("stable", "v1", 2, 2)], 500, true),
        status(&[group("stable", "v1", 2, 2), group("candidate", "v3", 1, 1)], 500, true),
        status(&[group("stable", "v1", 2, 1), group("candidate", "v2", 1, 1)], 500, true),
        status(&[group("stable", "v1", 2, 2), group("candidate", "v2", 1, 1)], 0, true),
        status(&[group("stable", "v1", 2, 2), group("candidate", "v2", 1, 1)], 500, false),
    ] {
        let text = bad.to_string();
        assert!(matches!(reconcile(&call(), Ok(bad)), Progress::InProgress(_)), "{text}");
    }
}

#[test]
fn a_higher_fence_at_the_runtime_passes_through() {
    assert!(matches!(reconcile(&call(), Err(Error::Superseded(9))), Progress::Superseded(9)));
}

#[test]
fn an_unreachable_runtime_may_come_back_and_a_refusal_stays() {
    let failed = |error| match reconcile(&call(), Err(error)) {
        Progress::Failed(fault) => fault.retryable,
        _ => panic!("it has failed"),
    };
    assert!(failed(Error::Unreachable("gone".to_owned())));
    assert!(!failed(Error::Invalid("port 99999".to_owned())));
}

#[test]
fn a_release_that_keeps_crashing_is_given_up_with_its_last_error() {
    let crashing = |restarts: u32| {
        let mut candidate = group("candidate", "v2", 1, 0);
        candidate["restarts"] = restarts.into();
        candidate["lastError"] = "exited with status 1".into();
        status(&[group("stable", "v1", 2, 2), candidate], 500, false)
    };
    let mut call = call();
    let mut answers = Vec::new();
    for restarts in [5, 6, 7, 8] {
        match reconcile(&call, Ok(crashing(restarts))) {
            Progress::InProgress(pending) => call.context.state = pending.observation.state,
            Progress::Failed(fault) => answers.push((restarts, fault)),
            Progress::Converged(_) | Progress::Superseded(_) => panic!("it crashes"),
        }
    }
    // Five restarts are of an earlier time; three are of this movement.
    let [(8, fault)] = answers.as_slice() else { panic!("{} answers", answers.len()) };
    assert!(!fault.retryable);
    assert!(fault.message.ends_with("3 restarts; last: exited with status 1"), "{}", fault.message);
}

#[test]
fn a_preview_says_what_would_change() {
    let runs = status(&[group("stable", "v1", 1, 1)], 0, true);
    let changes = in_world(Runtime(Ok(runs)), || TargetLocal::preview(&call(), &canary())).expect("a preview");
    assert_eq!(
        changes,
        ["go from 1 to 2 instances of v1", "start 1 instances of v2 as candidate", "move the candidate's weight from 0 % to 5 %"]
    );
}

#[test]
fn a_configuration_that_does_not_fit_names_the_release_and_the_keys() {
    let mut desired = canary();
    desired.candidate = Some(SideDesired { configuration: r#"{"comand":[]}"#.to_owned(), ..side("v2", 10) });
    let world = Runtime(Err(Error::Unreachable("never asked".to_owned())));
    let Progress::Failed(fault) = in_world(world, || TargetLocal::reconcile(&call(), &desired)) else {
        panic!("it does not fit")
    };
    assert!(fault.message.contains("release v2") && fault.message.contains("`command`"), "{}", fault.message);
}
