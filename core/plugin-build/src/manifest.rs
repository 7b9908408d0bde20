//! What a component says of itself, as it is written into the component.

use std::collections::BTreeMap;
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::cargo::Package;
use crate::component::Export;
use crate::{BuildError, wit};

/// What a component says of itself. The host reads the same form.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The plugin's name: the package's.
    pub name: String,
    /// The plugin's version: the package's.
    pub version: Version,
    /// One sentence for people: the package's description.
    pub description: String,
    /// The version of `towpath:plugin` it was built against: that of its exports.
    pub wit: Version,
    /// What it is.
    pub kinds: Vec<String>,
    /// The JSON Schema of its settings, per kind.
    pub settings: BTreeMap<String, serde_json::Value>,
    /// The powers it asks for, with the reason for each.
    pub powers: BTreeMap<String, String>,
}

/// What stands in `[package.metadata.towpath]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    kinds: Vec<String>,
    #[serde(default)]
    powers: BTreeMap<String, String>,
}

impl Manifest {
    pub(crate) fn of(
        folder: &Path,
        package: Package,
        exports: &[Export],
        settings: BTreeMap<String, serde_json::Value>,
    ) -> Result<Self, BuildError> {
        let unusable = |why: String| BuildError::Metadata { folder: folder.to_owned(), why };
        let said = package.metadata.get("towpath").cloned().ok_or_else(|| unusable("the section is missing".to_owned()))?;
        let mut said: Said = serde_json::from_value(said).map_err(|error| unusable(error.to_string()))?;
        said.kinds.sort();
        let found: Vec<_> = exports.iter().map(|export| export.kind.clone()).collect();
        if said.kinds != found {
            return Err(BuildError::Kinds { said: said.kinds.join(", "), found: found.join(", ") });
        }
        // Asking for a power that there is not is a mistake better found here than at the first call.
        let known = wit::powers();
        if let Some(unknown) = said.powers.keys().find(|power| !known.contains(&power.as_str())) {
            return Err(unusable(format!("there is no power `{unknown}`; known are {}", known.join(", "))));
        }
        let wit = exports.first().map(|export| export.version.clone()).ok_or_else(|| unusable("no kind".to_owned()))?;
        let Package { name, version, description, .. } = package;
        Ok(Self { name, version, description: description.unwrap_or_default(), wit, kinds: found, settings, powers: said.powers })
    }
}
