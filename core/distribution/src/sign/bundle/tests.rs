use super::*;
use crate::digest::digest_of;
use crate::sign::key::fresh_key;

const COSIGN_PUBLIC: &str = include_str!("../testdata/cosign.pub");
const KEYED: &[u8] = include_bytes!("../testdata/keyed.bundle.json");
/// Without the line end that the file has for editors.
const SIGNED: &[u8] = include_bytes!("../testdata/signed-manifest.json").trim_ascii_end();

const KEYLESS: &str = include_str!("../testdata/cosign-v3-blob.sigstore.json");
const KEYLESS_SIGNED: &[u8] = include_bytes!("../testdata/cosign-v3-blob.txt");
const ATTESTATION: &[u8] = include_bytes!("../testdata/conda-attestation.sigstore.json");
const ATTESTED: &[u8] = include_bytes!("../testdata/signed-package-2.1.0-hb0f4dca_0.conda");
const ROOT: &str = include_str!("../testdata/trusted_root.json");

fn root() -> Root {
    Root::from_json(ROOT).unwrap()
}

/// The root with something changed in it.
fn root_with(change: impl FnOnce(&mut serde_json::Value)) -> Root {
    let mut value = serde_json::from_str(ROOT).unwrap();
    change(&mut value);
    Root::from_json(&value.to_string()).unwrap()
}

/// The keyless bundle with something changed in it.
fn keyless_with(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut value = serde_json::from_str(KEYLESS).unwrap();
    change(&mut value);
    value.to_string().into_bytes()
}

fn fails<T: std::fmt::Debug>(result: Result<T, String>, why: &str) {
    let error = result.unwrap_err();
    assert!(error.contains(why), "{error}");
}

#[test]
fn what_cosign_signed_with_a_key_is_verified() {
    let key = PublicKey::from_pem(COSIGN_PUBLIC).unwrap();
    assert_eq!(verify_keyed(KEYED, &key, None, SIGNED), Ok(()));
    fails(verify_keyed(KEYED, &key, None, b"another manifest"), &digest_of(b"another manifest"));
    fails(verify_keyed(KEYED, &key, Some(&root()), SIGNED), "no entry of a log");
    fails(verify_keyless(KEYED, &root(), SIGNED), "it is keyed");
}

#[test]
fn a_bundle_stands_for_its_key_and_manifest_alone() {
    let key = fresh_key();
    let public = PublicKey::from_pem(&key.public_pem()).unwrap();
    let bundle = sign(&key, &digest_of(b"manifest")).unwrap();
    assert_eq!(verify_keyed(&bundle, &public, None, b"manifest"), Ok(()));
    fails(verify_keyed(&bundle, &public, None, b"other"), &digest_of(b"other"));
    fails(verify_keyed(&bundle, &PublicKey::from_pem(COSIGN_PUBLIC).unwrap(), None, b"manifest"), "signature");
    fails(verify_keyed(b"{}", &public, None, b"manifest"), "cannot be read");
    fails(verify_keyed(b"\xff", &public, None, b"manifest"), "not text");

    let mut tampered: serde_json::Value = serde_json::from_slice(&bundle).unwrap();
    let other = sign(&key, &digest_of(b"other")).unwrap();
    let other: serde_json::Value = serde_json::from_slice(&other).unwrap();
    tampered["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"].clone();
    fails(verify_keyed(tampered.to_string().as_bytes(), &public, None, b"other"), "signature");
}

#[test]
fn a_statement_that_is_no_signature_does_not_count() {
    fails(verify_keyless(ATTESTATION, &root(), ATTESTED), "not a signature");
}

#[test]
fn a_public_keyless_bundle_is_verified_offline() {
    let claims = verify_keyless(KEYLESS.as_bytes(), &root(), KEYLESS_SIGNED).unwrap();
    assert_eq!(claims.issuer, "https://github.com/login/oauth");
    assert!(claims.identity.contains('@'), "{claims:?}");
    fails(verify_keyless(KEYLESS.as_bytes(), &root(), b"another manifest"), "does not match");
}

#[test]
fn a_keyless_bundle_without_its_log_is_refused() {
    let none = keyless_with(|bundle| bundle["verificationMaterial"]["tlogEntries"] = serde_json::json!([]));
    fails(verify_keyless(&none, &root(), KEYLESS_SIGNED), "must have an inclusion proof");
    let unproven = keyless_with(|bundle| {
        bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["hashes"] = serde_json::json!([]);
    });
    assert!(verify_keyless(&unproven, &root(), KEYLESS_SIGNED).is_err());
    let unknown = root_with(|root| root["tlogs"] = serde_json::json!([]));
    assert!(verify_keyless(KEYLESS.as_bytes(), &unknown, KEYLESS_SIGNED).is_err());
}

#[test]
fn a_certificate_counts_only_in_its_time_and_from_its_authority() {
    let strangers = root_with(|root| root["certificateAuthorities"] = serde_json::json!([]));
    assert!(verify_keyless(KEYLESS.as_bytes(), &strangers, KEYLESS_SIGNED).is_err());
    let unlogged = root_with(|root| root["ctlogs"] = serde_json::json!([]));
    assert!(verify_keyless(KEYLESS.as_bytes(), &unlogged, KEYLESS_SIGNED).is_err());
    let past = root_with(|root| {
        for authority in root["certificateAuthorities"].as_array_mut().unwrap() {
            authority["validFor"] = serde_json::json!({"start": "2020-01-01T00:00:00Z", "end": "2020-01-02T00:00:00Z"});
        }
    });
    assert!(verify_keyless(KEYLESS.as_bytes(), &past, KEYLESS_SIGNED).is_err());
    // Ten years later: neither is what the log signed.
    let later = keyless_with(|bundle| {
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        let time: i64 = entry["integratedTime"].as_str().unwrap().parse().unwrap();
        entry["integratedTime"] = serde_json::json!((time + 315_360_000).to_string());
    });
    assert!(verify_keyless(&later, &root(), KEYLESS_SIGNED).is_err());
}

#[test]
fn a_signature_that_was_changed_is_refused() {
    let changed = keyless_with(|bundle| {
        let signature = bundle["messageSignature"]["signature"].as_str().unwrap().to_owned();
        let mut bytes = STANDARD.decode(signature).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        bundle["messageSignature"]["signature"] = serde_json::json!(STANDARD.encode(bytes));
    });
    assert!(verify_keyless(&changed, &root(), KEYLESS_SIGNED).is_err());
}
