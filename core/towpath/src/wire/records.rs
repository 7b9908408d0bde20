//! Forgets what operators did with plugins long ago, where the operator wants that.

use std::sync::Arc;
use std::time::Duration;

use api::document;
use engine::Clock;
use journal::Store;
use model::Timestamp;

/// How often it is looked: what is counted in days may be an hour late.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Forgets what is older than so many days, now and again and again. Of servers that share the store each does it: what is gone is gone.
pub(super) async fn forget(store: Arc<dyn Store>, clock: Arc<dyn Clock>, days: u32) {
    loop {
        let before = Timestamp(clock.now().0.saturating_sub(i64::from(days) * MILLIS_PER_DAY));
        match document::forget_plugin_records(&*store, before).await {
            Ok(0) => {}
            Ok(records) => tracing::info!(records, days, "forgot what was done with plugins long ago"),
            Err(error) => tracing::warn!(%error, "old records of plugins stay until the next look"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
