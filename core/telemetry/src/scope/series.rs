//! One series: what it is, what waits for it and its windows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::limits::WINDOW_MS;
use crate::point::{Identity, Kind, quoted};
use crate::scope::ring::Ring;
use crate::scope::stream::{Stream, StreamKey};

/// One series.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) kind: Kind,
    pub(crate) unit: Arc<str>,
    pub(super) streams: BTreeMap<StreamKey, Stream>,
    pub(super) ring: Ring,
    /// The bounds that came last: most points have the same.
    pub(super) bounds: Arc<[f64]>,
}

impl Series {
    pub(super) fn new(kind: Kind, unit: Arc<str>) -> Self {
        Self { kind, unit, streams: BTreeMap::new(), ring: Ring::default(), bounds: Arc::default() }
    }

    /// Returns why values of another kind or unit do not fit, if so.
    pub(super) fn fits(&self, identity: &Identity, kind: Kind, unit: &str) -> Result<(), String> {
        let metric = quoted(identity.metric());
        if kind != self.kind {
            return Err(format!("{metric} is a {} of this release, a {} came", self.kind.word(), kind.word()));
        }
        if *unit != *self.unit {
            return Err(format!("{metric} is in {} of this release, a value in {} came", quoted(&self.unit), quoted(unit)));
        }
        Ok(())
    }

    /// Puts what waits into windows that are over, and forgets old ones. Returns how many totals came too late.
    pub(super) fn settle(&mut self, settled_ms: i64, forgotten_ms: i64, known_since: impl Fn(&StreamKey) -> Option<u64>) -> u64 {
        let mut late = 0;
        for (key, stream) in &mut self.streams {
            late += stream.settle(key.span, settled_ms, known_since(key), &mut self.ring).late;
        }
        self.streams.retain(|_, stream| !stream.is_done(forgotten_ms));
        self.ring.forget_before(forgotten_ms.div_euclid(WINDOW_MS));
        late
    }

    /// Returns whether nothing came for as long as windows are kept.
    pub(super) fn is_over(&self) -> bool {
        self.streams.is_empty() && self.ring.oldest().is_none()
    }
}
