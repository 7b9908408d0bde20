//! The cryptography that signatures are checked and made with: ring, as everywhere else in this workspace.
//!
//! `sigstore-verify` takes whatever implements its trait; without this it would bring a second library of cryptography, in C.

use std::cell::RefCell;
use std::sync::Once;

use ed25519_dalek::{Digest as _, Sha512, Signature, VerifyingKey};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA384_ASN1, ECDSA_P384_SHA256_ASN1,
    ECDSA_P384_SHA384_ASN1, ED25519, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, KeyAlgorithm, Result, SigningKeyPair, SigningScheme, install_default_provider,
};
use sigstore_verify::types::HashAlgorithm;

/// Makes the cryptography known to `sigstore-verify`, once. To be called before anything of it is.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    // Only this room sees that crate, so nobody else can have been first.
    ONCE.call_once(|| {
        let _ = install_default_provider(&Ring);
    });
}

thread_local! {
    /// The message whose signature is being checked on this thread.
    static MESSAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Calls `check` while a message is at hand: ring verifies signatures of messages, not of their digests.
pub(super) fn with_message<T>(message: &[u8], check: impl FnOnce() -> T) -> T {
    MESSAGE.with_borrow_mut(|held| *held = message.to_vec());
    let checked = check();
    MESSAGE.with_borrow_mut(Vec::clear);
    checked
}

#[derive(Debug)]
struct Ring;

struct Hashing(ring::digest::Context);

impl HashContext for Hashing {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

fn hash(algorithm: HashAlgorithm) -> Result<&'static ring::digest::Algorithm> {
    match algorithm {
        HashAlgorithm::Sha2256 => Ok(&ring::digest::SHA256),
        HashAlgorithm::Sha2384 => Ok(&ring::digest::SHA384),
        HashAlgorithm::Sha2512 => Ok(&ring::digest::SHA512),
        other => Err(Error::UnsupportedAlgorithm(format!("digests of kind {other}"))),
    }
}

fn verification(scheme: SigningScheme) -> Result<&'static dyn VerificationAlgorithm> {
    Ok(match scheme {
        SigningScheme::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
        SigningScheme::EcdsaP256Sha384 => &ECDSA_P256_SHA384_ASN1,
        SigningScheme::EcdsaP384Sha256 => &ECDSA_P384_SHA256_ASN1,
        SigningScheme::EcdsaP384Sha384 => &ECDSA_P384_SHA384_ASN1,
        SigningScheme::Ed25519 => &ED25519,
        SigningScheme::RsaPssSha256 => &RSA_PSS_2048_8192_SHA256,
        SigningScheme::RsaPssSha384 => &RSA_PSS_2048_8192_SHA384,
        SigningScheme::RsaPssSha512 => &RSA_PSS_2048_8192_SHA512,
        SigningScheme::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        SigningScheme::RsaPkcs1Sha384 => &RSA_PKCS1_2048_8192_SHA384,
        SigningScheme::RsaPkcs1Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        other => return Err(Error::UnsupportedAlgorithm(format!("signatures of kind {}", other.name()))),
    })
}

/// Returns whether a signature is one of Ed25519ph (RFC 8032, section 5.1), which ring does not know.
fn verified_prehashed(key: &[u8], data: &[u8], signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::try_from(key), Signature::from_slice(signature)) else { return false };
    key.verify_prehashed_strict(Sha512::new().chain_update(data), None, &signature).is_ok()
}

impl CryptoProvider for Ring {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        Ok(Box::new(Hashing(ring::digest::Context::new(hash(algorithm)?))))
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        let wrong = |_| Error::Verification(format!("the {} signature does not fit", scheme.name()));
        let fits = UnparsedPublicKey::new(verification(scheme)?, key).verify(data, signature);
        match scheme {
            // The same keys sign in two ways, and no signature of one way is one of the other: cosign takes the second for its bundles.
            SigningScheme::Ed25519 if fits.is_err() && verified_prehashed(key, data, signature) => Ok(()),
            _ => fits.map_err(wrong),
        }
    }

    fn verify_prehashed(&self, scheme: SigningScheme, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<()> {
        let algorithm =
            scheme.hash_algorithm().ok_or_else(|| Error::UnsupportedAlgorithm(format!("a digest for {}", scheme.name())))?;
        let message = MESSAGE.with_borrow(Clone::clone);
        match ring::digest::digest(hash(algorithm)?, &message).as_ref() == digest {
            true => self.verify_raw(scheme, key, &message, signature),
            false => Err(Error::Verification("the digest that was signed is not of the message at hand".to_owned())),
        }
    }

    fn key_pair_from_pkcs8_der(&self, pkcs8: &[u8]) -> Result<Box<dyn SigningKeyPair>> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &random);
        let pair =
            pair.map_err(|error| Error::InvalidKeyFormat(format!("no ECDSA key of the curve P-256 in PKCS#8: {error}")))?;
        Ok(Box::new(Pair(pair, random)))
    }
}

struct Pair(EcdsaKeyPair, SystemRandom);

impl SigningKeyPair for Pair {
    fn algorithm(&self) -> KeyAlgorithm {
        KeyAlgorithm::EcdsaP256
    }

    fn public_key_bytes(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    fn sign_raw(&self, data: &[u8]) -> Result<Vec<u8>> {
        let signed = self.0.sign(&self.1, data).map_err(|_| Error::Signing("ring refuses to sign".to_owned()))?;
        Ok(signed.as_ref().to_vec())
    }

    fn sign_prehashed(&self, _digest: &[u8]) -> Result<Vec<u8>> {
        Err(Error::UnsupportedAlgorithm("ring signs messages, not digests".to_owned()))
    }
}
