//! An authority, a log of certificates and a log of signatures of a test's own, and the trust root that names them: all that keyless
//! signatures rest on, made by hand, so that a test can sign as somebody and be believed offline.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PublicKeyData as _, SanType, SerialNumber, SigningKey as _,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Who signs, and who vouches for that.
pub(crate) const IDENTITY: &str = "dev@example.com";
pub(crate) const ISSUER: &str = "https://issuer.example";

/// The type of bundles and of what is signed in them.
pub(crate) const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

/// The extension in which the authority says who vouched for the identity.
const ISSUER_EXTENSION: [u64; 9] = [1, 3, 6, 1, 4, 1, 57_264, 1, 8];

/// The extension that shows that the certificate is in its log (RFC 6962).
const LOGGED_EXTENSION: [u64; 10] = [1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2];

/// Since when everything holds.
const SINCE: &str = "2021-01-01T00:00:00Z";

/// The log's name in its checkpoints.
const LOG: &str = "log.example";

/// What keyless signatures rest on.
pub(crate) struct Sigstore {
    authority: Issuer<'static, KeyPair>,
    authority_der: Vec<u8>,
    certificates: KeyPair,
    signatures: KeyPair,
}

fn key() -> KeyPair {
    KeyPair::generate().unwrap()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Returns the name of a log: the hash of its key.
fn id(key: &KeyPair) -> [u8; 32] {
    sha256(&key.subject_public_key_info())
}

#[expect(clippy::disallowed_methods, reason = "what a log signs has a time that is not in the future")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl Sigstore {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2021, 1, 1), rcgen::date_time_ymd(2041, 1, 1));
        let authority_key = key();
        let authority_der = params.self_signed(&authority_key).unwrap().der().to_vec();
        let authority = Issuer::new(params, authority_key);
        Self { authority, authority_der, certificates: key(), signatures: key() }
    }

    /// Returns the trust root that names all three, as `trusted_root.json` has it.
    pub(crate) fn trust_root(&self) -> Value {
        let log = |key: &KeyPair| {
            json!({
                "baseUrl": format!("https://{LOG}"),
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": SINCE },
                },
                "logId": { "keyId": STANDARD.encode(id(key)) },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.signatures)],
            "certificateAuthorities": [{
                "subject": { "organization": "example", "commonName": "example" },
                "uri": "https://authority.example",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(&self.authority_der) }] },
                "validFor": { "start": SINCE },
            }],
            "ctlogs": [log(&self.certificates)],
            "timestampAuthorities": [],
        })
    }

    /// Returns a bundle that signs the manifest of this digest as somebody, with a certificate that lasts no longer than a moment.
    pub(crate) fn sign(&self, manifest_digest: &str) -> Vec<u8> {
        let key = key();
        let certificate = self.certificate(&key);
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(&certificate));
        let material = json!({ "certificate": { "rawBytes": STANDARD.encode(&certificate) } });
        self.bundle(manifest_digest, &key, material, &pem)
    }

    /// The same with a key that somebody holds.
    pub(crate) fn sign_with(&self, manifest_digest: &str, key: &KeyPair) -> Vec<u8> {
        let hint = STANDARD.encode(id(key));
        self.bundle(manifest_digest, key, json!({ "publicKey": { "hint": hint } }), &key.public_key_pem())
    }

    fn bundle(&self, manifest_digest: &str, key: &KeyPair, mut material: Value, verifier: &str) -> Vec<u8> {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": manifest_digest.strip_prefix("sha256:").unwrap() } }],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        });
        let payload = statement.to_string();
        let signed = format!("DSSEv1 {} {STATEMENT_TYPE} {} {payload}", STATEMENT_TYPE.len(), payload.len());
        let signature = STANDARD.encode(key.sign(signed.as_bytes()).unwrap());
        let envelope = json!({
            "payload": STANDARD.encode(&payload), "payloadType": STATEMENT_TYPE, "signatures": [{ "sig": &signature }],
        });
        material["tlogEntries"] = json!([self.logged(&payload, &envelope.to_string(), &signature, verifier)]);
        material["timestampVerificationData"] = json!({});
        let bundle = json!({ "mediaType": BUNDLE_TYPE, "verificationMaterial": material, "dsseEnvelope": envelope });
        bundle.to_string().into_bytes()
    }

    /// Returns the certificate of a key, which the log of certificates has seen.
    fn certificate(&self, key: &KeyPair) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::Rfc822Name(IDENTITY.try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2021, 1, 1), rcgen::date_time_ymd(2041, 1, 1));
        params.serial_number = Some(SerialNumber::from(7));
        params.use_authority_key_identifier_extension = true;
        // A text of UTF-8, in DER.
        let issuer = [&[0x0c, u8::try_from(ISSUER.len()).unwrap()], ISSUER.as_bytes()].concat();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&ISSUER_EXTENSION, issuer)];
        let unlogged = params.clone().signed_by(key, &self.authority).unwrap();
        let seen = octets(&self.seen(signed_part(unlogged.der())));
        params.custom_extensions.push(CustomExtension::from_oid_content(&LOGGED_EXTENSION, seen));
        params.signed_by(key, &self.authority).unwrap().der().to_vec()
    }

    /// Returns what the log of certificates says of one before it says it (RFC 6962, section 3.2).
    fn seen(&self, certificate: &[u8]) -> Vec<u8> {
        let at = u64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap() - 60_000;
        let issuer = sha256(&self.authority.key().subject_public_key_info());
        let length = u32::try_from(certificate.len()).unwrap().to_be_bytes();
        let signed = [&[0, 0], &at.to_be_bytes()[..], &[0, 1], &issuer, &length[1..], certificate, &[0, 0]].concat();
        let signature = self.certificates.sign(&signed).unwrap();
        // SHA-256 and ECDSA.
        let one = [&[0], &id(&self.certificates)[..], &at.to_be_bytes(), &[0, 0, 4, 3], &long(&signature)].concat();
        long(&long(&one))
    }

    /// Returns the entry of a signature in the log of signatures: the only one, so that its own hash is the tree's.
    fn logged(&self, payload: &str, envelope: &str, signature: &str, verifier: &str) -> Value {
        let hash = |text: &str| json!({ "algorithm": "sha256", "value": hex(&sha256(text.as_bytes())) });
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(envelope),
                "payloadHash": hash(payload),
                "signatures": [{ "signature": signature, "verifier": STANDARD.encode(verifier) }],
            },
        });
        let body = body.to_string();
        let at = i64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap() - 30;
        let id = id(&self.signatures);
        let promised =
            format!(r#"{{"body":"{}","integratedTime":{at},"logID":"{}","logIndex":0}}"#, STANDARD.encode(&body), hex(&id));
        let root = STANDARD.encode(sha256(&[&[0], body.as_bytes()].concat()));
        let note = format!("{LOG} - 1\n1\n{root}\n");
        let sealed = [&id[..4], &self.signatures.sign(note.as_bytes()).unwrap()].concat();
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(id) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": at.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(self.signatures.sign(promised.as_bytes()).unwrap()) },
            "inclusionProof": {
                "logIndex": "0", "rootHash": root, "treeSize": "1", "hashes": [],
                "checkpoint": { "envelope": format!("{note}\n\u{2014} {LOG} {}\n", STANDARD.encode(sealed)) },
            },
            "canonicalizedBody": STANDARD.encode(body),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns bytes with their length in two bytes before them.
fn long(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// Returns bytes as an octet string of DER.
fn octets(bytes: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(bytes.len()).unwrap() {
        short @ 0..=127 => vec![short],
        long => vec![0x81, long],
    };
    [&[0x04], length.as_slice(), bytes].concat()
}

/// Returns the part of a certificate that is signed: the first element of the outermost sequence.
fn signed_part(certificate: &[u8]) -> &[u8] {
    let inside = &certificate[header(certificate).0..];
    let (header, length) = header(inside);
    &inside[..header + length]
}

/// Returns the lengths of an element's header and content, in DER.
fn header(element: &[u8]) -> (usize, usize) {
    match element[1] {
        short @ 0..=127 => (2, usize::from(short)),
        many => {
            let digits = usize::from(many & 0x7f);
            (2 + digits, element[2..2 + digits].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    }
}
