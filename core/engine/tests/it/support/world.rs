//! What the engine's tests ask of the world that they deploy into.

use model::{BasisPoints, Call, Fence, OperationKind, Side};
use test_world::world::World;

/// Returns what is left when everybody has gone, whatever fences it took to get there.
pub(crate) fn without_fences(world: &World) -> World {
    let actions = world.actions.iter().map(|(step, (done, _))| (*step, (*done, Fence::default()))).collect();
    World { fence: Fence::default(), actions, ..world.clone() }
}

/// Returns whether a call gives the candidate traffic.
pub(crate) fn shifts(call: &Call) -> bool {
    match &call.operation.kind {
        OperationKind::Reconcile { desired } => desired.routing.share(Side::Candidate) > BasisPoints::NONE,
        OperationKind::AskGate | OperationKind::Look { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. } => false,
    }
}
