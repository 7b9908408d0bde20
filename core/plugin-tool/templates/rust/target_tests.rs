//! The target against a service in memory, which compares and sets, loses answers, falls silent and delivers late.

use serde_json::{Value, json};
use towpath_sdk::target::{Call, Desired, Progress, SideDesired, Target};
use towpath_sdk::testing::conformance::{self, Seen, TargetCase};
use towpath_sdk::testing::worlds::{Documents, Faulty};
use towpath_sdk::testing::{context, in_world};

use super::{Plugin, Settings};

/// Where the document of the tests' service is.
const NAME: &str = "web/test";

/// Reads what runs as the service does, without the target's own types.
fn seen(world: &Documents) -> Seen {
    let Some(text) = world.document(NAME) else { return Seen::default() };
    let document: Value = serde_json::from_slice(&text).expect("a document");
    let release = |side: &str| document[side]["release"].as_str().map(str::to_owned);
    let weight = document["candidateBasisPoints"].as_u64().expect("a weight");
    Seen { stable: release("stable"), candidate: release("candidate"), candidate_basis_points: weight.try_into().expect("basis points") }
}

#[test]
fn it_does_what_every_target_owes() {
    let settings = json!({ "url": Documents::URL }).to_string();
    conformance::target::<Plugin, _>(&TargetCase::new(settings, "{}", Documents::new, seen));
}

fn call(fence: u64) -> Call<Settings> {
    Call { context: towpath_sdk::Context { fence, ..context("{}") }, settings: Settings { url: Documents::URL.to_owned() } }
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
fn it_writes_once_and_then_sees() {
    let world = Documents::new();
    in_world(world.clone(), || {
        assert!(matches!(Plugin::reconcile(&call(1), &desired("v1")), Progress::InProgress(_)));
        assert!(matches!(Plugin::reconcile(&call(1), &desired("v1")), Progress::Converged(_)));
    });
    assert_eq!(world.writes(), 1);
}
