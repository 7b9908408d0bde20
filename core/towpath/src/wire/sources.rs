//! Where plugins come from: files of this machine, folders of plugins and registries; and whose signatures are believed.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use api::{FetchError, Material, Materials};
use distribution::{Fault, Folder, Pulled, Reference, Registries, Sbom, Trust};
use plugin_host::Limits;

use crate::args::ServerArgs;
use crate::failure::{self, Failure};
use crate::plugin::IN_FOLDER;

/// Where plugins come from, as the operator set it up.
pub(crate) struct Sources {
    registries: Registries,
    trust: Trust,
}

/// A component as its source gave it. Nothing of it was compiled.
pub(crate) struct Found {
    pub(crate) component: Vec<u8>,
    /// Where it came from, pinned where the source can be.
    pub(crate) source: String,
    /// The digest of its manifest, if it came with one.
    pub(crate) manifest_digest: Option<String>,
    /// Whose signatures on it were verified.
    pub(crate) signed_by: Vec<String>,
    /// What it was made from, as its author says.
    pub(crate) materials: Option<Materials>,
}

/// Materials of one list that are kept: a plugin has some dozens, and each list is a document of the store.
const MATERIALS_MAX: usize = 1_000;

/// Characters of each word about one of them.
const MATERIAL_CHARS_MAX: usize = 200;

impl Sources {
    /// Reads the operator's files. Without a file of trust, nothing comes from a registry or a folder.
    pub(crate) fn read(args: &ServerArgs) -> Result<Self, Failure> {
        let unusable = |error| Failure::new("TP0624", failure::chain(&error)).usage();
        let registries = args.plugin_registries.as_deref().map(Registries::from_file).transpose().map_err(unusable)?;
        let trust = args.plugin_trust.as_deref().map(Trust::from_file).transpose().map_err(unusable)?;
        Ok(Self { registries: registries.unwrap_or_default(), trust: trust.unwrap_or_else(Trust::nobody) })
    }

    /// Returns the component that a reference names: an absolute path, `FOLDER#REFERENCE`, or a reference to a registry. What comes from a
    /// registry or a folder of plugins is trusted as the operator said before it is fetched; a file on this machine is the operator's own.
    pub(crate) async fn find(&self, reference: &str) -> Result<Found, FetchError> {
        match reference.strip_prefix('/').and_then(|_| reference.split_once(IN_FOLDER)) {
            Some((folder, named)) => {
                let named: Reference = named.parse().map_err(|error| sorted(&error))?;
                let pulled = Folder::at(folder).pull(&self.trust, &named).await.map_err(|error| sorted(&error))?;
                Ok(Found { source: format!("{folder}{IN_FOLDER}{}", pulled.reference), ..of(pulled) })
            }
            None if Path::new(reference).is_absolute() => {
                let file = reference.to_owned();
                let read = tokio::task::spawn_blocking(move || of_file(&file)).await;
                read.map_err(|error| FetchError::NotKept(error.to_string()))?
            }
            None => {
                let named: Reference = reference.parse().map_err(|error| sorted(&error))?;
                let pulled = distribution::pull(&self.registries, &self.trust, &named).await;
                Ok(of(pulled.map_err(|error| sorted(&error))?))
            }
        }
    }
}

fn of(pulled: Pulled) -> Found {
    Found {
        component: pulled.component,
        source: pulled.reference.to_string(),
        manifest_digest: Some(pulled.manifest_digest),
        signed_by: pulled.signed_by.iter().map(ToString::to_string).collect(),
        materials: pulled.sbom.map(materials),
    }
}

/// Returns what a component says of its materials; a list that cannot be read is none, and the log says why.
pub(super) fn materials_in(component: &[u8], whose: &str) -> Option<Materials> {
    let read = distribution::sbom_of_component(component);
    let read = read.inspect_err(|error| tracing::warn!(plugin = whose, %error, "the list of materials is left out"));
    read.ok().flatten().map(materials)
}

/// Returns a list as it is kept: bounded, in words that rewrite no screen.
fn materials(sbom: Sbom) -> Materials {
    let word = |text: String| text.chars().filter(|one| !plugin_host::is_deceptive(*one)).take(MATERIAL_CHARS_MAX).collect();
    let material = |one: distribution::Material| Material {
        name: word(one.name),
        version: word(one.version.unwrap_or_default()),
        purl: word(one.purl.unwrap_or_default()),
        licence: word(one.licence.unwrap_or_default()),
    };
    let more = sbom.components.len().saturating_sub(MATERIALS_MAX);
    Materials {
        format: sbom.format.as_str().to_owned(),
        list: sbom.components.into_iter().take(MATERIALS_MAX).map(material).collect(),
        more: u32::try_from(more).unwrap_or(u32::MAX),
    }
}

fn of_file(file: &str) -> Result<Found, FetchError> {
    let component = read(Path::new(file)).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => FetchError::NotFound(format!("{file} cannot be read: {error}")),
        _ => FetchError::Unusable(format!("{file} cannot be read: {error}")),
    })?;
    let materials = materials_in(&component, file);
    Ok(Found { component, source: format!("file://{file}"), manifest_digest: None, signed_by: Vec::new(), materials })
}

/// Reads a file that is no larger than a component may be.
pub(super) fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = Limits::default().component_bytes;
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::new(ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    match bytes.len() > limit {
        true => Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("a component may have {limit} bytes, it has more"))),
        false => Ok(bytes),
    }
}

fn sorted(error: &distribution::Error) -> FetchError {
    let said = failure::chain(error);
    match error.fault() {
        Fault::World => FetchError::NotFound(said),
        Fault::User | Fault::Configuration => FetchError::Unusable(said),
    }
}
