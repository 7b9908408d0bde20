//! Versions and locks: what a release pins, as data.

use model::{Digest, Plan};
use semver::Version;

use crate::compile::plugins_of;
use crate::rules::golden_path::GoldenPath;

/// A published version of a path, by name and by content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathVersion {
    /// The path's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Hash of what it says.
    pub digest: Digest,
}

/// A plugin, pinned by its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginPin {
    /// The plugin's name.
    pub name: String,
    /// The component.
    pub digest: Digest,
}

/// What a plan rests on: the path and every plugin, each by its content. Written beside the service, stored in the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// The path.
    pub path: PathVersion,
    /// The plugins, by name.
    pub plugins: Vec<PluginPin>,
}

impl PathVersion {
    /// Returns the version of a path.
    pub fn of(path: &GoldenPath) -> Self {
        Self { name: path.name.clone(), version: path.version.clone(), digest: path.digest }
    }
}

impl Lock {
    /// Returns what a plan that was compiled from `path` rests on.
    pub fn of(path: &GoldenPath, plan: &Plan) -> Self {
        let pin = |used: &model::PluginUse| PluginPin { name: used.name.clone(), digest: used.digest };
        let mut plugins: Vec<PluginPin> = plugins_of(plan).into_iter().map(pin).collect();
        plugins.sort();
        Self { path: PathVersion::of(path), plugins }
    }
}
