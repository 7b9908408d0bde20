//! Now and then: what is over for long is packed, and answers that nobody asks for again are forgotten.

use std::sync::Arc;

use journal::{Retention, StoreError};

use crate::limits;
use crate::shard;
use crate::shared::Shared;

/// Keeps the journal small, for ever. Of several replicas the one that has the first shard does it: that it is one is only thrift, the
/// store takes the same from many.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut pause = limits::COMPACT_FIRST;
    loop {
        tokio::time::sleep(pause).await;
        pause = limits::COMPACT_EVERY;
        let first = shard::all().next().and_then(|shard| shared.tenures().get(&shard).cloned());
        if !first.is_some_and(|tenure| tenure.serves()) {
            continue;
        }
        if let Err(error) = compact(&shared).await {
            shared.note(&error);
            tracing::warn!(%error, "what is old could not be packed; it is tried again later");
        }
    }
}

/// Packs and forgets until nothing old is left.
async fn compact(shared: &Shared) -> Result<(), StoreError> {
    let old = Retention { ended: shared.pack_after, answered: limits::ANSWERS_KEPT, limit: limits::COMPACT_AT_ONCE };
    let (mut deployments, mut answers) = (0, 0);
    loop {
        let done = shared.store.compact(old).await?;
        for damaged in &done.damaged {
            tracing::error!("{damaged}; it stays as it is");
        }
        deployments += done.deployments;
        answers += done.answers;
        if done.is_nothing() {
            break;
        }
        // Whoever decides goes first.
        tokio::time::sleep(limits::COMPACT_PAUSE).await;
    }
    if deployments + answers > 0 {
        tracing::info!(deployments, answers, "packed what was over for long, and forgot old answers");
    }
    Ok(())
}
