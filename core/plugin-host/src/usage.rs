//! What a plugin asked of the host: each use in a call's trace, and counted for the plugin's page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Uses that one call's trace keeps; the rest is counted. As many again are kept of the powers that reach nothing outside: a flood of lines
/// must not hide a request.
const TRACED_MAX: usize = 100;

/// The powers that reach nothing outside of the call. What is the same in a row is one use of theirs in a trace.
const QUIET: [&str; 4] = ["clock", "log", "measure", "random"];

/// Latest uses that are kept for a plugin's page: some looks of a health check, with every request.
const LATEST_MAX: usize = 50;

/// Characters of each text in them: a hundred plugins take a few megabytes at most.
const LATEST_CHARS_MAX: usize = 300;

/// One use of a power, or several in a row that are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerUse {
    /// The power's name.
    pub power: &'static str,
    /// What was asked ("GET https://example.com:443/metrics"), without anything secret.
    pub what: String,
    /// What came of it.
    pub outcome: UseOutcome,
    /// What came of it in a few words, where there is more to say than that it was done ("status 200").
    pub told: String,
    /// How often in a row.
    pub times: u32,
    /// When the first of them began, in Unix milliseconds.
    pub at_ms: i64,
    /// How long they took, in microseconds.
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
    /// The latest uses of powers that reach outside, and refusals of others, newest first; bounded.
    pub latest: VecDeque<LatestUse>,
}

/// A use of a power with the call that it was part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestUse {
    /// The use.
    pub used: PowerUse,
    /// For whom.
    pub caller: Caller,
}

/// For whom a plugin was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The deployment; empty outside of one.
    pub deployment: String,
    /// The service.
    pub service: String,
    /// The environment.
    pub environment: String,
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

impl PowerUse {
    /// Returns whether it reached nothing outside.
    fn is_quiet(&self) -> bool {
        QUIET.contains(&self.power)
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.power, &self.what, &self.outcome) == (other.power, &other.what, &other.outcome)
    }

    /// Shows each text of it.
    pub(crate) fn each_text(&mut self, look: impl Fn(&mut String)) {
        look(&mut self.what);
        look(&mut self.told);
        if let UseOutcome::Failed(sentence) | UseOutcome::Refused(sentence) = &mut self.outcome {
            look(sentence);
        }
    }
}

impl Uses {
    pub(crate) fn add(&mut self, used: PowerUse) {
        let quiet = used.is_quiet();
        let like_it = self.traced.iter().filter(|other| other.is_quiet() == quiet).count();
        match self.traced.last_mut() {
            Some(last) if quiet && last.is_like(&used) => {
                last.times = last.times.saturating_add(used.times);
                last.elapsed_us = last.elapsed_us.saturating_add(used.elapsed_us);
            }
            _ if like_it < TRACED_MAX => self.traced.push(used),
            _ => self.cut = self.cut.saturating_add(1),
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

    pub(crate) fn used(&self, used: &PowerUse, caller: &Caller) {
        let mut usage = self.lock();
        let counts = usage.powers.entry(used.power).or_default();
        counts.used += 1;
        let refused = match &used.outcome {
            UseOutcome::Done => false,
            UseOutcome::Failed(_) => {
                counts.failed += 1;
                false
            }
            UseOutcome::Refused(_) => {
                counts.refused += 1;
                true
            }
        };
        if refused || !used.is_quiet() {
            let mut used = used.clone();
            used.each_text(|text| *text = text.chars().take(LATEST_CHARS_MAX).collect());
            usage.latest.truncate(LATEST_MAX - 1);
            usage.latest.push_front(LatestUse { used, caller: caller.clone() });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn used(power: &'static str, what: &str) -> PowerUse {
        let (what, told) = (what.to_owned(), String::new());
        PowerUse { power, what, outcome: UseOutcome::Done, told, times: 1, at_ms: 0, elapsed_us: 1 }
    }

    #[test]
    fn a_flood_of_lines_hides_no_request_and_what_is_the_same_is_said_once() {
        let mut uses = Uses::default();
        for number in 0..500 {
            uses.add(used("clock", "the time"));
            uses.add(used("clock", "the time"));
            uses.add(used("log", &format!("a line of {number} bytes")));
        }
        uses.add(used("http", "GET http://a:80/"));
        // Fifty rounds fill the trace, with two entries each; of the others all three uses are cut.
        assert_eq!((uses.traced.len(), uses.cut), (101, 1_350), "100 quiet ones and the request");
        assert_eq!((uses.traced[0].what.as_str(), uses.traced[0].times, uses.traced[0].elapsed_us), ("the time", 2, 2));
        assert_eq!(uses.traced.last().map(|last| last.power), Some("http"));
    }

    #[test]
    fn the_latest_uses_are_kept_bounded_and_newest_first() {
        let asker = Asker::new(["http"]);
        for number in 0..LATEST_MAX * 2 {
            asker.used(&used("http", &format!("{number} {}", "x".repeat(10_000))), &Caller::default());
            asker.used(&used("clock", "the time"), &Caller::default());
        }
        asker.used(&PowerUse { outcome: UseOutcome::Refused("no".to_owned()), ..used("log", "a line") }, &Caller::default());
        let Usage { latest, powers, .. } = asker.usage();
        assert_eq!((latest.len(), latest[0].used.power), (LATEST_MAX, "log"), "a refusal is worth a look, whatever the power");
        assert!(latest[1].used.what.starts_with("99 ") && latest[1].used.what.len() == LATEST_CHARS_MAX, "{:?}", latest[1]);
        assert_eq!((powers["http"].used, powers["clock"].used), (100, 100));
    }
}
