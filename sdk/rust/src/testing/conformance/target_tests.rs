//! The suite of targets catches targets that are broken in one way each, and lets a good one pass.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::tests::failed;
use super::{Seen, TargetCase, target};
use crate::Context;
use crate::powers::http::{self, Request};
use crate::prelude::*;
use crate::target::{Fencing, Pending, SideDesired, SideObservation};
use crate::testing::worlds::Documents;

/// What a target can do wrong.
mod flaw {
    pub(super) const NONE: u8 = 0;
    pub(super) const STEPS_OF_NOTHING: u8 = 1;
    pub(super) const NEVER_DONE: u8 = 2;
    pub(super) const SAYS_DONE_AT_ONCE: u8 = 3;
    pub(super) const WRITES_AGAIN: u8 = 4;
    pub(super) const GIVES_UP_IN_DOUBT: u8 = 5;
    pub(super) const TAKES_FAILURE_FOR_SUCCESS: u8 = 6;
    pub(super) const KNOWS_NO_FENCE: u8 = 7;
    pub(super) const WRITES_BEFORE_IT_REFUSES: u8 = 8;
    pub(super) const SEES_NO_WEIGHT: u8 = 9;
    pub(super) const PREVIEW_WRITES: u8 = 10;
    pub(super) const PREVIEW_IS_SILENT: u8 = 11;
    pub(super) const SILENCE_IS_EMPTY: u8 = 12;
    pub(super) const PANICS_WITHOUT_A_NAME: u8 = 13;
    pub(super) const CHOKES_ON_A_STATE: u8 = 14;
    pub(super) const REMEMBERS_WHAT_WAS: u8 = 15;
    pub(super) const LOOKS_AND_THEN_WRITES: u8 = 16;
    pub(super) const ASKS_FOR_EVER: u8 = 17;
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strict {}

#[derive(Deserialize, JsonSchema)]
struct Lax {}

/// A target with one flaw, that keeps sides and weight in two documents.
struct Broken<S, const FLAW: u8>(std::marker::PhantomData<S>);

type Flawed<const FLAW: u8> = Broken<Strict, FLAW>;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    fence: u64,
    sides: BTreeMap<String, String>,
    weight: u16,
}

impl<S: DeserializeOwned + JsonSchema, const FLAW: u8> Target for Broken<S, FLAW> {
    type Settings = S;

    fn describe(_: &S) -> Descriptor {
        Descriptor {
            weights: true,
            weight_granularity_basis_points: if FLAW == flaw::STEPS_OF_NOTHING { 0 } else { 1 },
            header_match: false,
            cookie_match: false,
            sticky: false,
            mirror: false,
            instant_switch: true,
            fencing: Fencing::Native,
        }
    }

    fn observe(call: &Call<S>) -> Result<Observation, Fault> {
        if let (flaw::REMEMBERS_WHAT_WAS, Some(state)) = (FLAW, &call.context.state) {
            let stored: Stored = serde_json::from_slice(state).map_err(|error| Fault::permanent(error.to_string()))?;
            return Ok(observation(&stored.sides, stored.weight, stored.fence));
        }
        let mut found = match look() {
            Err(_) if FLAW == flaw::SILENCE_IS_EMPTY => observation(&BTreeMap::new(), 0, 0),
            found => found?,
        };
        if FLAW == flaw::SEES_NO_WEIGHT {
            found.candidate_basis_points = 0;
        }
        Ok(found)
    }

    fn reconcile(call: &Call<S>, desired: &Desired) -> Progress {
        step(&call.context, desired, FLAW).unwrap_or_else(Progress::Failed)
    }

    fn preview(call: &Call<S>, desired: &Desired) -> Result<Vec<String>, Fault> {
        if FLAW == flaw::PREVIEW_WRITES {
            step(&call.context, desired, FLAW)?;
        }
        let (found, wanted) = (look()?, wanted(&call.context, desired));
        let same = sides(&found) == wanted.sides && found.candidate_basis_points == wanted.weight;
        Ok(if same || FLAW == flaw::PREVIEW_IS_SILENT { Vec::new() } else { vec!["something changes".to_owned()] })
    }
}

fn step(context: &Context, desired: &Desired, flaw: u8) -> Result<Progress, Fault> {
    let wanted = wanted(context, desired);
    assert!(flaw != flaw::PANICS_WITHOUT_A_NAME || !wanted.sides.values().any(String::is_empty), "a release without a name");
    if flaw == flaw::GIVES_UP_IN_DOUBT && context.outcome_unknown {
        return Err(Fault::permanent("who knows what is there"));
    }
    while flaw == flaw::ASKS_FOR_EVER && read("sides").is_err() {}
    if let (flaw::CHOKES_ON_A_STATE, Some(state)) = (flaw, &context.state) {
        serde_json::from_slice::<Stored>(state).map_err(|error| Fault::permanent(error.to_string()))?;
    }
    let found = look()?;
    if found.highest_fence > context.fence && flaw != flaw::KNOWS_NO_FENCE {
        if flaw == flaw::WRITES_BEFORE_IT_REFUSES {
            write("weight", &wanted)?;
        }
        return Ok(Progress::Superseded(found.highest_fence));
    }
    let mut reported = observation(&wanted.sides, wanted.weight, wanted.fence);
    reported.state = serde_json::to_vec(&wanted).ok();
    if flaw == flaw::SAYS_DONE_AT_ONCE {
        return Ok(Progress::Converged(reported));
    }
    for name in ["sides", "weight"] {
        let same = read(name)?.is_some_and(|(stored, _)| stored == wanted);
        if same && flaw != flaw::WRITES_AGAIN {
            continue;
        }
        let status = if flaw == flaw::LOOKS_AND_THEN_WRITES {
            ask(&Request::new("PUT", url(name)).json(&wanted))?.status
        } else {
            write(name, &wanted)?
        };
        if status != 200 && flaw != flaw::TAKES_FAILURE_FOR_SUCCESS {
            return Err(Fault::retryable(format!("status {status}")));
        }
    }
    if flaw == flaw::NEVER_DONE {
        return Ok(Progress::InProgress(Pending { observation: reported, retry_after_ms: 1, message: "soon".to_owned() }));
    }
    Ok(Progress::Converged(reported))
}

fn wanted(context: &Context, desired: &Desired) -> Stored {
    let named = |name: &str, side: &Option<SideDesired>| side.as_ref().map(|side| (name.to_owned(), side.release.clone()));
    Stored {
        fence: context.fence,
        sides: [named("stable", &desired.stable), named("candidate", &desired.candidate)].into_iter().flatten().collect(),
        weight: desired.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points),
    }
}

fn url(name: &str) -> String {
    format!("{}/{name}", Documents::URL)
}

fn ask(request: &Request) -> Result<http::Response, Fault> {
    request.send().map_err(|error| Fault::retryable(error.sentence()))
}

fn read(name: &str) -> Result<Option<(Stored, String)>, Fault> {
    let answer = ask(&Request::get(url(name)))?;
    if answer.status == 404 {
        return Ok(None);
    }
    let version = answer.header("etag").expect("a version").to_owned();
    Ok(Some((answer.json().map_err(Fault::permanent)?, version)))
}

fn write(name: &str, wanted: &Stored) -> Result<u16, Fault> {
    let request = Request::new("PUT", url(name)).json(wanted);
    let request = match read(name)? {
        Some((_, version)) => request.header("if-match", version),
        None => request.header("if-none-match", "*"),
    };
    Ok(ask(&request)?.status)
}

fn look() -> Result<Observation, Fault> {
    let (sides, weight) = (read("sides")?, read("weight")?);
    let fence = [&sides, &weight].into_iter().flatten().map(|(stored, _)| stored.fence).max().unwrap_or(0);
    Ok(observation(
        &sides.map(|(stored, _)| stored.sides).unwrap_or_default(),
        weight.map_or(0, |(stored, _)| stored.weight),
        fence,
    ))
}

fn observation(sides: &BTreeMap<String, String>, weight: u16, fence: u64) -> Observation {
    let seen = |side: Side| {
        let release = sides.get(side.as_str())?.clone();
        let artifact_digest = format!("sha256:{release}");
        Some(SideObservation { side, release, artifact_digest, ready: 1, wanted: 1, endpoint: None })
    };
    Observation {
        sides: [Side::Stable, Side::Candidate].into_iter().filter_map(seen).collect(),
        candidate_basis_points: weight,
        public_endpoint: None,
        highest_fence: fence,
        drift: Vec::new(),
        state: None,
    }
}

fn sides(found: &Observation) -> BTreeMap<String, String> {
    found.sides.iter().map(|side| (side.side.as_str().to_owned(), side.release.clone())).collect()
}

fn case() -> TargetCase<Documents> {
    TargetCase::new("{}", "{}", Documents::new, |world| {
        let stored = |name: &str| world.document(name).map(|text| serde_json::from_slice::<Stored>(&text).expect("a document"));
        let sides = stored("sides").map(|stored| stored.sides).unwrap_or_default();
        Seen {
            stable: sides.get("stable").cloned(),
            candidate: sides.get("candidate").cloned(),
            candidate_basis_points: stored("weight").map_or(0, |stored| stored.weight),
        }
    })
}

/// Returns the name of the check that catches a flaw.
fn caught<const FLAW: u8>() -> String {
    failed(|| target::<Flawed<FLAW>, _>(&case()))
}

#[test]
fn a_good_target_passes() {
    target::<Flawed<{ flaw::NONE }>, _>(&case());
}

#[test]
fn a_target_that_does_not_converge_is_caught() {
    assert_eq!(caught::<{ flaw::STEPS_OF_NOTHING }>(), "it-describes-itself");
    assert_eq!(failed(|| target::<Broken<Lax, 0>, _>(&case())), "unknown-settings-are-refused-by-name");
    assert_eq!(caught::<{ flaw::NEVER_DONE }>(), "it-converges");
    assert_eq!(caught::<{ flaw::SAYS_DONE_AT_ONCE }>(), "it-converges");
    assert_eq!(caught::<{ flaw::WRITES_AGAIN }>(), "twice-is-the-same");
}

#[test]
fn a_target_that_does_not_survive_faults_is_caught() {
    assert_eq!(caught::<{ flaw::GIVES_UP_IN_DOUBT }>(), "from-a-lost-answer");
    assert_eq!(caught::<{ flaw::TAKES_FAILURE_FOR_SUCCESS }>(), "from-a-half-done-state");
    assert_eq!(caught::<{ flaw::SILENCE_IS_EMPTY }>(), "silence-is-no-success");
    assert_eq!(caught::<{ flaw::ASKS_FOR_EVER }>(), "it-ends-by-its-deadline");
    assert_eq!(caught::<{ flaw::CHOKES_ON_A_STATE }>(), "a-foreign-state-is-no-state");
    assert_eq!(caught::<{ flaw::PANICS_WITHOUT_A_NAME }>(), "huge-and-empty-inputs-are-answered");
}

#[test]
fn a_target_that_ignores_the_fence_is_caught() {
    assert_eq!(caught::<{ flaw::KNOWS_NO_FENCE }>(), "an-older-fence-is-superseded");
    assert_eq!(caught::<{ flaw::WRITES_BEFORE_IT_REFUSES }>(), "an-older-fence-is-superseded");
    assert_eq!(caught::<{ flaw::LOOKS_AND_THEN_WRITES }>(), "a-write-that-arrives-late-changes-nothing");
}

#[test]
fn a_target_that_does_not_tell_the_truth_is_caught() {
    assert_eq!(caught::<{ flaw::SEES_NO_WEIGHT }>(), "observe-tells-the-truth");
    assert_eq!(caught::<{ flaw::REMEMBERS_WHAT_WAS }>(), "observe-tells-the-truth");
    assert_eq!(caught::<{ flaw::PREVIEW_WRITES }>(), "a-preview-changes-nothing");
    assert_eq!(caught::<{ flaw::PREVIEW_IS_SILENT }>(), "a-preview-says-what-changes");
}
