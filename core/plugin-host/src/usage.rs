//! What a plugin asked of the host: each use in a call's trace, and counted for the plugin's page.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Uses that one call's trace keeps; the rest is counted.
const TRACED_MAX: usize = 100;

/// One use of a power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerUse {
    /// The power's name.
    pub power: &'static str,
    /// What was asked ("GET https://example.com/metrics"), without anything secret.
    pub what: String,
    /// What came of it.
    pub outcome: UseOutcome,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
}

/// What came of one use of a power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseOutcome {
    /// It was done.
    Done,
    /// It was tried and failed: why.
    Failed(String),
    /// It was not granted: the sentence that the guest was told.
    Refused(String),
}

/// The uses of powers in one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// In the order in which they ended; bounded.
    pub traced: Vec<PowerUse>,
    /// How many more there were.
    pub cut: u32,
}

/// How often a plugin was called, and what it used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls that ended.
    pub calls: u64,
    /// Those of them that gave no answer.
    pub failed: u64,
    /// Uses, by the power's name.
    pub powers: BTreeMap<&'static str, PowerCounts>,
}

/// Uses of one power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PowerCounts {
    /// All of them.
    pub used: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// A loaded plugin, as the powers see it.
pub(crate) struct Asker {
    asks: BTreeSet<String>,
    usage: Mutex<Usage>,
}

/// An answer to a guest that may be a refusal.
pub(crate) trait Refusable {
    /// Returns whether it is one.
    fn is_refusal(&self) -> bool;

    /// Returns it as a sentence fragment, without anything secret.
    fn sentence(&self) -> String;
}

impl Uses {
    pub(crate) fn add(&mut self, used: PowerUse) {
        if self.traced.len() < TRACED_MAX {
            self.traced.push(used);
        } else {
            self.cut = self.cut.saturating_add(1);
        }
    }
}

impl Asker {
    pub(crate) fn new(asks: impl IntoIterator<Item = impl ToString>) -> Self {
        Self { asks: asks.into_iter().map(|power| power.to_string()).collect(), usage: Mutex::default() }
    }

    /// Returns whether the plugin's manifest asks for a power.
    pub(crate) fn asks_for(&self, power: &str) -> bool {
        self.asks.contains(power)
    }

    pub(crate) fn used(&self, power: &'static str, outcome: &UseOutcome) {
        let mut usage = self.lock();
        let counts = usage.powers.entry(power).or_default();
        counts.used += 1;
        match outcome {
            UseOutcome::Done => {}
            UseOutcome::Failed(_) => counts.failed += 1,
            UseOutcome::Refused(_) => counts.refused += 1,
        }
    }

    pub(crate) fn ended(&self, well: bool) {
        let mut usage = self.lock();
        usage.calls += 1;
        usage.failed += u64::from(!well);
    }

    pub(crate) fn usage(&self) -> Usage {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
