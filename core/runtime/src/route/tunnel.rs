//! Connections that stop being HTTP (WebSocket and whatever else switches protocols): bytes are copied both ways until one side ends.
//!
//! A tunnel holds its instance's lease, so a drain waits for it, up to the drain time-out; then the instance is stopped under it.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::route::upstream::Lease;

/// Connects the two ends as soon as both have switched.
pub(crate) fn open(caller: OnUpgrade, instance: OnUpgrade, lease: Lease) {
    tokio::spawn(async move {
        if let (Ok(caller), Ok(instance)) = (caller.await, instance.await) {
            // Either end may hang up at any time; that is how tunnels end.
            let _ = copy_bidirectional(&mut TokioIo::new(caller), &mut TokioIo::new(instance)).await;
        }
        drop(lease);
    });
}
