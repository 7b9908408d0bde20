//! Signatures in the formats of cosign, over the digest of a manifest.

pub(crate) mod bundle;
pub(crate) mod key;
mod provider;
pub(crate) mod simple;

use crate::error::Error;
use key::SigningKey;

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureFormat {
    /// A bundle, attached as a referrer: what cosign writes from its third version on.
    #[default]
    Bundle,
    /// Simple signing, under a tag: what every version of cosign verifies.
    Simple,
}

/// A signature as it was found or made, not verified.
#[derive(Clone, Debug)]
pub(crate) enum Evidence {
    /// The document of simple signing, its signature, and whether a certificate came along that says who signed.
    Simple { payload: Vec<u8>, signature: String, certified: bool },
    /// A bundle.
    Bundle(Vec<u8>),
}

/// Signs a digest.
pub(crate) fn sign(key: &SigningKey, format: SignatureFormat, name: &str, manifest_digest: &str) -> Result<Evidence, Error> {
    match format {
        SignatureFormat::Bundle => bundle::sign(key, manifest_digest).map(Evidence::Bundle),
        SignatureFormat::Simple => {
            let (payload, signature) = simple::sign(key, name, manifest_digest)?;
            Ok(Evidence::Simple { payload, signature, certified: false })
        }
    }
}
