//! Blue-green: full capacity beside the old, then one switch.

use model::{BasisPoints, Percent, Phase, Routing, WatchSpec};

use super::resolver::Resolver;
use super::steps::{Stand, Steps};
use crate::rules::strategy::WatchRule;

/// A blue-green switch whose values are known.
pub(crate) struct BlueGreen {
    preview: Option<WatchSpec>,
    pub(crate) watch: WatchSpec,
}

/// Returns the switch, or `None` with diagnostics.
pub(crate) fn resolve(resolver: &mut Resolver<'_>, preview: Option<&WatchRule>, watch: &WatchRule) -> Option<BlueGreen> {
    resolver.needs_switch();
    let on_failure = resolver.input.path.rules.on_failure;
    let preview = match preview {
        Some(rule) => Some(resolver.watch(rule, on_failure)?),
        None => None,
    };
    Some(BlueGreen { preview, watch: resolver.watch(watch, on_failure)? })
}

impl BlueGreen {
    /// Writes down the steps up to the promotion.
    pub(crate) fn write(&self, steps: &mut Steps) {
        let full = |weight| Stand { stable: Percent::FULL, candidate: Percent::FULL, routing: Routing::weights(weight) };
        let reason = "the candidate stands complete beside the old before anybody meets it";
        steps.reconcile("provision", Phase::Provisioning, full(BasisPoints::NONE), reason);
        if let Some(preview) = &self.preview {
            let reason = "the candidate is tried while nobody depends on it";
            steps.watch("watch-preview", Phase::Provisioning, preview.clone(), reason);
        }
        let reason = "all traffic moves at once; the old stands by at full capacity";
        steps.reconcile("switch", Phase::Shifting, full(BasisPoints::ALL), reason);
        let reason = "the checks judge the candidate under all traffic while the old stands by";
        steps.watch("watch-full", Phase::Shifting, self.watch.clone(), reason);
    }
}
