//! What is done with plugins: pull, push, sign, verify, copy. The same for registries and folders.

use std::collections::BTreeMap;

use crate::config::Registries;
use crate::digest::digest_of;
use crate::error::Error;
use crate::manifest::{
    COMPONENT_BYTES_MAX, Descriptor, EMPTY_TYPE, Found, MANIFEST_TYPE, Manifest, WASM_CONFIG_TYPE, find, interface, pack,
};
use crate::reference::Reference;
use crate::sbom::{self, CYCLONEDX_TYPE, SBOM_BYTES_MAX, SPDX_TYPE, Sbom};
use crate::sign::bundle::{BUNDLE_TYPE, PREDICATE};
use crate::sign::key::SigningKey;
use crate::sign::simple::{SIGNATURE, SIMPLE_TYPE};
use crate::sign::{self, Evidence, SignatureFormat};
use crate::store::folder::Folder;
use crate::store::hosts::Hosts;
use crate::store::{Store, simple_tag};
use crate::trust::{Signer, Trust};

/// Largest configuration that is copied, in bytes: it names what a component imports and exports.
const CONFIG_BYTES_MAX: usize = 1024 * 1024;
/// What an artifact without a configuration has as one.
const EMPTY: &[u8] = b"{}";

/// A plugin that was fetched and is trusted.
#[derive(Clone, Debug)]
pub struct Pulled {
    /// What was asked for, pinned to the digest that it had.
    pub reference: Reference,
    /// The digest of the manifest, which is what signatures are of.
    pub manifest_digest: String,
    /// The component, whose digest is the one in the manifest.
    pub component: Vec<u8>,
    /// Who of those that the trust believes signed it; nobody where the trust takes it unsigned.
    pub signed_by: Vec<Signer>,
    /// What it was made from, as far as it says so. A list that is attached, and not in the component, is not covered by the signatures.
    pub sbom: Option<Sbom>,
}

/// A plugin that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// What it was pushed as, pinned to its digest.
    pub reference: Reference,
    /// The digest of the manifest.
    pub manifest_digest: String,
}

/// Fetches a plugin from its registry. A tag is resolved once; all that follows goes by digest, and the signatures are verified before the
/// component is fetched.
///
/// # Errors
/// Returns what is not there, not reachable, not a plugin, or not trusted.
pub async fn pull(registries: &Registries, trust: &Trust, reference: &Reference) -> Result<Pulled, Error> {
    pull_from(&store(registries, reference), trust, reference).await
}

/// Publishes a component, with annotations such as `org.opencontainers.image.source`. The same component and annotations have the same digest.
///
/// # Errors
/// Returns why the file is no component, or why the registry does not take it.
pub async fn push(
    registries: &Registries,
    reference: &Reference,
    component: &[u8],
    annotations: &BTreeMap<String, String>,
) -> Result<Pushed, Error> {
    push_to(&store(registries, reference), reference, component, annotations).await
}

/// Signs a plugin where it is, and returns it pinned to the digest that was signed.
///
/// # Errors
/// Returns what is not there, or why the registry does not take the signature.
pub async fn sign(
    registries: &Registries,
    reference: &Reference,
    key: &SigningKey,
    format: SignatureFormat,
) -> Result<Reference, Error> {
    sign_at(&store(registries, reference), reference, key, format).await
}

/// Returns who signed a plugin, of those that the trust believes, without fetching the component.
///
/// # Errors
/// Returns what is not there, or why it is not trusted.
pub async fn verify(registries: &Registries, trust: &Trust, reference: &Reference) -> Result<(Reference, Vec<Signer>), Error> {
    let judged = judged(&store(registries, reference), trust, reference).await?;
    Ok((judged.reference, judged.signed_by))
}

/// Attaches a list of materials, CycloneDX or SPDX in JSON, to a plugin.
///
/// # Errors
/// Returns why it is no list of materials, or why the registry does not take it.
pub async fn attach_sbom(registries: &Registries, reference: &Reference, document: &[u8]) -> Result<Reference, Error> {
    attach_sbom_at(&store(registries, reference), reference, document).await
}

/// Copies a plugin with its signatures and whatever else is attached to it from its registry into a folder.
///
/// # Errors
/// Returns what is not there, or why the folder cannot be written.
pub async fn save(registries: &Registries, reference: &Reference, folder: &Folder) -> Result<Reference, Error> {
    copy(&store(registries, reference), &Store::Folder(folder), reference).await
}

/// Copies a plugin with its signatures and whatever else is attached to it from a folder to the registry of its name.
///
/// # Errors
/// Returns what is not there, or why the registry does not take it.
pub async fn load(folder: &Folder, registries: &Registries, reference: &Reference) -> Result<Reference, Error> {
    copy(&Store::Folder(folder), &store(registries, reference), reference).await
}

impl Folder {
    /// Takes a plugin out of the folder, as [`pull`] does from a registry.
    ///
    /// # Errors
    /// As [`pull`].
    pub async fn pull(&self, trust: &Trust, reference: &Reference) -> Result<Pulled, Error> {
        pull_from(&Store::Folder(self), trust, reference).await
    }

    /// Puts a component into the folder, as [`push`] does into a registry. Makes the folder if there is none.
    ///
    /// # Errors
    /// As [`push`].
    pub async fn push(
        &self,
        reference: &Reference,
        component: &[u8],
        annotations: &BTreeMap<String, String>,
    ) -> Result<Pushed, Error> {
        push_to(&Store::Folder(self), reference, component, annotations).await
    }

    /// Signs a plugin in the folder.
    ///
    /// # Errors
    /// As [`sign`].
    pub async fn sign(&self, reference: &Reference, key: &SigningKey, format: SignatureFormat) -> Result<Reference, Error> {
        sign_at(&Store::Folder(self), reference, key, format).await
    }

    /// Attaches a list of materials to a plugin in the folder.
    ///
    /// # Errors
    /// As [`attach_sbom`].
    pub async fn attach_sbom(&self, reference: &Reference, document: &[u8]) -> Result<Reference, Error> {
        attach_sbom_at(&Store::Folder(self), reference, document).await
    }

    /// Returns who signed a plugin in the folder.
    ///
    /// # Errors
    /// As [`verify`].
    pub async fn verify(&self, trust: &Trust, reference: &Reference) -> Result<(Reference, Vec<Signer>), Error> {
        let judged = judged(&Store::Folder(self), trust, reference).await?;
        Ok((judged.reference, judged.signed_by))
    }
}

fn store(registries: &Registries, reference: &Reference) -> Store<'static> {
    Store::Hosts(Hosts::of(registries, reference))
}

/// A plugin that may be loaded, and where its component is.
struct Judged {
    reference: Reference,
    digest: String,
    layer: Descriptor,
    signed_by: Vec<Signer>,
}

async fn judged(store: &Store<'_>, trust: &Trust, reference: &Reference) -> Result<Judged, Error> {
    // Nobody is asked about what no rule covers.
    trust.rule(reference)?;
    let (digest, manifest, layer) = plugin(store, reference).await?;
    let found = store.signatures(reference, &digest).await?;
    let signed_by = trust.judge(reference, &found, &digest, &manifest)?;
    Ok(Judged { reference: reference.pinned(&digest), digest, layer, signed_by })
}

/// Returns the digest of the manifest that names a component, the manifest, and where the component is.
async fn plugin(store: &Store<'_>, reference: &Reference) -> Result<(String, Vec<u8>, Descriptor), Error> {
    let mut digest = store.resolve(reference).await?;
    // An index may name the manifest, and not another index.
    for _ in 0..2 {
        let bytes = store.manifest(reference, &digest).await?;
        let what = reference.pinned(&digest).to_string();
        match find(&what, &Manifest::read(&what, &bytes)?)? {
            Found::Component(layer) => return Ok((digest, bytes.to_vec(), layer)),
            Found::Entry(entry) => digest = entry,
        }
    }
    Err(Error::NotAPlugin { what: reference.to_string(), why: "it is an index of indices".to_owned() })
}

async fn pull_from(store: &Store<'_>, trust: &Trust, reference: &Reference) -> Result<Pulled, Error> {
    let Judged { reference, digest, layer, signed_by } = judged(store, trust, reference).await?;
    let component = store.blob(&reference, &layer, COMPONENT_BYTES_MAX).await?.to_vec();
    interface(&component)?;
    let sbom = sbom_of(store, &reference, &digest, &component).await.unwrap_or_else(|error| {
        // It is the author's word about the plugin, not a part of it.
        tracing::warn!(%error, %reference, "the list of materials is left out");
        None
    });
    Ok(Pulled { reference, manifest_digest: digest, component, signed_by, sbom })
}

async fn sbom_of(store: &Store<'_>, reference: &Reference, digest: &str, component: &[u8]) -> Result<Option<Sbom>, Error> {
    match sbom::of_component(component)? {
        Some(found) => Ok(Some(found)),
        None => attached_sbom(store, reference, digest).await,
    }
}

async fn attached_sbom(store: &Store<'_>, reference: &Reference, digest: &str) -> Result<Option<Sbom>, Error> {
    for attached in store.referrers(reference, digest).await? {
        let (_, layers) = store.attached(reference, &attached, digest).await?;
        if let Some(layer) = layers.iter().find(|layer| [CYCLONEDX_TYPE, SPDX_TYPE].contains(&layer.media_type.as_str())) {
            let document = store.blob(reference, layer, SBOM_BYTES_MAX).await?;
            return sbom::of_document(&layer.digest, &document).map(Some);
        }
    }
    Ok(None)
}

async fn push_to(
    store: &Store<'_>,
    reference: &Reference,
    component: &[u8],
    annotations: &BTreeMap<String, String>,
) -> Result<Pushed, Error> {
    let packed = pack(component, annotations)?;
    let digest = digest_of(&packed.manifest);
    if let Some(expected) = reference.digest().filter(|expected| *expected != digest) {
        let (place, what) = ("this component".to_owned(), "a manifest".to_owned());
        return Err(Error::Digest { place, what, expected: expected.to_owned(), found: digest });
    }
    store.put_blob(reference, component).await?;
    store.put_blob(reference, &packed.config).await?;
    store.put_manifest(reference, MANIFEST_TYPE, &packed.manifest).await?;
    Ok(Pushed { reference: reference.pinned(&digest), manifest_digest: digest })
}

async fn sign_at(
    store: &Store<'_>,
    reference: &Reference,
    key: &SigningKey,
    format: SignatureFormat,
) -> Result<Reference, Error> {
    let (digest, manifest, _) = plugin(store, reference).await?;
    let pinned = reference.pinned(&digest);
    match sign::sign(key, format, &reference.name(), &digest)? {
        Evidence::Bundle(bundle) => {
            let annotations = BTreeMap::from([
                ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
                ("dev.sigstore.bundle.predicateType".to_owned(), PREDICATE.to_owned()),
            ]);
            attach(store, &pinned, &manifest, BUNDLE_TYPE, &bundle, annotations).await?;
        }
        Evidence::Simple { payload, signature, .. } => add_simple(store, &pinned, &digest, &payload, signature).await?,
    }
    Ok(pinned)
}

async fn attach_sbom_at(store: &Store<'_>, reference: &Reference, document: &[u8]) -> Result<Reference, Error> {
    let kind = match sbom::of_document("the file", document)?.format {
        sbom::SbomFormat::Spdx => SPDX_TYPE,
        sbom::SbomFormat::CycloneDx | sbom::SbomFormat::CargoAuditable => CYCLONEDX_TYPE,
    };
    let (digest, manifest, _) = plugin(store, reference).await?;
    let pinned = reference.pinned(&digest);
    attach(store, &pinned, &manifest, kind, document, BTreeMap::new()).await?;
    Ok(pinned)
}

/// Attaches a blob to a manifest, as an artifact of its own kind.
async fn attach(
    store: &Store<'_>,
    reference: &Reference,
    subject: &[u8],
    kind: &str,
    blob: &[u8],
    annotations: BTreeMap<String, String>,
) -> Result<(), Error> {
    let subject = Descriptor::of(MANIFEST_TYPE, subject);
    let digest = subject.digest.clone();
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_TYPE.to_owned()),
        artifact_type: Some(kind.to_owned()),
        config: Some(Descriptor::of(EMPTY_TYPE, EMPTY)),
        layers: Some(vec![Descriptor::of(kind, blob)]),
        subject: Some(subject),
        annotations,
        ..Manifest::default()
    };
    store.put_blob(reference, EMPTY).await?;
    store.put_blob(reference, blob).await?;
    store.attach(reference, &digest, kind, &manifest.to_bytes()).await
}

/// Adds a simple signature to those that there are.
async fn add_simple(
    store: &Store<'_>,
    reference: &Reference,
    digest: &str,
    payload: &[u8],
    signature: String,
) -> Result<(), Error> {
    let there = store.simple_manifest(reference, digest).await?.map(|(_, manifest)| manifest.layers().to_vec());
    let mut layers = there.unwrap_or_default();
    let annotations = BTreeMap::from([(SIGNATURE.to_owned(), signature)]);
    layers.push(Descriptor { annotations, ..Descriptor::of(SIMPLE_TYPE, payload) });
    let config = simple_config(&layers);
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_TYPE.to_owned()),
        config: Some(Descriptor::of("application/vnd.oci.image.config.v1+json", &config)),
        layers: Some(layers),
        ..Manifest::default()
    };
    store.put_blob(reference, payload).await?;
    store.put_blob(reference, &config).await?;
    store.put_manifest(&simple_tag(reference, digest), MANIFEST_TYPE, &manifest.to_bytes()).await
}

/// Cosign's signatures look like images; this is what an image must say of itself.
fn simple_config(layers: &[Descriptor]) -> Vec<u8> {
    let layers: Vec<_> = layers.iter().map(|layer| layer.digest.as_str()).collect();
    let config = serde_json::json!({
        "architecture": "", "created": "0001-01-01T00:00:00Z", "history": [{"created": "0001-01-01T00:00:00Z"}],
        "os": "", "rootfs": {"type": "layers", "diff_ids": layers}, "config": {},
    });
    serde_json::to_vec(&config).expect("BUG: a configuration can be written")
}

async fn copy(from: &Store<'_>, to: &Store<'_>, reference: &Reference) -> Result<Reference, Error> {
    let (digest, manifest, _) = plugin(from, reference).await?;
    let pinned = reference.pinned(&digest);
    copy_blobs(from, to, &pinned, &manifest).await?;
    to.put_manifest(&pinned, MANIFEST_TYPE, &manifest).await?;
    if let Some((signatures, _)) = from.simple_manifest(reference, &digest).await? {
        let bytes = from.manifest(reference, &signatures).await?;
        copy_blobs(from, to, reference, &bytes).await?;
        to.put_manifest(&simple_tag(reference, &digest), MANIFEST_TYPE, &bytes).await?;
    }
    for attached in from.referrers(reference, &digest).await? {
        let (bytes, layers) = from.attached(reference, &attached, &digest).await?;
        if layers.is_empty() {
            // It says of itself that it is attached to something else.
            continue;
        }
        copy_blobs(from, to, reference, &bytes).await?;
        let kind = Manifest::read(&attached.digest, &bytes)?.artifact_type.or(attached.artifact_type).unwrap_or_default();
        to.attach(reference, &digest, &kind, &bytes).await?;
    }
    Ok(pinned)
}

async fn copy_blobs(from: &Store<'_>, to: &Store<'_>, reference: &Reference, manifest: &[u8]) -> Result<(), Error> {
    let read = Manifest::read(&reference.to_string(), manifest)?;
    for blob in read.config.iter().chain(read.layers()) {
        if crate::digest::digits(&blob.digest).is_none() {
            let why = format!("it names the digest `{}`, which is not of the kind sha256", blob.digest);
            return Err(Error::NotAPlugin { what: reference.to_string(), why });
        }
        let bytes_max = if blob.media_type == WASM_CONFIG_TYPE { CONFIG_BYTES_MAX } else { COMPONENT_BYTES_MAX };
        to.put_blob(reference, &from.blob(reference, blob, bytes_max).await?).await?;
    }
    Ok(())
}
