//! Where plugins are: a registry with its mirrors, or a folder. What is asked for by digest is checked here, whoever gives it.

pub(crate) mod folder;
pub(crate) mod hosts;

use bytes::Bytes;

use crate::digest::digits;
use crate::error::Error;
use crate::manifest::{Descriptor, INDEX_TYPE, MANIFEST_TYPE, Manifest};
use crate::reference::Reference;
use crate::sign::Evidence;
use crate::sign::bundle::BUNDLE_TYPES;
use crate::sign::simple::{CERTIFICATE, SIGNATURE, SIMPLE_TYPE};
use folder::Folder;
use hosts::Hosts;

/// Most signatures of one manifest that are looked at.
const SIGNATURES_MAX: usize = 64;
/// Largest signature with its proofs, in bytes; a bundle has ten thousand.
const SIGNATURE_BYTES_MAX: usize = 256 * 1024;

/// A place of one repository.
pub(crate) enum Store<'a> {
    /// A registry and its mirrors.
    Hosts(Hosts),
    /// A folder.
    Folder(&'a Folder),
}

impl Store<'_> {
    /// Returns the digest that a reference leads to: its own, or that of its tag now.
    pub(crate) async fn resolve(&self, reference: &Reference) -> Result<String, Error> {
        if let Some(digest) = reference.digest() {
            return Ok(digest.to_owned());
        }
        match self {
            Self::Hosts(hosts) => hosts.resolve(reference).await,
            Self::Folder(folder) => folder.resolve(reference).await,
        }
    }

    /// Returns a manifest with the digest.
    pub(crate) async fn manifest(&self, reference: &Reference, digest: &str) -> Result<Bytes, Error> {
        match self {
            Self::Hosts(hosts) => hosts.manifest(reference, digest).await,
            Self::Folder(folder) => folder.manifest(digest).await,
        }
    }

    /// Returns a blob with the digest.
    pub(crate) async fn blob(&self, reference: &Reference, blob: &Descriptor, bytes_max: usize) -> Result<Bytes, Error> {
        match self {
            Self::Hosts(hosts) => hosts.blob(reference, &blob.digest, bytes_max).await,
            Self::Folder(folder) => folder.blob(&blob.digest, bytes_max).await,
        }
    }

    /// Returns what is attached to a manifest: descriptors of manifests, as they are told.
    pub(crate) async fn referrers(&self, reference: &Reference, digest: &str) -> Result<Vec<Descriptor>, Error> {
        let mut found = match self {
            Self::Hosts(hosts) => hosts.referrers(reference, digest).await?,
            Self::Folder(folder) => folder.referrers(digest).await?,
        };
        found.retain(|one| digits(&one.digest).is_some());
        found.truncate(SIGNATURES_MAX);
        Ok(found)
    }

    /// Returns the signatures of a manifest, not verified. What cannot be read is left out, and said.
    pub(crate) async fn signatures(&self, reference: &Reference, digest: &str) -> Result<Vec<Evidence>, Error> {
        let mut found = self.simple_signatures(reference, digest).await?;
        for attached in self.referrers(reference, digest).await? {
            match self.bundles(reference, &attached, digest).await {
                Ok(bundles) => found.extend(bundles),
                Err(error) => tracing::warn!(%error, "what is attached to a plugin is left out"),
            }
        }
        found.truncate(SIGNATURES_MAX);
        Ok(found)
    }

    async fn bundles(&self, reference: &Reference, attached: &Descriptor, subject: &str) -> Result<Vec<Evidence>, Error> {
        let (_, layers) = self.attached(reference, attached, subject).await?;
        let mut found = Vec::new();
        for layer in layers.iter().filter(|layer| layer.media_type.starts_with(BUNDLE_TYPES)) {
            found.push(Evidence::Bundle(self.blob(reference, layer, SIGNATURE_BYTES_MAX).await?.to_vec()));
        }
        Ok(found)
    }

    /// Returns the manifest of something attached and its layers, if it is attached to the subject.
    pub(crate) async fn attached(
        &self,
        reference: &Reference,
        attached: &Descriptor,
        subject: &str,
    ) -> Result<(Bytes, Vec<Descriptor>), Error> {
        let bytes = self.manifest(reference, &attached.digest).await?;
        let manifest = Manifest::read(&attached.digest, &bytes)?;
        let theirs = manifest.subject.as_ref().is_some_and(|of| of.digest == subject);
        let layers = manifest.layers().iter().filter(|layer| theirs && digits(&layer.digest).is_some());
        Ok((bytes.clone(), layers.take(SIGNATURES_MAX).cloned().collect()))
    }

    /// Returns the manifest of the simple signatures, if there are any.
    pub(crate) async fn simple_manifest(&self, reference: &Reference, digest: &str) -> Result<Option<(String, Manifest)>, Error> {
        let tagged = simple_tag(reference, digest);
        let digest = match self.resolve(&tagged).await {
            Ok(digest) => digest,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = self.manifest(&tagged, &digest).await?;
        Ok(Some((digest, Manifest::read(&tagged.to_string(), &bytes)?)))
    }

    async fn simple_signatures(&self, reference: &Reference, digest: &str) -> Result<Vec<Evidence>, Error> {
        let Some((_, manifest)) = self.simple_manifest(reference, digest).await? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for layer in manifest.layers().iter().filter(|layer| layer.media_type == SIMPLE_TYPE).take(SIGNATURES_MAX) {
            let Some(signature) = layer.annotations.get(SIGNATURE).cloned() else { continue };
            let certified = layer.annotations.contains_key(CERTIFICATE);
            match self.blob(reference, layer, SIGNATURE_BYTES_MAX).await {
                Ok(payload) => found.push(Evidence::Simple { payload: payload.to_vec(), signature, certified }),
                Err(error) => tracing::warn!(%error, "a signature of a plugin is left out"),
            }
        }
        Ok(found)
    }

    /// Stores a blob.
    pub(crate) async fn put_blob(&self, reference: &Reference, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Hosts(hosts) => hosts.put_blob(reference, bytes).await,
            Self::Folder(folder) => folder.put_blob(bytes).await.map(|_| ()),
        }
    }

    /// Stores a manifest under the tag of the reference, or by its digest alone.
    pub(crate) async fn put_manifest(&self, reference: &Reference, kind: &str, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Hosts(hosts) => hosts.put_manifest(reference, kind, bytes).await.map(|_| ()),
            Self::Folder(folder) => folder.put_manifest(reference, kind, bytes).await,
        }
    }

    /// Stores a manifest that is attached to another one.
    pub(crate) async fn attach(&self, reference: &Reference, subject: &str, kind: &str, bytes: &[u8]) -> Result<(), Error> {
        let untagged = Reference::pinned(reference, subject).untagged();
        let kept = match self {
            Self::Hosts(hosts) => hosts.put_manifest(&untagged, MANIFEST_TYPE, bytes).await?,
            Self::Folder(folder) => folder.put_manifest(&untagged, MANIFEST_TYPE, bytes).await.map(|()| true)?,
        };
        if kept {
            return Ok(());
        }
        // A registry without the list of referrers: it is kept under a tag, by whoever attaches.
        let tagged = reference.with_tag(subject.replace(':', "-"));
        let mut manifests = self.referrers(reference, subject).await?;
        let entry = Descriptor { artifact_type: Some(kind.to_owned()), ..Descriptor::of(MANIFEST_TYPE, bytes) };
        if manifests.iter().all(|one| one.digest != entry.digest) {
            manifests.push(entry);
        }
        let index = Manifest {
            schema_version: 2,
            media_type: Some(INDEX_TYPE.to_owned()),
            manifests: Some(manifests),
            ..Manifest::default()
        };
        self.put_manifest(&tagged, INDEX_TYPE, &index.to_bytes()).await
    }
}

/// Returns the tag under which cosign keeps the simple signatures of a digest.
pub(crate) fn simple_tag(reference: &Reference, digest: &str) -> Reference {
    reference.with_tag(format!("{}.sig", digest.replace(':', "-")))
}
