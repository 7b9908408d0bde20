//! Simple signing, the older of cosign's two formats: a small document that names the digest, signed with a key, in a manifest of its own
//! under the tag `sha256-….sig`.
//!
//! What is signed is a digest. The name in the document is not compared: a mirror's copy is the same plugin under another name.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{PublicKey, SigningKey};
use crate::error::Error;

pub(crate) const SIMPLE_TYPE: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// The annotation of a layer that holds its signature.
pub(crate) const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
/// The annotation of a layer with the certificate of who signed, which the older keyless format has in place of a bundle.
pub(crate) const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const KIND: &str = "cosign container image signature";

/// The document that is signed; other words in it are the signer's.
#[derive(Serialize, Deserialize)]
struct Payload {
    critical: Critical,
    optional: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Critical {
    identity: Identity,
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    docker_reference: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Image {
    docker_manifest_digest: String,
}

/// Returns the document and its signature.
pub(crate) fn sign(key: &SigningKey, name: &str, manifest_digest: &str) -> Result<(Vec<u8>, String), Error> {
    let identity = Identity { docker_reference: name.to_owned() };
    let image = Image { docker_manifest_digest: manifest_digest.to_owned() };
    let payload = Payload { critical: Critical { identity, image, kind: KIND.to_owned() }, optional: None };
    let payload = serde_json::to_vec(&payload).expect("BUG: a payload can be written");
    let signature = key.sign(&payload)?;
    Ok((payload, signature))
}

/// Checks that a document is signed with a key, and names the digest.
pub(crate) fn verify(key: &PublicKey, payload: &[u8], signature: &str, manifest_digest: &str) -> Result<(), String> {
    let signature = STANDARD.decode(signature.trim()).map_err(|error| format!("the signature is not base64: {error}"))?;
    key.verify(payload, &signature)?;
    let read: Payload =
        serde_json::from_slice(payload).map_err(|error| format!("the signed document cannot be read: {error}"))?;
    if read.critical.kind != KIND {
        return Err(format!("the signed document is a `{}`, not a `{KIND}`", read.critical.kind));
    }
    match read.critical.image.docker_manifest_digest {
        found if found == manifest_digest => Ok(()),
        found => Err(format!("what is signed is {found}, not {manifest_digest}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::digest_of;
    use crate::sign::key::fresh_key;

    fn keys() -> (SigningKey, PublicKey) {
        let key = fresh_key();
        let public = PublicKey::from_pem(&key.public_pem()).unwrap();
        (key, public)
    }

    #[test]
    fn a_signature_stands_for_its_digest_and_key_alone() {
        let (key, public) = keys();
        let digest = digest_of(b"manifest");
        let (payload, signature) = sign(&key, "registry.example/a", &digest).unwrap();
        assert_eq!(verify(&public, &payload, &signature, &digest), Ok(()));

        let other = digest_of(b"other");
        let error = verify(&public, &payload, &signature, &other).unwrap_err();
        assert!(error.contains(&digest) && error.contains(&other), "{error}");
        let tampered = String::from_utf8(payload.clone()).unwrap().replace(&digest, &other);
        assert!(verify(&public, tampered.as_bytes(), &signature, &other).unwrap_err().contains("does not fit"));
        assert!(verify(&keys().1, &payload, &signature, &digest).unwrap_err().contains("does not fit"));
        assert!(verify(&public, &payload, "?", &digest).unwrap_err().contains("not base64"));
        assert!(verify(&public, &payload, "", &digest).is_err());
    }

    #[test]
    fn another_kind_of_document_is_no_signature() {
        let (key, public) = keys();
        let digest = digest_of(b"manifest");
        let (payload, _) = sign(&key, "registry.example/a", &digest).unwrap();
        let other = String::from_utf8(payload).unwrap().replace(KIND, "attestation");
        let error = verify(&public, other.as_bytes(), &key.sign(other.as_bytes()).unwrap(), &digest).unwrap_err();
        assert!(error.contains("is a `attestation`"), "{error}");
        let error = verify(&public, b"{}", &key.sign(b"{}").unwrap(), &digest).unwrap_err();
        assert!(error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn what_cosign_signed_is_verified() {
        let public = PublicKey::from_pem(include_str!("testdata/cosign.pub")).unwrap();
        // Without the line end that the file has for editors.
        let payload = include_bytes!("testdata/simple.json").trim_ascii_end();
        let signature = include_str!("testdata/simple.sig");
        let digest = "sha256:f484ecc57a755f9505d2134a2195eed766dec74399d48909fb8f18b210852e1f";
        assert_eq!(verify(&public, payload, signature, digest), Ok(()));
    }
}
