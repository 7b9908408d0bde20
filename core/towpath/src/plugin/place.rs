//! Where a plugin is: in a registry, or in a folder of plugins. Whatever is done with it is done in both alike.

use std::collections::BTreeMap;

use distribution::{Error, Folder, Pulled, Pushed, Reference, Registries, SignatureFormat, Signer, SigningKey, Trust};

use super::args::Places;
use super::{reference, registries};
use crate::failure::Failure;

/// What stands between a folder of plugins and the reference of one in it.
pub(crate) const IN_FOLDER: char = '#';

/// Where a plugin is.
pub(super) enum Place {
    Registry(Registries, Reference),
    Folder(Folder, Reference),
}

impl Place {
    /// Reads `registry.example/team/my-gate:1.0.0`, or `FOLDER#registry.example/team/my-gate:1.0.0`.
    pub(super) fn of(text: &str, places: &Places) -> Result<Self, Failure> {
        match text.split_once(IN_FOLDER) {
            Some((folder, named)) => Ok(Self::Folder(Folder::at(folder), reference(named)?)),
            None => Ok(Self::Registry(registries(places)?, reference(text)?)),
        }
    }

    /// Returns how a plugin is called that has this reference there.
    pub(super) fn named(&self, reference: &Reference) -> String {
        match self {
            Self::Registry(..) => reference.to_string(),
            Self::Folder(folder, _) => format!("{}{IN_FOLDER}{reference}", folder.path().display()),
        }
    }

    pub(super) async fn push(&self, component: &[u8]) -> Result<Pushed, Error> {
        let annotations = BTreeMap::new();
        match self {
            Self::Registry(registries, to) => distribution::push(registries, to, component, &annotations).await,
            Self::Folder(folder, to) => folder.push(to, component, &annotations).await,
        }
    }

    pub(super) async fn sign(&self, key: &SigningKey, format: SignatureFormat) -> Result<Reference, Error> {
        match self {
            Self::Registry(registries, what) => distribution::sign(registries, what, key, format).await,
            Self::Folder(folder, what) => folder.sign(what, key, format).await,
        }
    }

    pub(super) async fn pull(&self, trust: &Trust) -> Result<Pulled, Error> {
        match self {
            Self::Registry(registries, from) => distribution::pull(registries, trust, from).await,
            Self::Folder(folder, from) => folder.pull(trust, from).await,
        }
    }

    pub(super) async fn verify(&self, trust: &Trust) -> Result<(Reference, Vec<Signer>), Error> {
        match self {
            Self::Registry(registries, what) => distribution::verify(registries, trust, what).await,
            Self::Folder(folder, what) => folder.verify(trust, what).await,
        }
    }

    pub(super) async fn attach_sbom(&self, document: &[u8]) -> Result<Reference, Error> {
        match self {
            Self::Registry(registries, what) => distribution::attach_sbom(registries, what, document).await,
            Self::Folder(folder, what) => folder.attach_sbom(what, document).await,
        }
    }
}
