//! Targets that cannot fence: one flight at a time, and the longest one is waited out before anything that conflicts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::Scope;
use tokio::time::{Duration, Instant, sleep_until};

use crate::limits;

/// The flights of scopes whose target cannot fence.
#[derive(Default)]
pub(crate) struct Quiesce(Mutex<HashMap<Scope, Arc<tokio::sync::Mutex<Option<Instant>>>>>);

/// A flight. Dropped in the air, it keeps its scope closed until its last request must have landed.
pub(crate) struct Flight {
    open_from: tokio::sync::OwnedMutexGuard<Option<Instant>>,
}

impl Quiesce {
    /// Waits until nothing of an earlier flight can still land, then takes off.
    pub(crate) async fn take_off(&self, scope: &Scope) -> Flight {
        let lock = {
            let mut scopes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(scopes.entry(scope.clone()).or_default())
        };
        let mut open_from = lock.lock_owned().await;
        if let Some(at) = *open_from {
            sleep_until(at).await;
        }
        // Set on the way up: a flight that is dropped in the air must leave it behind.
        *open_from = Some(far_end());
        Flight { open_from }
    }
}

impl Flight {
    /// Every answer came back: nothing is in the air.
    pub(crate) fn landed(mut self) {
        *self.open_from = None;
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if self.open_from.is_some() {
            *self.open_from = Some(far_end());
        }
    }
}

fn far_end() -> Instant {
    let now = Instant::now();
    now + Duration::from_millis(limits::FLIGHT.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{EnvironmentName, ServiceName};

    fn scope() -> Scope {
        Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("test").unwrap() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_that_was_dropped_in_the_air_is_waited_out() {
        let quiesce = Quiesce::default();
        let before = Instant::now();
        drop(quiesce.take_off(&scope()).await);
        quiesce.take_off(&scope()).await.landed();
        assert!(before.elapsed() >= Duration::from_millis(limits::FLIGHT.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flight_that_landed_holds_up_nobody() {
        let quiesce = Quiesce::default();
        let before = Instant::now();
        quiesce.take_off(&scope()).await.landed();
        quiesce.take_off(&scope()).await.landed();
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
}
