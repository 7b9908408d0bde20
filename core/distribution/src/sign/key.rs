//! Keys: as cosign writes them, encrypted with a password, or plain PKCS#8. ECDSA of the curve P-256 signs; verified is also Ed25519 and RSA.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto_secretbox::aead::Aead as _;
use crypto_secretbox::{KeyInit as _, XSalsa20Poly1305};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde::{Deserialize, Serialize};
use sigstore_verify::crypto::{KeyPair, VerificationKey, sha256};
use sigstore_verify::types::{DerPublicKey, SignatureBytes};

use super::provider;
use crate::error::Error;

/// The two names under which cosign encrypted keys, the newer first.
const ENCRYPTED: [&str; 2] = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"];
const PLAIN: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";
/// Largest key file that is read, in bytes.
const KEY_BYTES_MAX: usize = 64 * 1024;

/// What cosign makes keys slow to guess with: N = 2^16, r = 8, p = 1, so 64 MiB.
const SCRYPT_LOG_N: u8 = 16;
const SCRYPT_R: u32 = 8;
const SCRYPT_P: u32 = 1;
/// A file that asks for more than sixteen times cosign's memory is not taken.
const SCRYPT_LOG_N_MAX: u8 = 20;

/// A key that signs. It shows itself to nobody.
pub struct SigningKey {
    pair: KeyPair,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

impl SigningKey {
    /// Reads a private key from PEM: PKCS#8, or cosign's encrypted form, for which the password is needed. Takes a second where it is encrypted.
    ///
    /// # Errors
    /// Returns why the key cannot be used; never what is in it.
    pub fn from_pem(pem: &str, password: Option<&[u8]>) -> Result<Self, Error> {
        provider::install();
        let (label, bytes) = unpem(pem)?;
        let pkcs8 = match label.as_str() {
            PLAIN => bytes,
            label if ENCRYPTED.contains(&label) => {
                decrypt(&bytes, password.ok_or_else(|| wrong("it is encrypted, and no password was given"))?)?
            }
            other => return Err(wrong(format!("it is a `{other}`; what can sign is `{PLAIN}` (PKCS#8) or `{}`", ENCRYPTED[0]))),
        };
        Ok(Self { pair: KeyPair::from_pkcs8_der(&pkcs8).map_err(wrong)? })
    }

    /// Returns the public key as PEM.
    pub(crate) fn public_pem(&self) -> String {
        pem(PUBLIC, self.pair.public_key_der().expect("BUG: a key pair has a public key").as_bytes())
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<String, Error> {
        Ok(STANDARD.encode(self.pair.sign(message).map_err(wrong)?.as_bytes()))
    }

    /// Returns what names the key in a bundle, as cosign does: the digest of the public key.
    pub(super) fn hint(&self) -> String {
        let public = self.pair.public_key_der().expect("BUG: a key pair has a public key");
        STANDARD.encode(sha256(public.as_bytes()).as_bytes())
    }
}

/// A key that verifies.
#[derive(Clone)]
pub(crate) struct PublicKey {
    pub(super) der: DerPublicKey,
}

impl PublicKey {
    pub(crate) fn from_pem(pem: &str) -> Result<Self, Error> {
        provider::install();
        let der = DerPublicKey::from_pem(pem).map_err(wrong)?;
        VerificationKey::from_spki(&der).map_err(wrong)?;
        Ok(Self { der })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), String> {
        let key = VerificationKey::from_spki(&self.der).map_err(|error| error.to_string())?;
        key.verify(message, &SignatureBytes::from_bytes(signature)).map_err(|error| error.to_string())
    }
}

/// A new pair of keys, as files of cosign's.
pub struct GeneratedKeys {
    /// The private key, encrypted with the password.
    pub private_pem: String,
    /// The public key.
    pub public_pem: String,
}

impl fmt::Debug for GeneratedKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GeneratedKeys of {}", self.public_pem)
    }
}

/// Returns a new pair of keys. Takes a second: the password is made slow to guess.
///
/// # Errors
/// Returns that the machine has no randomness.
pub fn generate_key_pair(password: &[u8]) -> Result<GeneratedKeys, Error> {
    let (pkcs8, key) = fresh()?;
    Ok(GeneratedKeys { private_pem: pem(ENCRYPTED[0], &encrypt(&pkcs8, password)?), public_pem: key.public_pem() })
}

/// Returns a new key, and its form in a file.
fn fresh() -> Result<(Vec<u8>, SigningKey), Error> {
    provider::install();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
    let made = made.map_err(|_| wrong("this machine has no randomness"))?;
    let pair = KeyPair::from_pkcs8_der(made.as_ref()).map_err(wrong)?;
    Ok((made.as_ref().to_vec(), SigningKey { pair }))
}

/// Returns a new key for a test, which needs no password.
#[cfg(test)]
pub(crate) fn fresh_key() -> SigningKey {
    fresh().unwrap().1
}

/// What cosign writes into its encrypted files, as JSON.
#[derive(Serialize, Deserialize)]
struct Encrypted {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Serialize, Deserialize)]
struct Kdf {
    name: String,
    params: Scrypt,
    salt: String,
}

#[derive(Serialize, Deserialize)]
struct Scrypt {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Serialize, Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

fn encrypt(plain: &[u8], password: &[u8]) -> Result<Vec<u8>, Error> {
    let (mut salt, mut nonce) = ([0; 32], [0; 24]);
    let random = SystemRandom::new();
    for bytes in [salt.as_mut_slice(), nonce.as_mut_slice()] {
        random.fill(bytes).map_err(|_| wrong("this machine has no randomness"))?;
    }
    let key = stretched(password, &salt, SCRYPT_LOG_N, SCRYPT_R, SCRYPT_P)?;
    let closed = XSalsa20Poly1305::new(&key.into()).encrypt(&nonce.into(), plain).map_err(|_| wrong("it cannot be encrypted"))?;
    let written = Encrypted {
        kdf: Kdf {
            name: "scrypt".to_owned(),
            params: Scrypt { n: 1 << SCRYPT_LOG_N, r: SCRYPT_R, p: SCRYPT_P },
            salt: STANDARD.encode(salt),
        },
        cipher: Cipher { name: "nacl/secretbox".to_owned(), nonce: STANDARD.encode(nonce) },
        ciphertext: STANDARD.encode(closed),
    };
    Ok(serde_json::to_vec(&written).expect("BUG: a key can be written"))
}

fn decrypt(json: &[u8], password: &[u8]) -> Result<Vec<u8>, Error> {
    let read: Encrypted = serde_json::from_slice(json).map_err(|_| wrong("what is in it is not what cosign writes"))?;
    if read.kdf.name != "scrypt" || read.cipher.name != "nacl/secretbox" {
        return Err(wrong(format!(
            "it is encrypted with {} and {}; read are scrypt and nacl/secretbox",
            read.kdf.name, read.cipher.name
        )));
    }
    let Scrypt { n, r, p } = read.kdf.params;
    let log_n = u8::try_from(n.checked_ilog2().unwrap_or(0)).expect("BUG: a logarithm of 64 bits");
    if !n.is_power_of_two() || log_n > SCRYPT_LOG_N_MAX || r > SCRYPT_R || p > SCRYPT_P {
        return Err(wrong(format!(
            "its scrypt takes N={n} r={r} p={p}, at most N={} r={SCRYPT_R} p={SCRYPT_P}",
            1_u64 << SCRYPT_LOG_N_MAX
        )));
    }
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| wrong("what is in it is not base64"));
    let nonce: [u8; 24] = bytes(&read.cipher.nonce)?.try_into().map_err(|_| wrong("its nonce has not 24 bytes"))?;
    let key = stretched(password, &bytes(&read.kdf.salt)?, log_n, r, p)?;
    let closed = bytes(&read.ciphertext)?;
    XSalsa20Poly1305::new(&key.into())
        .decrypt(&nonce.into(), closed.as_slice())
        .map_err(|_| wrong("the password does not open it"))
}

fn stretched(password: &[u8], salt: &[u8], log_n: u8, r: u32, p: u32) -> Result<[u8; 32], Error> {
    let mut key = [0; 32];
    let params = scrypt::Params::new(log_n, r, p, key.len()).map_err(wrong)?;
    scrypt::scrypt(password, salt, &params, &mut key).map_err(wrong)?;
    Ok(key)
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("BUG: base64 is ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Returns the label and the contents of the first block.
fn unpem(text: &str) -> Result<(String, Vec<u8>), Error> {
    if text.len() > KEY_BYTES_MAX {
        return Err(wrong(format!("it has {} bytes, at most {KEY_BYTES_MAX} are read", text.len())));
    }
    let no = || wrong("it is not PEM, which begins with -----BEGIN");
    let (_, rest) = text.split_once("-----BEGIN ").ok_or_else(no)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(no)?;
    let (body, _) = rest.split_once("-----END ").ok_or_else(no)?;
    let body: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    Ok((label.to_owned(), STANDARD.decode(body).map_err(|_| no())?))
}

fn wrong(why: impl fmt::Display) -> Error {
    Error::Key { why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by cosign 3.1.1, with the password `pw`.
    const COSIGN_PRIVATE: &str = include_str!("testdata/cosign.key");
    const COSIGN_PUBLIC: &str = include_str!("testdata/cosign.pub");

    #[test]
    fn a_key_of_cosigns_is_opened_with_its_password_alone() {
        let key = SigningKey::from_pem(COSIGN_PRIVATE, Some(b"pw")).unwrap();
        assert_eq!(key.public_pem().trim(), COSIGN_PUBLIC.trim());
        let older = COSIGN_PRIVATE.replace("SIGSTORE", "COSIGN");
        assert!(SigningKey::from_pem(&older, Some(b"pw")).is_ok());
        let error = SigningKey::from_pem(COSIGN_PRIVATE, Some(b"other")).unwrap_err().to_string();
        assert!(error.contains("password does not open it"), "{error}");
        let error = SigningKey::from_pem(COSIGN_PRIVATE, None).unwrap_err().to_string();
        assert!(error.contains("no password was given"), "{error}");
    }

    #[test]
    fn a_new_key_signs_what_its_public_half_verifies() {
        let keys = generate_key_pair(b"secret").unwrap();
        let key = SigningKey::from_pem(&keys.private_pem, Some(b"secret")).unwrap();
        let signature = STANDARD.decode(key.sign(b"message").unwrap()).unwrap();
        let public = PublicKey::from_pem(&keys.public_pem).unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert!(public.verify(b"other", &signature).is_err());
        assert!(!format!("{keys:?} {key:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_plain_key_needs_no_password() {
        let (pkcs8, key) = fresh().unwrap();
        let read = SigningKey::from_pem(&pem(PLAIN, &pkcs8), None).unwrap();
        assert_eq!(read.public_pem(), key.public_pem());
    }

    #[test]
    fn what_is_no_key_is_told_why() {
        for (text, why) in [
            ("", "not PEM"),
            ("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----", "it is a `EC PRIVATE KEY`"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "Invalid key format"),
            ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----", "not PEM"),
        ] {
            let error = SigningKey::from_pem(text, None).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        assert!(PublicKey::from_pem("nothing").is_err());
    }

    #[test]
    fn a_file_that_would_take_all_memory_is_refused() {
        let (_, json) = unpem(COSIGN_PRIVATE).unwrap();
        let greedy = String::from_utf8(json).unwrap().replace("\"N\":65536", "\"N\":1099511627776");
        let error = SigningKey::from_pem(&pem(ENCRYPTED[0], greedy.as_bytes()), Some(b"pw")).unwrap_err().to_string();
        assert!(error.contains("N=1099511627776"), "{error}");
    }
}
