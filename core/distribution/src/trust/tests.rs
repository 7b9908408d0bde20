use super::*;
use crate::digest::digest_of;
use crate::sign::key::{SigningKey, fresh_key};
use crate::sign::{SignatureFormat, sign};

const MANIFEST: &[u8] = b"manifest";
const KEYLESS: &[u8] = include_bytes!("../sign/testdata/cosign-v3-blob.sigstore.json");
const KEYLESS_SIGNED: &[u8] = include_bytes!("../sign/testdata/cosign-v3-blob.txt");

fn reference() -> Reference {
    "registry.example/team/plugin:1".parse().unwrap()
}

/// A trust, written into a folder with the keys of two people and the public root; and the keys.
fn trust(rules: &str) -> (Result<Trust, String>, [SigningKey; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let keys = ["ada", "bob"].map(|name| {
        let key = fresh_key();
        std::fs::write(folder.path().join(format!("{name}.pub")), key.public_pem()).unwrap();
        key
    });
    std::fs::write(folder.path().join("root.json"), include_bytes!("../sign/testdata/trusted_root.json")).unwrap();
    let file = folder.path().join("trust.json");
    let text = format!(
        r#"{{"keys": {{"ada": {{"file": "ada.pub"}}, "bob": {{"file": "bob.pub"}}, "logged": {{"file": "ada.pub", "transparencyLog": true}}}},
            "identities": {{"dev": {{"identity": "*@*", "issuer": "https://github.com/login/oauth"}},
                            "other": {{"identity": "nobody@example.com", "issuer": "https://github.com/login/oauth"}},
                            "issuer": {{"identity": "**", "issuer": "https://accounts.example"}}}},
            "trustRoot": "root.json", "rules": {rules}}}"#
    );
    std::fs::write(&file, text).unwrap();
    (Trust::from_file(&file).map_err(|error| error.to_string()), keys)
}

fn judge(trust: &Trust, found: &[Evidence]) -> Result<Vec<String>, String> {
    let signers = trust.judge(&reference(), found, &digest_of(MANIFEST), MANIFEST).map_err(|error| error.to_string())?;
    Ok(signers.iter().map(ToString::to_string).collect())
}

fn signed(key: &SigningKey, format: SignatureFormat) -> Evidence {
    sign(key, format, "registry.example/team/plugin", &digest_of(MANIFEST)).unwrap()
}

#[test]
fn one_signature_of_somebody_believed_is_enough() {
    let (trust, [ada, bob]) = trust(r#"[{"references": "registry.example/**", "signedBy": ["ada", "dev"]}]"#);
    let trust = trust.unwrap();
    for format in [SignatureFormat::Bundle, SignatureFormat::Simple] {
        assert_eq!(judge(&trust, &[signed(&ada, format)]).unwrap(), ["the key ada"]);
        assert_eq!(judge(&trust, &[signed(&bob, format), signed(&ada, format)]).unwrap(), ["the key ada"]);
        let error = judge(&trust, &[signed(&bob, format)]).unwrap_err();
        assert!(error.contains("by one of ada, dev") && error.contains("ada: "), "{error}");
    }
    let error = judge(&trust, &[]).unwrap_err();
    assert_eq!(error, "registry.example/team/plugin:1 is not signed; the trust asks for a signature by one of: ada, dev");
}

#[test]
fn a_key_whose_log_is_asked_for_needs_it() {
    let (trust, [ada, _]) = trust(r#"[{"references": "**", "signedBy": ["logged"]}]"#);
    let trust = trust.unwrap();
    for format in [SignatureFormat::Bundle, SignatureFormat::Simple] {
        let error = judge(&trust, &[signed(&ada, format)]).unwrap_err();
        assert!(error.contains("log, which is asked for"), "{error}");
    }
}

#[test]
fn a_keyless_signature_counts_for_its_identity_and_issuer_alone() {
    let judge = |rules: &str| {
        let trust = trust(rules).0.unwrap();
        let found = [Evidence::Bundle(KEYLESS.to_vec())];
        trust.judge(&reference(), &found, &digest_of(KEYLESS_SIGNED), KEYLESS_SIGNED).map_err(|error| error.to_string())
    };
    let signers = judge(r#"[{"references": "**", "signedBy": ["dev"]}]"#).unwrap();
    assert!(matches!(&signers[..], [Signer::Identity { name, .. }] if name == "dev"), "{signers:?}");
    let error = judge(r#"[{"references": "**", "signedBy": ["other"]}]"#).unwrap_err();
    assert!(error.contains("not by nobody@example.com"), "{error}");
    let error = judge(r#"[{"references": "**", "signedBy": ["issuer"]}]"#).unwrap_err();
    assert!(error.contains("https://github.com/login/oauth vouched for the signer, not https://accounts.example"), "{error}");
}

#[test]
fn unsigned_is_loaded_only_where_it_was_said() {
    let rules =
        r#"[{"references": "registry.example/team/*", "allowUnsigned": true}, {"references": "**", "signedBy": ["ada"]}]"#;
    let trust = trust(rules).0.unwrap();
    assert_eq!(judge(&trust, &[]).unwrap(), [""; 0]);
    let other: Reference = "registry.example/team/deep/plugin:1".parse().unwrap();
    assert!(trust.judge(&other, &[], &digest_of(MANIFEST), MANIFEST).is_err());
    assert!(judge(&Trust::unsigned(), &[]).is_ok());
    let error = judge(&Trust::nobody(), &[]).unwrap_err();
    assert!(error.contains("no rule of the trust covers registry.example/team/plugin:1"), "{error}");
}

#[test]
fn a_trust_that_says_nothing_or_nonsense_is_refused() {
    for (rules, why) in [
        (r#"[{"references": "**"}]"#, "names nobody"),
        (r#"[{"references": "**", "signedBy": ["eve"]}]"#, "names `eve`; there are: ada, bob, logged, dev"),
        (r#"[{"references": "**", "signed": []}]"#, "unknown field `signed`"),
        (r#"{}"#, "trust.json cannot be used"),
    ] {
        let error = trust(rules).0.unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn stars_stay_inside_of_a_folder_unless_there_are_two() {
    for (pattern, name, expected) in [
        ("a.example/team/*", "a.example/team/plugin", true),
        ("a.example/team/*", "a.example/team/deep/plugin", false),
        ("a.example/**", "a.example/team/deep/plugin", true),
        ("a.example/*/plugin", "a.example/team/plugin", true),
        ("a.example/p*n", "a.example/plugin", true),
        ("a.example/team", "a.example/team2", false),
        ("**", "", true),
        ("*", "a/b", false),
        ("", "a", false),
        ("a.example/**", "evil.example/a.example/x", false),
    ] {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }
}
