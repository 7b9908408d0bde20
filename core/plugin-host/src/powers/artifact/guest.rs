//! What the guest may call.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::path::{is_inside, wrong};
use super::{ArtifactBackend, ArtifactFault, grant};
use crate::call::CallState;
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::artifact::{Error, File, Host};

/// The most files that are listed: what has more is not for a plugin to look through.
const FILES_MAX: usize = 10_000;

/// The most bytes that one call reads.
pub(super) const READ_BYTES_MAX: u32 = 1 << 20;

/// How much of a digest or path is named in traces, in characters.
const NAMED_CHARS_MAX: usize = 200;

impl Host for CallState {
    async fn files(&mut self, digest: String) -> wasmtime::Result<Result<Vec<File>, Error>> {
        let what = format!("files of {}", named(&digest));
        self.using("artifact", what, async |state| Ok(files(state, &digest).await)).await
    }

    async fn read(&mut self, digest: String, path: String, offset: u64, length: u32) -> wasmtime::Result<Result<Vec<u8>, Error>> {
        let what = format!("{} of {}", named(&path), named(&digest));
        self.using("artifact", what, async |state| {
            let backend = match backend_for(state, &digest, &path) {
                Ok(backend) => backend,
                Err(error) => return Ok(Err(error)),
            };
            Ok(backend.read(&digest, &path, offset, length.min(READ_BYTES_MAX)).await.map_err(error))
        })
        .await
    }

    async fn checksum(&mut self, digest: String, path: String) -> wasmtime::Result<Result<String, Error>> {
        let what = format!("checksum of {} of {}", named(&path), named(&digest));
        self.using("artifact", what, async |state| {
            Ok(match backend_for(state, &digest, &path) {
                Ok(backend) => checksum(backend.as_ref(), &digest, &path).await,
                Err(error) => Err(error),
            })
        })
        .await
    }
}

/// Returns the store, for a file of an artifact that the call is about.
fn backend_for(state: &CallState, digest: &str, path: &str) -> Result<Arc<dyn ArtifactBackend>, Error> {
    grant::check(state, digest).map_err(Error::Refused)?;
    if !is_inside(path) {
        return Err(Error::Invalid(wrong(path)));
    }
    state.host.artifacts.clone().ok_or_else(none)
}

async fn checksum(backend: &dyn ArtifactBackend, digest: &str, path: &str) -> Result<String, Error> {
    let (mut hash, mut offset) = (Sha256::new(), 0);
    loop {
        let part = backend.read(digest, path, offset, READ_BYTES_MAX).await.map_err(error)?;
        if part.is_empty() {
            return Ok(hex::encode(hash.finalize()));
        }
        offset += part.len() as u64;
        hash.update(&part);
        // However fast the store is: the time limit around the call gets its turn.
        tokio::task::yield_now().await;
    }
}

async fn files(state: &mut CallState, digest: &str) -> Result<Vec<File>, Error> {
    grant::check(state, digest).map_err(Error::Refused)?;
    let backend = state.host.artifacts.clone().ok_or_else(none)?;
    let found = backend.files(digest).await.map_err(error)?;
    if found.len() > FILES_MAX {
        return Err(Error::Broken(format!("the artifact has {} files, at most {FILES_MAX} are listed", found.len())));
    }
    Ok(found.into_iter().map(|file| File { path: file.path, size: file.size, executable: file.executable }).collect())
}

fn named(text: &str) -> String {
    text.chars().take(NAMED_CHARS_MAX).collect()
}

fn none() -> Error {
    Error::Absent("this server has no store of artifacts".to_owned())
}

fn error(fault: ArtifactFault) -> Error {
    match fault {
        ArtifactFault::Absent(why) => Error::Absent(why),
        ArtifactFault::Broken(why) => Error::Broken(why),
    }
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Invalid(why) | Self::Absent(why) | Self::Broken(why) => why.clone(),
        }
    }
}
