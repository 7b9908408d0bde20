//! Bundles, the newer of cosign's two formats: a signature with all that is needed to verify it, attached to the manifest as a referrer.
//!
//! Keyed, or keyless: then a certificate of Fulcio's names who signed, the certificate's own log and the log of signatures prove when, and all
//! of it is verified offline against a root that the operator has. The verification is `sigstore-verify`'s; here is what is asked of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use sigstore_verify::trust_root::TrustedRoot;
use sigstore_verify::types::{Bundle, SignatureContent, pae};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

use super::key::{PublicKey, SigningKey};
use super::provider;
use crate::digest::{digest_of, digits};
use crate::error::Error;

/// The type of bundles that are written; older ones are read.
pub(crate) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// What the types of all bundles begin with.
pub(crate) const BUNDLE_TYPES: &str = "application/vnd.dev.sigstore.bundle";
const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";
/// What a statement says when it is a signature. Others are signed as well: reports of weaknesses, for one, which praise nothing.
pub(crate) const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Whom keyless signatures are believed by.
#[derive(Clone)]
pub(crate) struct Root(TrustedRoot);

impl Root {
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        provider::install();
        let root = TrustedRoot::from_json(text).map_err(|error| error.to_string())?;
        Verifier::new(&root).map_err(|error| error.to_string())?;
        Ok(Self(root))
    }
}

/// What is read of a statement: what it is about, and what it says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    predicate_type: String,
    #[serde(default)]
    subject: Vec<Subject>,
}

#[derive(Deserialize)]
struct Subject {
    digest: SubjectDigest,
}

#[derive(Deserialize)]
struct SubjectDigest {
    sha256: Option<String>,
}

/// Who a certificate says that it signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) identity: String,
    pub(crate) issuer: String,
}

/// Returns a bundle over a manifest's digest, without a log.
pub(crate) fn sign(key: &SigningKey, manifest_digest: &str) -> Result<Vec<u8>, Error> {
    let digits = digits(manifest_digest).expect("BUG: a digest that was computed here");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": digits}, "annotations": {}}],
        "predicateType": PREDICATE,
        "predicate": {},
    });
    let payload = serde_json::to_vec(&statement).expect("BUG: a statement can be written");
    let signature = key.sign(&pae(STATEMENT_TYPE, &payload))?;
    let bundle = json!({
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key.hint()}},
        "dsseEnvelope": {"payload": STANDARD.encode(payload), "payloadType": STATEMENT_TYPE, "signatures": [{"sig": signature}]},
    });
    Ok(serde_json::to_vec(&bundle).expect("BUG: a bundle can be written"))
}

/// Checks that a bundle is signed with a key, over a manifest. With a root, its entry in the log is asked for as well.
pub(crate) fn verify_keyed(bundle: &[u8], key: &PublicKey, log: Option<&Root>, manifest: &[u8]) -> Result<(), String> {
    let bundle = read(bundle)?;
    if bundle.signing_certificate().is_some() {
        return Err("it is keyless".to_owned());
    }
    match log {
        None => verify_unlogged(&bundle, key, manifest)?,
        Some(_) if bundle.verification_material.tlog_entries.is_empty() => {
            return Err("it has no entry of a log, which is asked for".to_owned());
        }
        Some(root) => {
            let verifier = Verifier::new(&root.0).map_err(|error| chain(&error))?;
            let policy = PublicKeyVerificationPolicy::new(key.der.clone());
            provider::with_message(manifest, || verifier.verify(manifest, &bundle, &policy)).map_err(|error| chain(&error))?;
        }
    }
    is_signature(&bundle)
}

/// The crate takes no bundle without a log or a clock's stamp; a key that the operator holds needs neither.
fn verify_unlogged(bundle: &Bundle, key: &PublicKey, manifest: &[u8]) -> Result<(), String> {
    match &bundle.content {
        SignatureContent::MessageSignature(signed) => key.verify(manifest, signed.signature.as_bytes()),
        SignatureContent::DsseEnvelope(envelope) => {
            if envelope.payload_type != STATEMENT_TYPE {
                return Err(format!("it signs a document of type {}, not {STATEMENT_TYPE}", envelope.payload_type));
            }
            key.verify(&envelope.pae(), envelope.signature.sig.as_bytes())?;
            let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes()).map_err(|error| error.to_string())?;
            let wanted = digest_of(manifest);
            let named: Vec<_> = statement.subject.iter().filter_map(|subject| subject.digest.sha256.as_ref()).collect();
            match named.iter().any(|named| digits(&wanted) == Some(named.as_str())) {
                true => Ok(()),
                false => Err(format!("what is signed is {named:?}, not {wanted}")),
            }
        }
        _ => Err("it holds neither a signature nor a statement".to_owned()),
    }
}

/// Checks a keyless bundle over a manifest, and returns who signed.
pub(crate) fn verify_keyless(bundle: &[u8], root: &Root, manifest: &[u8]) -> Result<Claims, String> {
    let bundle = read(bundle)?;
    if bundle.signing_certificate().is_none() {
        return Err("it is keyed, by none of the keys".to_owned());
    }
    let verifier = Verifier::new(&root.0).map_err(|error| chain(&error))?;
    let policy = VerificationPolicy::any_identity();
    let verified =
        provider::with_message(manifest, || verifier.verify(manifest, &bundle, &policy)).map_err(|error| chain(&error))?;
    is_signature(&bundle)?;
    let proven = verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified();
    match (verified.identity(), verified.issuer()) {
        (Some(identity), Some(issuer)) if proven => {
            Ok(Claims { identity: identity.as_str().to_owned(), issuer: issuer.to_owned() })
        }
        _ => Err("its certificate names no identity or no issuer".to_owned()),
    }
}

fn read(bundle: &[u8]) -> Result<Bundle, String> {
    provider::install();
    let text = std::str::from_utf8(bundle).map_err(|error| format!("the bundle is not text: {error}"))?;
    Bundle::from_json(text).map_err(|error| format!("the bundle cannot be read: {error}"))
}

/// A statement counts only if it says that it is a signature.
fn is_signature(bundle: &Bundle) -> Result<(), String> {
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else { return Ok(()) };
    let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes()).map_err(|error| error.to_string())?;
    match statement.predicate_type.as_str() {
        PREDICATE => Ok(()),
        other => Err(format!("it is a statement of type {other}, not a signature, which is {PREDICATE}")),
    }
}

/// The whole of an error in one line: the crate puts the reason into the source.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
