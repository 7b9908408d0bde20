//! Signatures, as cosign itself makes and judges them.

use std::path::Path;
use std::process::Command;

use distribution::{Error, Reference, Registries, SignatureFormat, Signer, SigningKey, generate_key_pair, pull, push, sign};

use crate::registry::Registry;
use crate::{component, none, reference, trust_in};

const PASSWORD: &str = "not-a-secret";

/// Runs cosign in a folder with its keys, with no way to any network but loopback; returns whether it agreed, and what it said.
pub(crate) fn cosign(arguments: &[&str], folder: &Path) -> (bool, String) {
    let ran = Command::new("cosign")
        .args(arguments)
        .current_dir(folder)
        .env("HOME", folder)
        .env("COSIGN_PASSWORD", PASSWORD)
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .output();
    let ran = ran.expect("cosign is there: .ci/setup tests");
    let said = [ran.stdout, ran.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).join("\n");
    (ran.status.success(), said)
}

fn newer(format: SignatureFormat) -> &'static str {
    match format {
        SignatureFormat::Bundle => "--new-bundle-format=true",
        SignatureFormat::Simple => "--new-bundle-format=false",
    }
}

fn verified_by_cosign(key: &str, format: SignatureFormat, name: &Reference, folder: &Path) -> (bool, String) {
    let name = name.to_string();
    cosign(&["verify", "--key", key, "--insecure-ignore-tlog", "--allow-http-registry", newer(format), &name], folder)
}

#[tokio::test]
async fn cosign_verifies_what_is_signed_here() {
    let registry = Registry::start();
    let any = Registries::default();
    let folder = tempfile::tempdir().unwrap();
    let keys = generate_key_pair(PASSWORD.as_bytes()).unwrap();
    std::fs::write(folder.path().join("ours.pub"), &keys.public_pem).unwrap();
    std::fs::write(folder.path().join("other.pub"), generate_key_pair(b"").unwrap().public_pem).unwrap();
    let key = SigningKey::from_pem(&keys.private_pem, Some(PASSWORD.as_bytes())).unwrap();
    for (format, tag) in [(SignatureFormat::Bundle, "bundle"), (SignatureFormat::Simple, "simple")] {
        let name = reference(format!("{}/team/plugin:{tag}", registry.host));
        let pushed = push(&any, &name, &component(tag), &none()).await.unwrap();
        assert!(!verified_by_cosign("ours.pub", format, &name, folder.path()).0, "it is not signed yet");
        sign(&any, &name, &key, format).await.unwrap();
        let (agreed, said) = verified_by_cosign("ours.pub", format, &name, folder.path());
        assert!(agreed && said.contains(&pushed.manifest_digest), "{said}");
        assert!(!verified_by_cosign("other.pub", format, &name, folder.path()).0, "another key");
    }
}

#[tokio::test]
async fn what_cosign_signs_is_verified_here() {
    let registry = Registry::start();
    let any = Registries::default();
    let folder = tempfile::tempdir().unwrap();
    let (made, said) = cosign(&["generate-key-pair"], folder.path());
    assert!(made, "{said}");
    let trust = trust_in(&std::fs::read_to_string(folder.path().join("cosign.pub")).unwrap());
    let strangers = trust_in(&generate_key_pair(b"").unwrap().public_pem);
    for (format, tag) in [(SignatureFormat::Bundle, "bundle"), (SignatureFormat::Simple, "simple")] {
        let name = reference(format!("{}/team/plugin:{tag}", registry.host));
        let pinned = push(&any, &name, &component(tag), &none()).await.unwrap().reference;
        let unlogged =
            ["sign", "--key", "cosign.key", "--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry", "-y"];
        let image = format!("{}@{}", pinned.name(), pinned.digest().unwrap());
        let (signed, said) = cosign(&[unlogged.as_slice(), &[newer(format), image.as_str()]].concat(), folder.path());
        assert!(signed, "{said}");
        let pulled = pull(&any, &trust, &name).await.unwrap();
        assert_eq!(pulled.signed_by, [Signer::Key { name: "release".into() }]);
        assert!(matches!(pull(&any, &strangers, &name).await.unwrap_err(), Error::Untrusted { .. }));
    }
    // The key file that cosign wrote signs here as well.
    let pem = std::fs::read_to_string(folder.path().join("cosign.key")).unwrap();
    assert!(SigningKey::from_pem(&pem, Some(PASSWORD.as_bytes())).is_ok());
}

/// Writes a private key that is not of cosign's own kind into `KIND.pem`, and has cosign take it over.
fn imported(kind: &str, folder: &Path) {
    let file = folder.join(format!("{kind}.pem"));
    match kind {
        "rsa" => {
            let mut made = Command::new("ssh-keygen");
            made.args(["-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f"]).arg(&file);
            assert!(made.status().expect("ssh-keygen is there: .ci/setup tests").success());
        }
        _ => {
            let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
            std::fs::write(&file, key.serialize_pem()).unwrap();
        }
    }
    let (taken, said) = cosign(&["import-key-pair", "--key", &format!("{kind}.pem"), "--output-key-prefix", kind, "-y"], folder);
    assert!(taken, "{said}");
}

#[tokio::test]
async fn what_is_signed_with_keys_of_other_kinds_is_verified_here() {
    let registry = Registry::start();
    let any = Registries::default();
    let folder = tempfile::tempdir().unwrap();
    for kind in ["rsa", "ed25519"] {
        imported(kind, folder.path());
        let public = std::fs::read_to_string(folder.path().join(format!("{kind}.pub"))).unwrap();
        for format in [SignatureFormat::Bundle, SignatureFormat::Simple] {
            let name = reference(format!("{}/team/plugin:{kind}-{format:?}", registry.host));
            let pinned = push(&any, &name, &component(&format!("{kind}{format:?}")), &none()).await.unwrap().reference;
            let image = format!("{}@{}", pinned.name(), pinned.digest().unwrap());
            let key = format!("{kind}.key");
            let unlogged =
                ["sign", "--key", &key, "--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry", "-y"];
            let (signed, said) = cosign(&[unlogged.as_slice(), &[newer(format), image.as_str()]].concat(), folder.path());
            assert!(signed, "{said}");
            let pulled = pull(&any, &trust_in(&public), &name).await;
            let pulled = pulled.unwrap_or_else(|error| panic!("{kind} {format:?}: {error:?}"));
            assert_eq!(pulled.signed_by, [Signer::Key { name: "release".into() }]);
        }
        // Such a key verifies here, and signs elsewhere.
        let pem = std::fs::read_to_string(folder.path().join(format!("{kind}.key"))).unwrap();
        let error = SigningKey::from_pem(&pem, Some(PASSWORD.as_bytes())).unwrap_err().to_string();
        assert!(error.contains("P-256"), "{kind}: {error}");
    }
}
