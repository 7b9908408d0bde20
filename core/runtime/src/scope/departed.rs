//! Releases of which nothing runs any more: their counters are kept for when they come back, and shown for a while.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::clock;
use crate::counters::ReleaseCounters;
use crate::limits::{COUNTERS_KEPT_MAX, DEPARTED_SHOWN};

/// Releases that went, the latest last.
#[derive(Debug, Default)]
pub(crate) struct DepartedReleases {
    gone: VecDeque<Departed>,
}

#[derive(Debug)]
struct Departed {
    release: String,
    counters: Arc<ReleaseCounters>,
    at: Instant,
}

impl DepartedReleases {
    /// Keeps the counters of a release that went now; the oldest go when there are too many.
    pub(crate) fn keep(&mut self, release: String, counters: Arc<ReleaseCounters>) {
        self.gone.push_back(Departed { release, counters, at: clock::now() });
        if self.gone.len() > COUNTERS_KEPT_MAX {
            self.gone.pop_front();
        }
    }

    /// Gives back the counters of a release that returns.
    pub(crate) fn take(&mut self, release: &str) -> Option<Arc<ReleaseCounters>> {
        let at = self.gone.iter().position(|gone| gone.release == release)?;
        self.gone.remove(at).map(|gone| gone.counters)
    }

    /// Returns those that went lately, the latest first.
    pub(crate) fn lately(&self) -> impl Iterator<Item = (&str, &ReleaseCounters)> {
        let now = clock::now();
        let lately = self.gone.iter().rev().filter(move |gone| now.duration_since(gone.at) <= DEPARTED_SHOWN);
        lately.map(|gone| (gone.release.as_str(), &*gone.counters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_who_returns_is_not_gone() {
        let mut departed = DepartedReleases::default();
        for number in 0..=COUNTERS_KEPT_MAX {
            departed.keep(format!("v{number}"), Arc::new(ReleaseCounters::new()));
        }
        assert!(departed.take("v0").is_none());
        assert!(departed.take("v3").is_some());
        let lately: Vec<&str> = departed.lately().map(|(release, _)| release).collect();
        assert_eq!((lately.len(), lately[0], lately.contains(&"v3")), (COUNTERS_KEPT_MAX - 1, "v16", false));
    }
}
