//! The plugins that are loaded, by digest and by name.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use model::Digest;
use plugin_host::Plugin;

/// The plugins that are loaded. Cheap to clone; all clones are one registry.
#[derive(Clone, Default)]
pub struct Registry(Arc<RwLock<Loaded>>);

#[derive(Default)]
struct Loaded {
    by_digest: HashMap<Digest, Arc<Plugin>>,
    by_name: HashMap<String, Digest>,
}

impl Registry {
    /// Takes a plugin in. Its name stands for this digest from here on; plans keep the digest they were made with.
    pub fn insert(&self, name: &str, digest: Digest, plugin: Plugin) {
        let mut loaded = self.0.write().unwrap_or_else(PoisonError::into_inner);
        loaded.by_digest.insert(digest, Arc::new(plugin));
        loaded.by_name.insert(name.to_owned(), digest);
    }

    /// Takes a plugin in that no name stands for yet.
    pub fn add(&self, digest: Digest, plugin: Plugin) {
        let mut loaded = self.0.write().unwrap_or_else(PoisonError::into_inner);
        loaded.by_digest.insert(digest, Arc::new(plugin));
    }

    /// Lets names stand for digests from here on, and lets go of every plugin that is not to be kept. A call that runs on one of
    /// those goes on to its end. A name whose plugin is not loaded stands for nothing.
    pub fn arrange(&self, names: HashMap<String, Digest>, keep: &HashSet<Digest>) {
        let mut loaded = self.0.write().unwrap_or_else(PoisonError::into_inner);
        loaded.by_digest.retain(|digest, _| keep.contains(digest));
        loaded.by_name = names;
    }

    /// Returns the plugin with a digest.
    pub fn by_digest(&self, digest: &Digest) -> Option<Arc<Plugin>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    /// Returns the plugin that a name stands for now, with its digest.
    pub fn by_name(&self, name: &str) -> Option<(Digest, Arc<Plugin>)> {
        let loaded = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let digest = *loaded.by_name.get(name)?;
        Some((digest, loaded.by_digest.get(&digest)?.clone()))
    }

    /// Returns all names with their digests, by name.
    pub fn names(&self) -> Vec<(String, Digest)> {
        let loaded = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = loaded.by_name.iter().map(|(name, digest)| (name.clone(), *digest)).collect();
        names.sort();
        names
    }
}
