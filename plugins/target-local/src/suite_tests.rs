//! The suite that every target owes, against a runtime in memory.

use serde_json::json;
use towpath_sdk::testing::conformance::{self, Seen, TargetCase};
use towpath_sdk::testing::worlds::Runtime;

use super::TargetLocal;

/// Reads what runs from what the runtime was told, without the plugin's own types.
fn seen(world: &Runtime) -> Seen {
    let Some(desired) = world.desired() else { return Seen::default() };
    let release = |side: &str| desired[side]["release"].as_str().map(str::to_owned);
    let weight = desired["traffic"]["candidateBasisPoints"].as_u64().unwrap_or(0);
    Seen {
        stable: release("stable"),
        candidate: release("candidate"),
        candidate_basis_points: weight.try_into().expect("basis points"),
    }
}

#[test]
fn it_does_what_every_target_owes() {
    let configuration = json!({ "command": ["./web"], "port": 8080, "instances": 2 }).to_string();
    conformance::target::<TargetLocal, _>(&TargetCase::new("{}", configuration, Runtime::new, seen));
}
