//! What a component was made from, as far as it says so itself or somebody attached a list.
//!
//! Read are the custom section `.dep-v0` that `cargo auditable` writes (compressed JSON), and documents of CycloneDX and SPDX in JSON.
//! It is what the author claims: nothing here is checked against the code.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use serde::Deserialize;
use wasmparser::{Parser, Payload};

use crate::error::Error;

/// The section that `cargo auditable` writes.
const SECTION: &str = ".dep-v0";
/// Largest list of materials, unpacked, in bytes; the largest known have a few megabytes.
pub(crate) const SBOM_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most entries of a list that are kept.
const COMPONENTS_MAX: usize = 20_000;

/// The types under which lists are attached.
pub(crate) const CYCLONEDX_TYPE: &str = "application/vnd.cyclonedx+json";
pub(crate) const SPDX_TYPE: &str = "application/spdx+json";

/// A list of materials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sbom {
    /// How it was written.
    pub format: SbomFormat,
    /// What is in it, in the order of the list.
    pub components: Vec<Material>,
}

/// How a list of materials was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SbomFormat {
    /// The section of `cargo auditable` in the component.
    CargoAuditable,
    /// CycloneDX in JSON.
    CycloneDx,
    /// SPDX in JSON.
    Spdx,
}

impl SbomFormat {
    /// Returns the format's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CargoAuditable => "cargo-auditable",
            Self::CycloneDx => "cyclonedx",
            Self::Spdx => "spdx",
        }
    }
}

/// One thing that a plugin was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Material {
    /// Its name.
    pub name: String,
    /// Its version, if one is told.
    pub version: Option<String>,
    /// Its package URL, like `pkg:cargo/serde@1.0.0`.
    pub purl: Option<String>,
    /// Its licence, as it is told.
    pub licence: Option<String>,
}

/// Returns the list that a component carries, if it does.
///
/// # Errors
/// Returns what is wrong with a list that is there.
pub fn of_component(component: &[u8]) -> Result<Option<Sbom>, Error> {
    for payload in Parser::new(0).parse_all(component) {
        // What cannot be parsed has no list; who compiles it says what is wrong.
        let Ok(payload) = payload else { return Ok(None) };
        if let Payload::CustomSection(section) = payload
            && section.name() == SECTION
        {
            return auditable(section.data()).map(Some).map_err(|why| wrong("the section .dep-v0 of the component", &why));
        }
    }
    Ok(None)
}

/// Reads a document of CycloneDX or SPDX.
///
/// # Errors
/// Returns why it is neither.
pub(crate) fn of_document(place: &str, bytes: &[u8]) -> Result<Sbom, Error> {
    if bytes.len() > SBOM_BYTES_MAX {
        return Err(wrong(place, &format!("it has {} bytes, at most {SBOM_BYTES_MAX} are read", bytes.len())));
    }
    let read: Document = serde_json::from_slice(bytes).map_err(|error| wrong(place, &error.to_string()))?;
    if read.bom_format.as_deref() == Some("CycloneDX") {
        let components = read.components.into_iter().take(COMPONENTS_MAX).map(CycloneDx::material).collect();
        return Ok(Sbom { format: SbomFormat::CycloneDx, components });
    }
    if read.spdx_version.is_some() {
        let components = read.packages.into_iter().take(COMPONENTS_MAX).map(Spdx::material).collect();
        return Ok(Sbom { format: SbomFormat::Spdx, components });
    }
    Err(wrong(place, "it has neither `bomFormat` nor `spdxVersion`: only CycloneDX and SPDX in JSON are read"))
}

fn wrong(place: &str, why: &str) -> Error {
    Error::Sbom { place: place.to_owned(), why: why.to_owned() }
}

/// The document of `cargo auditable`.
#[derive(Deserialize)]
struct Auditable {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    #[serde(default)]
    source: String,
}

fn auditable(packed: &[u8]) -> Result<Sbom, String> {
    let mut text = Vec::new();
    let limit = SBOM_BYTES_MAX as u64;
    ZlibDecoder::new(packed).take(limit + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() > SBOM_BYTES_MAX {
        return Err(format!("unpacked it is larger than {SBOM_BYTES_MAX} bytes"));
    }
    let read: Auditable = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    let material = |package: Crate| Material {
        purl: (package.source == "crates.io").then(|| format!("pkg:cargo/{}@{}", package.name, package.version)),
        name: package.name,
        version: Some(package.version),
        licence: None,
    };
    let components = read.packages.into_iter().take(COMPONENTS_MAX).map(material).collect();
    Ok(Sbom { format: SbomFormat::CargoAuditable, components })
}

/// What is read of either kind of document.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    bom_format: Option<String>,
    components: Vec<CycloneDx>,
    spdx_version: Option<String>,
    packages: Vec<Spdx>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CycloneDx {
    name: String,
    version: Option<String>,
    purl: Option<String>,
    licenses: Vec<CycloneDxLicence>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CycloneDxLicence {
    expression: Option<String>,
    license: Option<NamedLicence>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NamedLicence {
    id: Option<String>,
    name: Option<String>,
}

impl CycloneDx {
    fn material(self) -> Material {
        let named =
            |licence: CycloneDxLicence| licence.expression.or_else(|| licence.license.and_then(|named| named.id.or(named.name)));
        let licences: Vec<_> = self.licenses.into_iter().filter_map(named).collect();
        let licence = (!licences.is_empty()).then(|| licences.join(" AND "));
        Material { name: self.name, version: self.version, purl: self.purl, licence }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spdx {
    name: String,
    version_info: Option<String>,
    license_concluded: Option<String>,
    license_declared: Option<String>,
    external_refs: Vec<SpdxReference>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SpdxReference {
    reference_type: String,
    reference_locator: String,
}

impl Spdx {
    fn material(self) -> Material {
        let told = |licence: &String| licence != "NOASSERTION" && licence != "NONE";
        let purl = self.external_refs.into_iter().find(|external| external.reference_type == "purl");
        Material {
            name: self.name,
            version: self.version_info,
            purl: purl.map(|external| external.reference_locator),
            licence: self.license_concluded.filter(told).or(self.license_declared.filter(told)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(text).unwrap();
        packer.finish().unwrap()
    }

    fn component_with(section: &[u8]) -> Vec<u8> {
        let mut module = wasm_encoder::Module::new();
        module.section(&wasm_encoder::CustomSection { name: SECTION.into(), data: section.into() });
        let mut component = wasm_encoder::Component::new();
        component.section(&wasm_encoder::ModuleSection(&module));
        component.finish()
    }

    #[test]
    fn the_section_of_cargo_auditable_is_read_inside_of_the_component() {
        let text = br#"{"packages": [{"name": "serde", "version": "1.0.0", "source": "crates.io"}, {"name": "own", "version": "0.1.0", "source": "local", "root": true}]}"#;
        let sbom = of_component(&component_with(&packed(text))).unwrap().unwrap();
        let purls: Vec<_> = sbom.components.iter().map(|one| (one.name.as_str(), one.purl.as_deref())).collect();
        assert_eq!(purls, [("serde", Some("pkg:cargo/serde@1.0.0")), ("own", None)]);
        assert_eq!(of_component(&wasm_encoder::Component::new().finish()).unwrap(), None);
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = packed(&vec![b' '; SBOM_BYTES_MAX * 4]);
        assert!(bomb.len() < 64 * 1024);
        let error = of_component(&component_with(&bomb)).unwrap_err().to_string();
        assert!(error.contains("larger than 8388608 bytes"), "{error}");
        assert!(of_component(&component_with(b"not packed")).is_err());
    }

    #[test]
    fn documents_of_both_kinds_are_read() {
        let text = br#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
            {"type": "library", "name": "a", "version": "1", "purl": "pkg:npm/a@1", "licenses": [{"license": {"id": "MIT"}}, {"expression": "ISC"}]}]}"#;
        let sbom = of_document("x", text).unwrap();
        let material = Material {
            name: "a".into(),
            version: Some("1".into()),
            purl: Some("pkg:npm/a@1".into()),
            licence: Some("MIT AND ISC".into()),
        };
        assert_eq!(sbom, Sbom { format: SbomFormat::CycloneDx, components: vec![material] });
        let text =
            br#"{"spdxVersion": "SPDX-2.3", "packages": [{"name": "b", "versionInfo": "2", "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "MIT", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/b@2"}]}]}"#;
        let sbom = of_document("x", text).unwrap();
        let material = Material {
            name: "b".into(),
            version: Some("2".into()),
            purl: Some("pkg:pypi/b@2".into()),
            licence: Some("MIT".into()),
        };
        assert_eq!(sbom, Sbom { format: SbomFormat::Spdx, components: vec![material] });
        assert!(of_document("the list", b"{}").unwrap_err().to_string().contains("neither `bomFormat`"));
    }
}
