//! The target against an object store in memory that fails on demand.

use serde_json::{Value, json};
use towpath_sdk::Context;
use towpath_sdk::powers::http::{self, Request};
use towpath_sdk::prelude::*;
use towpath_sdk::target::{RequestKey, SideDesired, Traffic};
use towpath_sdk::testing::conformance::{self, Seen, TargetCase};
use towpath_sdk::testing::worlds::{Documents, Faulty};
use towpath_sdk::testing::{World, context, in_world};

use super::{Settings, TargetDocuments};

/// Where the document of the tests' service is.
const NAME: &str = "web/test";

fn settings() -> Value {
    json!({ "url": Documents::URL })
}

/// Reads what runs as the service does, without the target's own types.
fn seen(world: &Documents) -> Seen {
    let Some(text) = world.document(NAME) else { return Seen::default() };
    let document: Value = serde_json::from_slice(&text).expect("a document");
    let release = |side: &str| document[side]["release"].as_str().map(str::to_owned);
    let weight = document["candidateBasisPoints"].as_u64().expect("a weight");
    Seen {
        stable: release("stable"),
        candidate: release("candidate"),
        candidate_basis_points: weight.try_into().expect("basis points"),
    }
}

fn call(fence: u64) -> Call<Settings> {
    let settings = serde_json::from_value(settings()).expect("settings");
    Call { context: Context { fence, ..context("{}") }, settings }
}

fn desired(release: &str) -> Desired {
    let side = SideDesired {
        release: release.to_owned(),
        artifact_reference: String::new(),
        artifact_digest: format!("sha256:{release}"),
        configuration: "{}".to_owned(),
        capacity_percent: 100,
    };
    Desired { stable: Some(side), candidate: None, traffic: None }
}

#[test]
fn it_does_what_every_target_owes() {
    let configuration = json!({ "memory": "64Mi" }).to_string();
    conformance::target::<TargetDocuments, _>(&TargetCase::new(settings().to_string(), configuration, Documents::new, seen));
}

/// A world in which somebody with a newer fence writes between our look and our write.
struct Race(Documents);

impl World for Race {
    fn fetch(&mut self, request: &Request) -> Result<http::Response, http::Error> {
        if request.method == "PUT" {
            let labels = json!({ "towpath-fence": "9", "towpath-operation": "newer" });
            let newer = json!({ "labels": labels, "applied": {}, "candidateBasisPoints": 0 });
            self.0.put(NAME, newer.to_string().as_bytes());
        }
        self.0.fetch(request)
    }
}

#[test]
fn a_write_that_arrives_late_changes_nothing() {
    let world = Documents::new();
    let progress = in_world(Race(world.clone()), || TargetDocuments::reconcile(&call(1), &desired("v1")));
    assert!(matches!(progress, Progress::Superseded(9)));
    // The newer one's write is the only one.
    assert_eq!((world.writes(), seen(&world)), (1, Seen::default()));
}

#[test]
fn what_the_service_cannot_do_is_refused_before_anything_is_written() {
    let world = Documents::new();
    let sticky = Some(RequestKey::Cookie("session".to_owned()));
    let traffic = Traffic { candidate_basis_points: 0, matches: Vec::new(), mirror_basis_points: 0, sticky };
    let wanted = Desired { traffic: Some(traffic), ..desired("v1") };
    let progress = in_world(world.clone(), || TargetDocuments::reconcile(&call(1), &wanted));
    assert!(matches!(progress, Progress::Failed(fault) if !fault.retryable && fault.message.contains("no stickiness")));
    assert_eq!(world.writes(), 0);
}

#[test]
fn a_preview_names_the_releases() {
    let world = Documents::new();
    let changes = |release: &str| {
        let release = desired(release);
        in_world(world.clone(), || TargetDocuments::preview(&call(1), &release)).expect("a preview")
    };
    assert_eq!(changes("v1"), ["stable goes from nothing to v1 at 100 %"]);
    in_world(world.clone(), || TargetDocuments::reconcile(&call(1), &desired("v1")));
    assert_eq!(changes("v2"), ["stable goes from v1 at 100 % to v2 at 100 %"]);
}

#[test]
fn a_document_of_somebody_else_is_left_alone() {
    for (theirs, why) in [
        (r#"{"owner":"somebody"}"#, "has no fence, so it is somebody else's"),
        (r#"{"labels":{"app":"web"}}"#, "has no fence, so it is somebody else's"),
        (r#"{"labels":7}"#, "labels of the service's document cannot be read"),
        (r#"{"labels":{"towpath-fence":"seven","towpath-operation":"x"}}"#, "has no fence"),
        ("text", "cannot be read"),
    ] {
        let world = Documents::new();
        world.put(NAME, theirs.as_bytes());
        let progress = in_world(world.clone(), || TargetDocuments::reconcile(&call(1), &desired("v1")));
        let Progress::Failed(fault) = progress else { panic!("{theirs}: not failed") };
        assert!(!fault.retryable && fault.message.contains(why), "{theirs}: {}", fault.message);
        assert_eq!(world.document(NAME).as_deref(), Some(theirs.as_bytes()));
    }
}

/// Changes the service's document as somebody else would.
fn somebody_changes(world: &Documents, change: impl FnOnce(&mut Value)) {
    let mut document = serde_json::from_slice(&world.document(NAME).expect("a document")).expect("JSON");
    change(&mut document);
    world.put(NAME, document.to_string().as_bytes());
}

#[test]
fn fields_of_others_stay_and_what_they_changed_of_ours_is_said_and_set_right() {
    let world = Documents::new();
    let reconcile = |fence: u64| in_world(world.clone(), || TargetDocuments::reconcile(&call(fence), &desired("v1")));
    let observe = || in_world(world.clone(), || TargetDocuments::observe(&call(1))).expect("an observation");
    assert!(matches!(reconcile(1), Progress::Converged(_)));
    assert_eq!(observe().drift, Vec::<String>::new());

    somebody_changes(&world, |document| {
        document["owner"] = json!("somebody");
        document["stable"]["capacityPercent"] = json!(50);
    });
    assert_eq!(observe().drift, ["/stable/capacityPercent is 50, was applied as 100"]);
    assert!(matches!(reconcile(1), Progress::Converged(_)), "it is set right");
    assert_eq!(observe().drift, Vec::<String>::new());
    somebody_changes(&world, |document| {
        assert_eq!((&document["owner"], &document["stable"]["capacityPercent"]), (&json!("somebody"), &json!(100)));
        document["stable"] = json!(7);
    });
    assert!(in_world(world.clone(), || TargetDocuments::observe(&call(1))).is_err(), "it cannot be said what runs");
    let progress = reconcile(2);
    assert!(matches!(&progress, Progress::Converged(seen) if seen.highest_fence == 2), "even what cannot be read");
    let writes = world.writes();
    assert!(matches!(reconcile(2), Progress::Converged(_)));
    assert_eq!(world.writes(), writes, "what is there is not written again");

    somebody_changes(&world, |document| document["stable"]["note"] = json!("mine"));
    let nothing = Desired { stable: None, candidate: None, traffic: None };
    let progress = in_world(world.clone(), || TargetDocuments::reconcile(&call(2), &nothing));
    assert!(matches!(&progress, Progress::Converged(seen) if seen.sides.is_empty()), "a note is no release");
    somebody_changes(&world, |document| assert_eq!(document["stable"], json!({ "note": "mine" })));
}

/// A world whose service is busy, and says for how long.
struct Busy(Documents);

impl World for Busy {
    fn fetch(&mut self, request: &Request) -> Result<http::Response, http::Error> {
        if request.method == "GET" {
            return self.0.fetch(request);
        }
        let headers = vec![("retry-after".to_owned(), "7".to_owned())];
        Ok(http::Response { headers, ..http::Response::new(429, "") })
    }
}

#[test]
fn a_busy_service_is_asked_again_when_it_says() {
    let progress = in_world(Busy(Documents::new()), || TargetDocuments::reconcile(&call(1), &desired("v1")));
    let Progress::InProgress(pending) = progress else { panic!("not in progress") };
    assert_eq!((pending.retry_after_ms, pending.message.contains("busy")), (7_000, true), "{}", pending.message);
}
