//! What is remembered between two looks at one movement, to tell a slow start from a hopeless one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use towpath_sdk::target::Call;

use crate::protocol::{GroupStatus, Status};
use crate::settings::Settings;

/// How many looks in a row may find every instance of a release failed before it is hopeless: more than the runtime waits before
/// its first restart, so that one crash is not the end.
const FAILED_LOOKS_MAX: u32 = 20;

/// What is remembered. Belongs to one operation; another begins anew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Memory {
    operation_key: String,
    releases: BTreeMap<String, Seen>,
}

/// What was seen of one release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// How often its instances had been restarted before this operation.
    restarts_before: u32,
    /// How many looks in a row found all of its instances failed.
    failed_looks: u32,
}

impl Memory {
    /// Returns what an earlier look at the same operation left.
    pub(crate) fn of(call: &Call<Settings>) -> Self {
        let key = &call.context.operation_key;
        let left = call.context.state.as_deref().and_then(|state| serde_json::from_slice::<Self>(state).ok());
        left.filter(|left| left.operation_key == *key).unwrap_or_else(|| Self { operation_key: key.clone(), ..Self::default() })
    }

    /// Returns the memory after another look.
    pub(crate) fn after(mut self, status: &Status) -> Self {
        for group in &status.groups {
            let fresh = || Seen { restarts_before: group.restarts, failed_looks: 0 };
            let seen = self.releases.entry(group.release.clone()).or_insert_with(fresh);
            seen.failed_looks = if group.failed >= group.instances { seen.failed_looks + 1 } else { 0 };
        }
        self
    }

    /// Says which release had its chance, if one had.
    pub(crate) fn hopeless(&self, settings: &Settings, status: &Status) -> Option<String> {
        status.groups.iter().filter(|group| group.ready < group.instances).find_map(|group| self.given_up(settings, group))
    }

    pub(crate) fn to_bytes(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    fn given_up(&self, settings: &Settings, group: &GroupStatus) -> Option<String> {
        let GroupStatus { release, side, instances, ready, failed, starting, restarts, last_error, .. } = group;
        let seen = self.releases.get(release)?;
        // The runtime was restarted in between: its count began anew.
        let restarts = restarts.checked_sub(seen.restarts_before).unwrap_or(*restarts);
        if restarts < settings.restarts_max && seen.failed_looks < FAILED_LOOKS_MAX {
            return None;
        }
        let why = last_error.as_deref().unwrap_or("no reason is known");
        Some(format!(
            "release {release} ({}) does not come up: {ready} of {instances} instances are ready, {starting} starting, {failed} failed, \
             {restarts} restarts; last: {why}",
            side.as_str()
        ))
    }
}
