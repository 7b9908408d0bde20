//! Somebody asks for a deployment.

use alloc::vec;
use alloc::vec::Vec;

use model::{Actor, DeploymentId, Event, Plan, Timestamp};

/// Returns the first event of a deployment. The plan must have passed [`check_plan`](crate::check_plan).
pub fn request(id: DeploymentId, plan: Plan, by: Actor, now: Timestamp) -> Vec<Event> {
    let deadline = now + plan.policies.queue_expires_after;
    vec![Event::Requested { id, plan, by, at: now, deadline }]
}
