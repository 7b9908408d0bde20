//! What is remembered between two looks at one movement.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use towpath_sdk::target::Call;

use crate::settings::Settings;

/// How often in a row a host may end something without an answer, or with one that makes no sense, before it counts as failed.
const TROUBLES_MAX: u32 = 3;

/// What is remembered. Belongs to one operation; another begins anew. The keys are `host/release`,
/// `host/slot` or `balancer/server`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Memory {
    operation_key: String,
    /// Where a release failed, and why.
    pub(crate) failed: BTreeMap<String, String>,
    /// The hosts that were out of reach at the last look.
    #[serde(default)]
    pub(crate) silent: BTreeSet<String>,
    troubles: BTreeMap<String, u32>,
    /// Since when something is waited for.
    since_ms: BTreeMap<String, i64>,
    /// How often a slot had been started when it was first seen unready.
    starts: BTreeMap<String, u32>,
    /// Slots whose units were asked to run though their supervisor knows them.
    urged: BTreeSet<String>,
    /// What was asked for when it was looked at last.
    #[serde(default)]
    asked: BTreeSet<String>,
}

impl Memory {
    /// Returns what an earlier look at the same operation left.
    pub(crate) fn of(call: &Call<Settings>) -> Self {
        let key = &call.context.operation_key;
        let left = call.context.state.as_deref().and_then(|state| serde_json::from_slice::<Self>(state).ok());
        left.filter(|left| left.operation_key == *key).unwrap_or_else(|| Self { operation_key: key.clone(), ..Self::default() })
    }

    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    /// Notes that a release failed on a host.
    pub(crate) fn fail(&mut self, host: &str, release: &str, why: &str) {
        self.failed.insert(key(host, release), why.to_owned());
    }

    pub(crate) fn has_failed(&self, host: &str, release: &str) -> bool {
        self.failed.contains_key(&key(host, release))
    }

    /// Returns on how many hosts something failed.
    pub(crate) fn failed_hosts(&self) -> usize {
        let hosts: BTreeSet<_> = self.failed.keys().filter_map(|key| key.split('/').next()).collect();
        hosts.len()
    }

    /// Notes which hosts were out of reach. Returns whether one of them was not before.
    pub(crate) fn notes_silent<'a>(&mut self, hosts: impl Iterator<Item = &'a String>) -> bool {
        let silent: BTreeSet<_> = hosts.cloned().collect();
        let is_new = !silent.is_subset(&self.silent);
        self.silent = silent;
        is_new
    }

    /// Counts something that may pass. Returns whether it has not passed for too long.
    pub(crate) fn trouble(&mut self, host: &str) -> bool {
        let count = self.troubles.entry(host.to_owned()).or_default();
        *count += 1;
        *count > TROUBLES_MAX
    }

    /// Forgets the troubles of a host that did what it was asked.
    pub(crate) fn did_well(&mut self, host: &str) {
        self.troubles.remove(host);
    }

    /// Returns for how long something is waited for, in milliseconds; from now on if it was not.
    pub(crate) fn waited_ms(&mut self, host: &str, what: &str, now_ms: i64) -> u64 {
        let since = *self.since_ms.entry(key(host, what)).or_insert(now_ms);
        u64::try_from(now_ms.saturating_sub(since)).unwrap_or(0)
    }

    /// Forgets that something was waited for.
    pub(crate) fn waits_no_more(&mut self, host: &str, what: &str) {
        self.since_ms.remove(&key(host, what));
        self.starts.remove(&key(host, what));
    }

    /// Returns whether a unit that is down should be asked to run: once, in case somebody stopped it. Whatever else ends it, its supervisor
    /// starts it again, and that is counted.
    pub(crate) fn urges(&mut self, host: &str, what: &str) -> bool {
        self.urged.insert(key(host, what))
    }

    /// Returns whether something is asked for now: every other time, since what was just refused would be refused again.
    pub(crate) fn asks(&mut self, host: &str, what: &str) -> bool {
        let asked = key(host, what);
        let is_new = !self.asked.remove(&asked);
        if is_new {
            self.asked.insert(asked);
        }
        is_new
    }

    /// Returns how often a slot was started since it was first seen unready.
    pub(crate) fn restarts(&mut self, host: &str, what: &str, starts: u32) -> u32 {
        let before = *self.starts.entry(key(host, what)).or_insert(starts);
        starts.saturating_sub(before)
    }
}

fn key(host: &str, what: &str) -> String {
    format!("{host}/{what}")
}
