//! Where plugins come from: files of this machine, folders of plugins and registries; and whose signatures are believed.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use api::FetchError;
use distribution::{Fault, Folder, Pulled, Reference, Registries, Trust};
use plugin_host::Limits;

use crate::args::ServerArgs;
use crate::failure::{self, Failure};

/// What stands between a folder of plugins and the reference of one in it.
const IN_FOLDER: char = '#';

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
}

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
    }
}

fn of_file(file: &str) -> Result<Found, FetchError> {
    let component = read(Path::new(file)).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => FetchError::NotFound(format!("{file} cannot be read: {error}")),
        _ => FetchError::Unusable(format!("{file} cannot be read: {error}")),
    })?;
    Ok(Found { component, source: format!("file://{file}"), manifest_digest: None, signed_by: Vec::new() })
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
