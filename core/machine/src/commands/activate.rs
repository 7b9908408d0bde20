//! The scope is free: begin.

use alloc::format;
use alloc::string::String;

use model::{Event, Fence, Outcome, ReleaseSpec};

use crate::draft::Draft;
use crate::forward;

pub(super) fn decide(draft: &mut Draft, stable: Option<&ReleaseSpec>, fence: Fence) {
    let at = draft.now;
    draft.push(Event::Activated { stable: stable.cloned(), fence, at });
    match misfit(draft, stable) {
        Some(reason) => draft.push(Event::Ended { outcome: Outcome::Rejected { reason }, at }),
        None => {
            forward::enter(draft, 0);
            forward::advance(draft);
        }
    }
}

/// A plan is made some time before its turn comes; what it was made for may be gone by then.
fn misfit(draft: &Draft, stable: Option<&ReleaseSpec>) -> Option<String> {
    let plan = &draft.state.plan;
    match stable {
        Some(stable) if stable.id == plan.release.id => {
            Some(format!("release {} is already stable in {}", stable.id, plan.scope))
        }
        Some(stable) if plan.first => {
            Some(format!("planned as the first deployment, but {} became stable meanwhile; plan it again", stable.id))
        }
        None if !plan.first => Some(String::from("planned beside a stable release, but nothing is stable; plan it again")),
        Some(_) | None => None,
    }
}
