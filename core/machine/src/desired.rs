//! From arrangements to absolute desired states, and back: does what the target reports contradict what was asked?

use alloc::format;
use alloc::string::String;

use model::{Arrangement, Confirmed, Desired, Observation, Percent, Routing, Side, SideDesired, State};

/// Returns the absolute state that an arrangement means for this deployment.
pub(crate) fn desired(state: &State, arrangement: &Arrangement) -> Desired {
    match arrangement {
        Arrangement::SideBySide { stable, candidate, routing } => Desired {
            stable: side(state, Side::Stable, *stable),
            candidate: side(state, Side::Candidate, *candidate),
            routing: routing.clone(),
        },
        // In the target's words the candidate *is* the stable side from here on.
        Arrangement::CandidateAlone => Desired {
            stable: side(state, Side::Candidate, Percent::FULL),
            candidate: None,
            routing: Confirmed::of(&Arrangement::StableAlone, true).routing,
        },
        Arrangement::StableAlone => {
            let stable = side(state, Side::Stable, Percent::FULL);
            let routing = Confirmed::of(arrangement, stable.is_some()).routing;
            Desired { stable, candidate: None, routing }
        }
    }
}

fn side(state: &State, side: Side, capacity: Percent) -> Option<SideDesired> {
    let release = state.release(side).filter(|_| capacity > Percent::NONE)?;
    Some(SideDesired { release: release.clone(), capacity })
}

/// Returns how an observation contradicts the claim that the target has converged: trust, but look.
pub(crate) fn contradiction(desired: &Desired, seen: &Observation) -> Option<String> {
    without_candidate(desired, seen).or_else(|| side_contradiction(desired, seen, Side::Candidate))
}

/// Returns the same for all but the candidate's own state: what counts while the good side is brought back.
pub(crate) fn without_candidate(desired: &Desired, seen: &Observation) -> Option<String> {
    weight_contradiction(desired, seen).or_else(|| side_contradiction(desired, seen, Side::Stable))
}

fn weight_contradiction(desired: &Desired, seen: &Observation) -> Option<String> {
    let weight = desired.routing.share(Side::Candidate);
    let contradicts = desired.routing != Routing::Closed && seen.candidate_weight != weight;
    contradicts.then(|| format!("the target reports a candidate weight of {}, wanted {weight}", seen.candidate_weight))
}

fn side_contradiction(desired: &Desired, seen: &Observation, side: Side) -> Option<String> {
    let found = seen.sides.iter().find(|s| s.side == side);
    match (desired.side(side), found) {
        (None, None) => None,
        (None, Some(found)) => Some(format!("the target still reports {} on the {side} side, wanted nothing", found.release)),
        (Some(wanted), None) => Some(format!("the target reports nothing on the {side} side, wanted {}", wanted.release.id)),
        (Some(wanted), Some(found)) if found.digest != wanted.release.artifact.digest => {
            Some(format!("the target runs {} on the {side} side, wanted {}", found.digest, wanted.release.artifact.digest))
        }
        // Two releases may run the same bytes in different ways.
        (Some(wanted), Some(found)) if found.release != wanted.release.id => {
            Some(format!("the target runs release {} on the {side} side, wanted {}", found.release, wanted.release.id))
        }
        (Some(_), Some(found)) if found.ready == 0 || found.ready < found.wanted => {
            Some(format!("the target reports {} of {} ready on the {side} side", found.ready, found.wanted))
        }
        (Some(_), Some(_)) => None,
    }
}
