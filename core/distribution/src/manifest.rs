//! What a plugin looks like in a registry: the Wasm OCI artifact layout of the CNCF's wasm working group.
//!
//! A manifest names a configuration of type `application/vnd.wasm.config.v0+json` and one layer of type `application/wasm`, which is the
//! component as it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wasmparser::{Encoding, Parser, Payload};

use crate::digest::{digest_of, digits};
use crate::error::Error;

/// Largest manifest that is read, in bytes; registries take 4 MiB, a plugin's has less than a kilobyte.
pub(crate) const MANIFEST_BYTES_MAX: usize = 1024 * 1024;
/// Largest component that is pulled or pushed, in bytes.
pub const COMPONENT_BYTES_MAX: usize = 64 * 1024 * 1024;

pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const WASM_CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
pub(crate) const WASM_TYPE: &str = "application/wasm";
pub(crate) const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";
/// What may be answered. Without the types of OCI some registries say that there is nothing.
pub(crate) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// The annotation that says when something was made.
pub(crate) const CREATED: &str = "org.opencontainers.image.created";
/// The same component shall have the same digest wherever it is pushed from, so nobody's clock is in it.
const CREATED_UNKNOWN: &str = "1970-01-01T00:00:00Z";

/// What points to something, with its type and size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Descriptor {
    pub(crate) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self { media_type: media_type.to_owned(), digest: digest_of(bytes), size: bytes.len() as u64, ..Self::default() }
    }
}

/// What an entry of an index is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Platform {
    pub(crate) architecture: String,
    pub(crate) os: String,
}

/// A manifest, or an index: what is missing tells which.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) config: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) layers: Option<Vec<Descriptor>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manifests: Option<Vec<Descriptor>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Manifest {
    pub(crate) fn read(what: &str, bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|error| Error::NotAPlugin { what: what.to_owned(), why: error.to_string() })
    }

    pub(crate) fn layers(&self) -> &[Descriptor] {
        self.layers.as_deref().unwrap_or_default()
    }

    pub(crate) fn manifests(&self) -> &[Descriptor] {
        self.manifests.as_deref().unwrap_or_default()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("BUG: a manifest can be written")
    }
}

/// What a name leads to.
pub(crate) enum Found {
    /// The layer with the component.
    Component(Descriptor),
    /// An index, whose one entry for WebAssembly has this digest.
    Entry(String),
}

/// Returns where the component is.
pub(crate) fn find(what: &str, manifest: &Manifest) -> Result<Found, Error> {
    let no = |why: String| Error::NotAPlugin { what: what.to_owned(), why };
    if manifest.manifests.is_some() {
        return entry(manifest).map(Found::Entry).map_err(no);
    }
    let config = manifest.config.as_ref().map_or("none", |config| config.media_type.as_str());
    let [layer] = manifest.layers() else {
        return Err(no(format!("it has {} layers, a component is in one of type {WASM_TYPE}", manifest.layers().len())));
    };
    if config != WASM_CONFIG_TYPE || layer.media_type != WASM_TYPE {
        let found = format!("its configuration is of type {config} and its layer of type {}", layer.media_type);
        return Err(no(format!("{found}; a plugin has {WASM_CONFIG_TYPE} and {WASM_TYPE}")));
    }
    if digits(&layer.digest).is_none() {
        return Err(no(format!("its layer has the digest `{}`, which is not of the kind sha256", layer.digest)));
    }
    if layer.size > COMPONENT_BYTES_MAX as u64 {
        let limit = COMPONENT_BYTES_MAX as u64;
        return Err(Error::TooLarge { place: what.to_owned(), what: format!("the component of {} bytes", layer.size), limit });
    }
    Ok(Found::Component(layer.clone()))
}

fn entry(index: &Manifest) -> Result<String, String> {
    let for_wasm = |entry: &&Descriptor| {
        entry.platform.as_ref().is_some_and(|platform| platform.architecture == "wasm")
            || entry.artifact_type.as_deref() == Some(WASM_CONFIG_TYPE)
    };
    let found: Vec<_> = index.manifests().iter().filter(for_wasm).collect();
    match found.as_slice() {
        [one] if digits(&one.digest).is_some() => Ok(one.digest.clone()),
        [one] => Err(format!("its entry has the digest `{}`, which is not of the kind sha256", one.digest)),
        several => {
            let named = |entry: &Descriptor| match &entry.platform {
                Some(platform) => format!("{} for {}/{}", entry.digest, platform.os, platform.architecture),
                None => entry.digest.clone(),
            };
            let entries: Vec<_> = index.manifests().iter().take(20).map(named).collect();
            let count = several.len();
            Err(format!("it is an index with {count} entries for wasm, of {}; name one by its digest", entries.join(", ")))
        }
    }
}

/// A component as it is put into a registry.
pub(crate) struct Packed {
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

/// The configuration of the layout.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WasmConfig<'a> {
    created: &'a str,
    architecture: &'static str,
    os: &'static str,
    layer_digests: Vec<String>,
    component: Interface,
}

/// What a component offers and needs.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Interface {
    pub(crate) exports: Vec<String>,
    pub(crate) imports: Vec<String>,
}

/// Returns the configuration and the manifest of a component.
pub(crate) fn pack(component: &[u8], annotations: &BTreeMap<String, String>) -> Result<Packed, Error> {
    if component.len() > COMPONENT_BYTES_MAX {
        let limit = COMPONENT_BYTES_MAX as u64;
        return Err(Error::TooLarge {
            place: "you".to_owned(),
            what: format!("a component of {} bytes", component.len()),
            limit,
        });
    }
    let created = annotations.get(CREATED).map_or(CREATED_UNKNOWN, String::as_str);
    let layer = Descriptor::of(WASM_TYPE, component);
    let layer_digests = vec![layer.digest.clone()];
    let config = WasmConfig { created, architecture: "wasm", os: "wasip2", layer_digests, component: interface(component)? };
    let config = serde_json::to_vec(&config).expect("BUG: a configuration can be written");
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST_TYPE.to_owned()),
        config: Some(Descriptor::of(WASM_CONFIG_TYPE, &config)),
        layers: Some(vec![layer]),
        annotations: annotations.clone(),
        ..Manifest::default()
    };
    Ok(Packed { config, manifest: manifest.to_bytes() })
}

/// Returns what a component offers and needs, at its outermost level.
pub(crate) fn interface(component: &[u8]) -> Result<Interface, Error> {
    let no = |why: String| Error::NotAPlugin { what: "the file".to_owned(), why };
    let mut found = Interface::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| no(error.to_string()))? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                return Err(no("it is a core module; `towpath plugin build` makes a component".to_owned()));
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    found.imports.push(import.map_err(|error| no(error.to_string()))?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    found.exports.push(export.map_err(|error| no(error.to_string()))?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}
