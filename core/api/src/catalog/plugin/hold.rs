//! Holds: what keeps a digest from being removed while something that will use it is being written down.
//!
//! A deployment is written to the journal and a plugin is removed from the catalog, and no transaction spans both. So each side first
//! says what it is about to do and then looks at what the other said: whoever uses a digest puts a hold and then looks for a removal,
//! whoever removes it puts a removal and then looks for holds and users. The store puts all that in one order, so at least one of two
//! that meet sees the other, and gives way. What is said is taken back at the end; what a process that died left behind counts for
//! [`AGE_MAX`].

use journal::StoreError;
use model::{Digest, Millis, Plan, PluginUse, Step, StepKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::document;
use crate::error::ApiError;

/// How long a hold or a removal counts. What stands between putting and taking back are a few writes; a letter to another server, the
/// slowest of them, dies after a minute.
const AGE_MAX: Millis = Millis(10 * 60 * 1_000);

/// Holds of one digest in one millisecond.
const HOLDS_AT_ONCE_MAX: u32 = 100;

/// What is written down: who is about to do something, for the message to whoever meets it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct HoldDocument {
    form: u32,
    by: String,
}

/// Holds on digests.
pub(crate) struct Held {
    keys: Vec<String>,
}

/// Holds digests that somebody is about to use, or says which of them is gone or being removed. The server's own plugins stay anyway.
pub(crate) async fn hold(api: &Api, by: &str, used: &[(String, Digest)]) -> Result<Held, ApiError> {
    let mut held = Held { keys: Vec::new() };
    let foreign: Vec<_> = used.iter().filter(|(name, _)| !api.plugins.is_own(name)).collect();
    for (_, digest) in &foreign {
        held.keys.push(put(api, by, *digest).await?);
    }
    for (name, digest) in &foreign {
        if let Err(error) = there(api, name, *digest).await {
            held.release(api).await?;
            return Err(error);
        }
    }
    Ok(held)
}

/// Holds a digest that is about to be installed: it need not be there yet.
pub(super) async fn arrive(api: &Api, by: &str, name: &str, digest: Digest) -> Result<Held, ApiError> {
    let held = Held { keys: vec![put(api, by, digest).await?] };
    if leaves(api, digest).await? {
        held.release(api).await?;
        return Err(ApiError::PluginLeaves { name: name.to_owned(), digest: digest.to_string() });
    }
    Ok(held)
}

impl Held {
    /// Takes the holds back.
    pub(crate) async fn release(self, api: &Api) -> Result<(), ApiError> {
        for key in &self.keys {
            api.handle.store().remove(document::PLUGIN_HOLD, key).await?;
        }
        Ok(())
    }
}

/// Returns the plugins that a plan uses, each once.
pub(crate) fn used_by(plan: &Plan) -> Vec<(String, Digest)> {
    let of_step = |step: &Step| -> Vec<PluginUse> {
        match &step.kind {
            StepKind::Gate { gate } => vec![gate.clone()],
            StepKind::Action { action, .. } => vec![action.clone()],
            StepKind::Watch(watch) => watch.checks.iter().map(|check| check.health.clone()).collect(),
            StepKind::Approval { .. } | StepKind::Reconcile { .. } | StepKind::Wait { .. } | StepKind::Promote => Vec::new(),
        }
    };
    let all = std::iter::once(plan.target.clone()).chain(plan.steps.iter().flat_map(of_step));
    let mut used: Vec<_> = all.map(|plugin| (plugin.name, plugin.digest)).collect();
    used.sort();
    used.dedup();
    used
}

/// A removal that others see.
pub(super) struct Leaving {
    key: String,
}

/// Says that a digest is about to be removed, to whoever is about to use it.
pub(super) async fn announce(api: &Api, by: &str, name: &str, digest: Digest) -> Result<Leaving, ApiError> {
    let (store, key, now) = (api.handle.store(), digest.to_string(), api.clock.now());
    let text = document::write(&HoldDocument { form: document::FORM, by: by.to_owned() });
    let before = store.get(document::PLUGIN_REMOVAL, &key).await?;
    let revision = match before {
        // The first who is done takes the word back, and would take it from the second as well.
        Some(entry) if counts(api, entry.written_at) => {
            return Err(ApiError::PluginLeaves { name: name.to_owned(), digest: key });
        }
        Some(entry) => entry.revision,
        None => 0,
    };
    store.put(document::PLUGIN_REMOVAL, &key, &text, Some(revision), now).await?;
    Ok(Leaving { key })
}

impl Leaving {
    /// Takes it back.
    pub(super) async fn over(self, api: &Api) -> Result<(), ApiError> {
        api.handle.store().remove(document::PLUGIN_REMOVAL, &self.key).await?;
        Ok(())
    }
}

/// Returns who is about to use a digest; forgets those who must have died over it.
pub(super) async fn holders(api: &Api, digest: Digest) -> Result<Vec<String>, ApiError> {
    let store = api.handle.store();
    let mut holders = Vec::new();
    for entry in store.list(document::PLUGIN_HOLD, &format!("{digest}/")).await? {
        if counts(api, entry.written_at) {
            let hold: HoldDocument = document::read(document::PLUGIN_HOLD, &entry)?;
            holders.push(hold.by);
        } else {
            store.remove(document::PLUGIN_HOLD, &entry.key).await?;
        }
    }
    Ok(holders)
}

async fn put(api: &Api, by: &str, digest: Digest) -> Result<String, ApiError> {
    let (store, now) = (api.handle.store(), api.clock.now());
    let text = document::write(&HoldDocument { form: document::FORM, by: by.to_owned() });
    for number in 0..HOLDS_AT_ONCE_MAX {
        let key = format!("{digest}/{:013}-{number:02}", now.0);
        match store.put(document::PLUGIN_HOLD, &key, &text, Some(0), now).await {
            Ok(_) => return Ok(key),
            Err(StoreError::RevisionMoved { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::Broken(format!("{digest} has {HOLDS_AT_ONCE_MAX} holds of one millisecond")))
}

/// Says whether a digest that is held can be used.
async fn there(api: &Api, name: &str, digest: Digest) -> Result<(), ApiError> {
    let installed = api.handle.store().get(document::PLUGIN, &format!("{name}/{digest}")).await?.is_some();
    match installed && !leaves(api, digest).await? {
        true => Ok(()),
        false => Err(ApiError::PluginLeaves { name: name.to_owned(), digest: digest.to_string() }),
    }
}

/// Returns whether somebody is about to remove a digest.
async fn leaves(api: &Api, digest: Digest) -> Result<bool, ApiError> {
    let said = api.handle.store().get(document::PLUGIN_REMOVAL, &digest.to_string()).await?;
    Ok(said.is_some_and(|entry| counts(api, entry.written_at)))
}

fn counts(api: &Api, written_at: Timestamp) -> bool {
    api.clock.now().since(written_at) <= AGE_MAX
}
