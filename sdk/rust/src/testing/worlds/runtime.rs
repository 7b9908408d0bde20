//! A local runtime with one service, for targets that bring about what it runs and for checks that read what it counts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::{Fault, Faulty};
use crate::Context;
use crate::powers::runtime::{Error, LogLine};
use crate::testing::World;

/// How the runtime names its sides.
const SIDES: [&str; 2] = ["stable", "candidate"];

/// What the runtime's host adds to a desired state.
const FENCE: &str = "fence";
const OPERATION_KEY: &str = "operationKey";

/// A local runtime in memory, that starts at once what it is told. It speaks the runtime's own protocol: a desired state with the groups
/// `stable` and `candidate` and `traffic`, and the status that says what runs.
///
/// The fence is the host's word: it is the one of the call ([`Faulty::call_begins`]), or stands in the desired state already where a host
/// has put it there. A state with a fence below the highest one is superseded.
///
/// ```
/// use towpath_sdk::powers::runtime;
/// use towpath_sdk::testing::in_world;
/// use towpath_sdk::testing::worlds::Runtime;
///
/// let desired = r#"{"fence":3,"stable":{"release":"v1","artifactDigest":"sha256:1","instances":2}}"#;
/// let world = Runtime::new();
/// assert!(in_world(world.clone(), || runtime::apply(desired)).is_ok());
/// assert_eq!(world.desired().expect("it was told")["stable"]["release"], "v1");
/// let older = in_world(world, || runtime::apply(r#"{"fence":2}"#));
/// assert!(matches!(older, Err(runtime::Error::Superseded(3))));
/// ```
#[derive(Clone, Default)]
pub struct Runtime(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    desired: Option<Value>,
    operation_key: String,
    highest_fence: u64,
    call_fence: u64,
    counters: Value,
    lines: BTreeMap<String, Vec<LogLine>>,
    fault: Fault,
    /// A call that is held back: its fence and what it asked for.
    held: Option<(u64, String)>,
    writes: u64,
}

impl Runtime {
    /// Returns a runtime that was told nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the desired state in force, without what the host adds to it.
    pub fn desired(&self) -> Option<Value> {
        self.lock().desired.clone()
    }

    /// Says what the router counted: the `counters` of the status.
    pub fn set_counters(&self, counters: Value) {
        self.lock().counters = counters;
    }

    /// Says what the instances of a release wrote.
    pub fn set_lines(&self, release: impl Into<String>, lines: Vec<LogLine>) {
        self.lock().lines.insert(release.into(), lines);
    }

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
        let mut state = self.lock();
        if let Some((fence, desired)) = state.held.take() {
            state.call_fence = fence;
            // Nobody hears the answer.
            let _ = state.apply(&desired);
        }
    }

    fn call_begins(&self, context: &Context) {
        self.lock().call_fence = context.fence;
    }
}

impl World for Runtime {
    fn runtime_apply(&mut self, desired: &str) -> Result<String, Error> {
        self.lock().apply(desired)
    }

    fn runtime_status(&mut self) -> Result<Option<String>, Error> {
        let state = self.lock();
        if state.fault == Fault::Silent {
            return Err(Error::Unreachable("nobody listens".to_owned()));
        }
        Ok(state.status().map(|status| status.to_string()))
    }

    fn runtime_logs(&mut self, release: &str, lines: u32) -> Result<Vec<LogLine>, Error> {
        let state = self.lock();
        if state.fault == Fault::Silent {
            return Err(Error::Unreachable("nobody listens".to_owned()));
        }
        let all = state.lines.get(release).map(Vec::as_slice).unwrap_or_default();
        Ok(all[all.len().saturating_sub(lines as usize)..].to_vec())
    }
}

impl State {
    fn apply(&mut self, desired: &str) -> Result<String, Error> {
        let Ok(Value::Object(mut wanted)) = serde_json::from_str(desired) else {
            return Err(Error::Invalid(format!("not a JSON object: {desired}")));
        };
        let fence = wanted.remove(FENCE).and_then(|fence| fence.as_u64()).unwrap_or(self.call_fence);
        let key = wanted.remove(OPERATION_KEY);
        if fence < self.highest_fence {
            return Err(Error::Superseded(self.highest_fence));
        }
        let wanted = Value::Object(wanted);
        let same = self.desired.as_ref() == Some(&wanted) && self.highest_fence == fence;
        match &mut self.fault {
            Fault::Silent | Fault::FailAfter(0) => return Err(Error::Unreachable("nobody listens".to_owned())),
            Fault::HoldAfter(0) if !same => {
                (self.fault, self.held) = (Fault::None, Some((fence, desired.to_owned())));
                return Err(Error::Unreachable("it is on its way".to_owned()));
            }
            Fault::FailAfter(left) | Fault::HoldAfter(left) if !same => *left -= 1,
            Fault::FailAfter(_) | Fault::HoldAfter(_) | Fault::None | Fault::LoseOneAnswer => {}
        }
        if !same {
            (self.desired, self.highest_fence) = (Some(wanted), fence);
            self.operation_key = key.and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default();
            self.writes += 1;
        }
        if self.fault == Fault::LoseOneAnswer {
            self.fault = Fault::None;
            return Err(Error::Unreachable("the answer is lost".to_owned()));
        }
        Ok(self.status().unwrap_or_default().to_string())
    }

    /// Returns what runs; `None` when nothing was told, or all was forgotten, and nothing is counted.
    fn status(&self) -> Option<Value> {
        if self.desired.is_none() && self.counters.is_null() {
            return None;
        }
        let desired = self.desired.as_ref().unwrap_or(&Value::Null);
        let group = |(number, side): (usize, &&str)| {
            let group = &desired[side];
            if !group.is_object() {
                return None;
            }
            Some(json!({
                "side": side, "release": group["release"], "artifactDigest": group["artifactDigest"],
                "instances": group["instances"], "ready": group["instances"], "starting": 0, "failed": 0, "restarts": 0,
                "lastError": null, "endpoints": [format!("127.0.0.1:{}", 4_000 + number)],
            }))
        };
        let groups: Vec<_> = SIDES.iter().enumerate().filter_map(group).collect();
        Some(json!({
            "fence": self.highest_fence, "operationKey": self.operation_key, "groups": groups, "retiring": [],
            "traffic": desired["traffic"], "publicEndpoint": "127.0.0.1:8080", "converged": true, "message": "all is as desired",
            "counters": self.counters,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::powers::runtime;
    use crate::powers::runtime::LogStream;
    use crate::testing::{context, in_world};

    fn apply(world: &Runtime, release: &str) -> Result<String, Error> {
        let desired = json!({ "stable": { "release": release, "instances": 1 } }).to_string();
        in_world(world.clone(), || runtime::apply(&desired))
    }

    #[test]
    fn a_lower_fence_is_superseded_and_the_same_again_is_no_write() {
        let world = Runtime::new();
        world.call_begins(&Context { fence: 3, ..context("{}") });
        assert!(apply(&world, "v1").is_ok() && apply(&world, "v1").is_ok());
        assert_eq!(world.writes(), 1);
        world.call_begins(&Context { fence: 2, ..context("{}") });
        assert!(matches!(apply(&world, "v1"), Err(Error::Superseded(3))));
        let status: Value =
            serde_json::from_str(&world.clone().runtime_status().expect("it answers").expect("it knows")).expect("JSON");
        assert_eq!((&status["fence"], &status["groups"][0]["release"]), (&json!(3), &json!("v1")));
    }

    #[test]
    fn faults_happen_as_they_were_asked_for() {
        let world = Runtime::new();
        world.set_fault(Fault::LoseOneAnswer);
        assert!(apply(&world, "v1").is_err() && world.fault_happened());
        assert_eq!(world.desired().expect("it was done")["stable"]["release"], "v1");
        world.set_fault(Fault::HoldAfter(0));
        world.call_begins(&Context { fence: 1, ..context("{}") });
        assert!(apply(&world, "v2").is_err() && world.fault_happened());
        world.call_begins(&Context { fence: 2, ..context("{}") });
        apply(&world, "v3").expect("the next one is taken");
        world.deliver();
        assert_eq!(world.desired().expect("it runs")["stable"]["release"], "v3", "what came late is of the past");
        world.set_fault(Fault::FailAfter(0));
        assert!(apply(&world, "v4").is_err());
        world.forget();
        assert!(world.desired().is_none());
    }

    #[test]
    fn it_tells_what_was_counted_and_written() {
        let mut world = Runtime::new();
        assert_eq!(world.runtime_status().expect("it answers"), None);
        world.set_counters(json!({ "stable": null }));
        assert!(world.runtime_status().expect("it answers").expect("it counts").contains(r#""counters":{"stable":null}"#));
        let line = |text: &str| LogLine { at_ms: 1, instance: 0, stream: LogStream::Output, text: text.to_owned() };
        world.set_lines("v1", ["a", "b", "c"].map(line).to_vec());
        let latest: Vec<_> = world.runtime_logs("v1", 2).expect("lines").into_iter().map(|line| line.text).collect();
        assert_eq!(latest, ["b", "c"]);
        assert!(world.runtime_logs("v2", 2).expect("none").is_empty());
    }
}
