//! Keyless signatures through a real registry: an authority vouches for somebody, two logs have seen it, and everything is verified
//! offline against a trust root. Keys whose signatures must be in the log as well.

use std::path::Path;

use distribution::{Error, Folder, Reference, Registries, SignatureFormat, Signer, SigningKey, Trust, digest_of, load, pull};
use serde_json::{Value, json};

use crate::cosign::cosign;
use crate::registry::Registry;
use crate::sigstore::{BUNDLE_TYPE, IDENTITY, ISSUER, Sigstore};
use crate::{component, none, reference};

/// Puts a bundle into a folder of plugins as an artifact that is attached to a manifest, as cosign does in a registry.
fn attach(folder: &Path, manifest_digest: &str, bundle: &[u8]) {
    let blob = |bytes: &[u8]| {
        let digest = digest_of(bytes);
        let path = folder.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap());
        std::fs::write(path, bytes).unwrap();
        json!({ "digest": digest, "size": bytes.len() })
    };
    let typed = |mut descriptor: Value, kind: &str| {
        descriptor["mediaType"] = kind.into();
        descriptor
    };
    let subject = std::fs::read(folder.join("blobs/sha256").join(manifest_digest.strip_prefix("sha256:").unwrap())).unwrap();
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": manifest_type,
        "artifactType": BUNDLE_TYPE,
        "config": typed(blob(b"{}"), "application/vnd.oci.empty.v1+json"),
        "layers": [typed(blob(bundle), BUNDLE_TYPE)],
        "subject": { "mediaType": manifest_type, "digest": manifest_digest, "size": subject.len() },
    });
    let entry = typed(blob(manifest.to_string().as_bytes()), manifest_type);
    let index = folder.join("index.json");
    let mut read: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    read["manifests"].as_array_mut().unwrap().push(entry);
    std::fs::write(index, read.to_string()).unwrap();
}

/// Adds a certificate to the simple signature in a folder, which makes it one of the older keyless format.
fn certify(folder: &Path) {
    let index = folder.join("index.json");
    let mut read: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let blob = |digest: &str| folder.join("blobs/sha256").join(digest.strip_prefix("sha256:").unwrap());
    let mut certified = 0;
    for entry in read["manifests"].as_array_mut().unwrap() {
        let mut manifest: Value =
            serde_json::from_slice(&std::fs::read(blob(entry["digest"].as_str().unwrap())).unwrap()).unwrap();
        if manifest["layers"][0]["mediaType"] != "application/vnd.dev.cosign.simplesigning.v1+json" {
            continue;
        }
        manifest["layers"][0]["annotations"]["dev.sigstore.cosign/certificate"] = "-----BEGIN CERTIFICATE-----".into();
        let bytes = manifest.to_string();
        entry["digest"] = digest_of(bytes.as_bytes()).into();
        entry["size"] = bytes.len().into();
        std::fs::write(blob(entry["digest"].as_str().unwrap()), bytes).unwrap();
        certified += 1;
    }
    assert_eq!(certified, 1, "{read}");
    std::fs::write(index, read.to_string()).unwrap();
}

/// Publishes a component with such a bundle in a registry, and returns its digest.
async fn published(name: &Reference, what: &str, sign: impl FnOnce(&str) -> Vec<u8>) -> String {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::at(place.path());
    let pushed = folder.push(name, &component(what), &none()).await.unwrap();
    attach(place.path(), &pushed.manifest_digest, &sign(&pushed.manifest_digest));
    load(&folder, &Registries::default(), name).await.unwrap();
    pushed.manifest_digest
}

/// Writes a trust with this root and these signers beside it, and reads it.
fn trust(folder: &Path, root: &Value, signers: &Value) -> Trust {
    std::fs::write(folder.join("root.json"), root.to_string()).unwrap();
    let names: Vec<_> =
        ["keys", "identities"].iter().flat_map(|kind| signers[kind].as_object()).flatten().map(|(name, _)| name).collect();
    let mut text = json!({ "trustRoot": "root.json", "rules": [{ "references": "**", "signedBy": names }] });
    for kind in ["keys", "identities"] {
        if !signers[kind].is_null() {
            text[kind] = signers[kind].clone();
        }
    }
    let file = folder.join("trust.json");
    std::fs::write(&file, text.to_string()).unwrap();
    Trust::from_file(&file).unwrap()
}

fn somebody(identity: &str, issuer: &str) -> Value {
    json!({ "identities": { "dev": { "identity": identity, "issuer": issuer } } })
}

#[tokio::test]
async fn a_keyless_signature_is_pulled_through_a_registry_and_believed_for_its_identity_alone() {
    let (registry, place, sigstore) = (Registry::start(), tempfile::tempdir().unwrap(), Sigstore::new());
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let any = Registries::default();
    published(&name, "keyless", |digest| sigstore.sign(digest)).await;
    let root = sigstore.trust_root();
    let pulled = pull(&any, &trust(place.path(), &root, &somebody("*@example.com", ISSUER)), &name).await.unwrap();
    let signer = Signer::Identity { name: "dev".to_owned(), identity: IDENTITY.to_owned(), issuer: ISSUER.to_owned() };
    assert_eq!((pulled.component, pulled.signed_by), (component("keyless"), vec![signer]));
    for (who, why) in [
        (somebody("ops@example.com", ISSUER), "it is signed by dev@example.com, not by ops@example.com"),
        (somebody("**", "https://accounts.example"), "https://issuer.example vouched for the signer"),
    ] {
        let error = pull(&any, &trust(place.path(), &root, &who), &name).await.unwrap_err();
        let Error::Untrusted { problems, .. } = &error else { panic!("{error:?}") };
        assert!(problems[0].contains(why), "{problems:?}");
    }
    // The same words of another authority, and of other logs.
    let strangers = Sigstore::new().trust_root();
    for part in ["certificateAuthorities", "ctlogs", "tlogs"] {
        let mut mixed = root.clone();
        mixed[part] = strangers[part].clone();
        let error = pull(&any, &trust(place.path(), &mixed, &somebody("**", ISSUER)), &name).await.unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }), "{part}: {error:?}");
    }
}

#[tokio::test]
async fn a_keyless_signature_of_another_manifest_is_none_of_this_one() {
    let (registry, place, sigstore) = (Registry::start(), tempfile::tempdir().unwrap(), Sigstore::new());
    let name = reference(format!("{}/team/plugin:1", registry.host));
    published(&name, "this", |_| sigstore.sign(&digest_of(b"another"))).await;
    let trust = trust(place.path(), &sigstore.trust_root(), &somebody("**", ISSUER));
    let error = pull(&Registries::default(), &trust, &name).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
}

#[tokio::test]
async fn the_older_keyless_format_is_refused_by_its_name_and_a_key_beside_a_certificate_counts() {
    let (registry, place) = (Registry::start(), tempfile::tempdir().unwrap());
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let key = rcgen::KeyPair::generate().unwrap();
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str| files.path().join(name);
    std::fs::write(file("release.pub"), key.public_key_pem()).unwrap();
    std::fs::write(file("other.pub"), rcgen::KeyPair::generate().unwrap().public_key_pem()).unwrap();
    let folder = Folder::at(place.path());
    folder.push(&name, &component("older"), &none()).await.unwrap();
    let key = SigningKey::from_pem(&key.serialize_pem(), None).unwrap();
    folder.sign(&name, &key, SignatureFormat::Simple).await.unwrap();
    certify(place.path());
    load(&folder, &Registries::default(), &name).await.unwrap();
    let root = Sigstore::new().trust_root();
    let keyed = |name: &str| json!({ "keys": { "release": { "file": name } } });
    for who in [somebody("**", ISSUER), keyed("other.pub")] {
        let error = pull(&Registries::default(), &trust(files.path(), &root, &who), &name).await.unwrap_err();
        let Error::Untrusted { problems, .. } = &error else { panic!("{error:?}") };
        let why = "is the older keyless format, which is not read: sign again into a bundle";
        assert!(problems[0].contains(why), "{problems:?}");
    }
    let pulled = pull(&Registries::default(), &trust(files.path(), &root, &keyed("release.pub")), &name).await.unwrap();
    assert_eq!(pulled.signed_by, [Signer::Key { name: "release".to_owned() }]);
}

#[tokio::test]
async fn a_key_whose_signature_must_be_in_the_log_is_believed_when_it_is() {
    let (registry, place, sigstore) = (Registry::start(), tempfile::tempdir().unwrap(), Sigstore::new());
    let any = Registries::default();
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(place.path().join("release.pub"), key.public_key_pem()).unwrap();
    let logged = json!({ "keys": { "release": { "file": "release.pub", "transparencyLog": true } } });
    let name = reference(format!("{}/team/plugin:logged", registry.host));
    published(&name, "logged", |digest| sigstore.sign_with(digest, &key)).await;
    let root = sigstore.trust_root();
    let pulled = pull(&any, &trust(place.path(), &root, &logged), &name).await.unwrap();
    assert_eq!(pulled.signed_by, [Signer::Key { name: "release".to_owned() }]);
    let strangers = trust(place.path(), &Sigstore::new().trust_root(), &logged);
    assert!(matches!(pull(&any, &strangers, &name).await.unwrap_err(), Error::Untrusted { .. }), "another log");
    let other = rcgen::KeyPair::generate().unwrap();
    let name = reference(format!("{}/team/plugin:other", registry.host));
    published(&name, "other", |digest| sigstore.sign_with(digest, &other)).await;
    let error = pull(&any, &trust(place.path(), &root, &logged), &name).await.unwrap_err();
    assert!(matches!(error, Error::Untrusted { .. }), "another key: {error:?}");
}

#[tokio::test]
async fn cosign_believes_the_same_keyless_signature_by_the_same_root() {
    let (registry, place, sigstore) = (Registry::start(), tempfile::tempdir().unwrap(), Sigstore::new());
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let digest = published(&name, "keyless", |digest| sigstore.sign(digest)).await;
    std::fs::write(place.path().join("root.json"), sigstore.trust_root().to_string()).unwrap();
    let verify = |identity: &str| {
        let image = format!("{}@{digest}", name.name());
        let who = ["--certificate-identity", identity, "--certificate-oidc-issuer", ISSUER];
        let how = ["--trusted-root", "root.json", "--new-bundle-format=true", "--allow-http-registry", "--offline=true"];
        cosign(&[&["verify"], &who[..], &how[..], &[image.as_str()]].concat(), place.path())
    };
    let (agreed, said) = verify(IDENTITY);
    assert!(agreed && said.contains(&digest), "{said}");
    assert!(!verify("ops@example.com").0, "somebody else");
}
