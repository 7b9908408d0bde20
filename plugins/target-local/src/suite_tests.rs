//! The suite that every target owes, against a runtime in memory.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use towpath_sdk::Context;
use towpath_sdk::powers::runtime::Error;
use towpath_sdk::testing::World;
use towpath_sdk::testing::conformance::{self, Seen, TargetCase};
use towpath_sdk::testing::worlds::{Fault, Faulty};

use super::TargetLocal;

/// A runtime with one service, that starts at once what it is told. Like the host, it knows the fence of the call.
#[derive(Clone, Default)]
struct Runtime(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    desired: Option<Value>,
    highest_fence: u64,
    call_fence: u64,
    fault: Fault,
    /// A call that is held back: its fence and what it asked for.
    held: Option<(u64, String)>,
    writes: u64,
}

impl Runtime {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Faulty for Runtime {
    fn set_fault(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    fn fault(&self) -> Fault {
        self.lock().fault
    }

    fn writes(&self) -> u64 {
        self.lock().writes
    }

    fn forget(&self) {
        self.lock().desired = None;
    }

    fn deliver(&self) {
        let held = self.lock().held.take();
        if let Some((fence, desired)) = held {
            self.lock().call_fence = fence;
            // Nobody hears the answer.
            let _ = self.clone().runtime_apply(&desired);
        }
    }

    fn call_begins(&self, context: &Context) {
        self.lock().call_fence = context.fence;
    }
}

impl World for Runtime {
    fn runtime_apply(&mut self, desired: &str) -> Result<String, Error> {
        let mut state = self.lock();
        let wanted: Value = serde_json::from_str(desired).map_err(|error| Error::Invalid(error.to_string()))?;
        if state.call_fence < state.highest_fence {
            return Err(Error::Superseded(state.highest_fence));
        }
        let fence = state.call_fence;
        let same = state.desired.as_ref() == Some(&wanted) && state.highest_fence == fence;
        match &mut state.fault {
            Fault::Silent | Fault::FailAfter(0) => return Err(Error::Unreachable("nobody listens".to_owned())),
            Fault::HoldAfter(0) if !same => {
                (state.fault, state.held) = (Fault::None, Some((fence, desired.to_owned())));
                return Err(Error::Unreachable("it is on its way".to_owned()));
            }
            Fault::FailAfter(left) | Fault::HoldAfter(left) if !same => *left -= 1,
            Fault::FailAfter(_) | Fault::HoldAfter(_) | Fault::None | Fault::LoseOneAnswer => {}
        }
        if !same {
            (state.desired, state.highest_fence) = (Some(wanted), fence);
            state.writes += 1;
        }
        if state.fault == Fault::LoseOneAnswer {
            state.fault = Fault::None;
            return Err(Error::Unreachable("the answer is lost".to_owned()));
        }
        Ok(state.status().expect("it was just told").to_string())
    }

    fn runtime_status(&mut self) -> Result<Option<String>, Error> {
        let state = self.lock();
        if state.fault == Fault::Silent {
            return Err(Error::Unreachable("nobody listens".to_owned()));
        }
        Ok(state.status().map(|status| status.to_string()))
    }
}

impl State {
    fn status(&self) -> Option<Value> {
        let desired = self.desired.as_ref()?;
        let group = |side: &str| {
            let Value::Object(group) = &desired[side] else { return None };
            Some(json!({
                "side": side, "release": group["release"], "artifactDigest": group["artifactDigest"],
                "instances": group["instances"], "ready": group["instances"], "starting": 0, "failed": 0, "restarts": 0,
                "lastError": null, "endpoints": ["127.0.0.1:4000"]
            }))
        };
        let groups: Vec<_> = ["stable", "candidate"].into_iter().filter_map(group).collect();
        let traffic = match &desired["traffic"] {
            Value::Null => Value::Null,
            traffic => json!({ "candidateBasisPoints": traffic["candidateBasisPoints"] }),
        };
        Some(json!({
            "fence": self.highest_fence, "groups": groups, "traffic": traffic, "publicEndpoint": "127.0.0.1:8080",
            "converged": true, "message": "all is as desired"
        }))
    }
}

/// Reads what runs from what the runtime was told, without the plugin's own types.
fn seen(world: &Runtime) -> Seen {
    let state = world.lock();
    let Some(desired) = &state.desired else { return Seen::default() };
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
    conformance::target::<TargetLocal, _>(&TargetCase::new("{}", configuration, Runtime::default, seen));
}
