//! Folders that travel where no network goes.

use distribution::{
    Folder, Registries, SignatureFormat, SigningKey, Trust, digest_of, generate_key_pair, load, pull, push, save, sign,
};

use crate::registry::{Registry, skopeo};
use crate::{component, none, reference, trust_in};

#[tokio::test]
async fn a_plugin_goes_from_registry_to_folder_to_registry_with_its_signatures() {
    let (here, there) = (Registry::start(), Registry::start());
    let any = Registries::default();
    let keys = generate_key_pair(b"").unwrap();
    let key = SigningKey::from_pem(&keys.private_pem, Some(b"")).unwrap();
    let trust = trust_in(&keys.public_pem);
    for format in [SignatureFormat::Bundle, SignatureFormat::Simple] {
        let tag = format!("{format:?}").to_lowercase();
        let name = reference(format!("{}/team/plugin:{tag}", here.host));
        push(&any, &name, &component(&tag), &none()).await.unwrap();
        sign(&any, &name, &key, format).await.unwrap();
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        save(&any, &name, &folder).await.unwrap();
        let pulled = folder.pull(&trust, &name).await.unwrap();
        assert_eq!((pulled.component.as_slice(), pulled.signed_by.len()), (component(&tag).as_slice(), 1));

        // The folder is loaded under the name that it was saved with; a copy of it under the other's.
        let other = reference(name.to_string().replace(&here.host, &there.host));
        let index = place.path().join("index.json");
        let text = std::fs::read_to_string(&index).unwrap();
        std::fs::write(&index, text.replace(&here.host, &there.host)).unwrap();
        load(&folder, &any, &other).await.unwrap();
        assert_eq!(pull(&any, &trust, &other).await.unwrap().component, component(&tag));
    }
}

#[tokio::test]
async fn other_tools_read_folders_and_write_such_that_are_read() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::at(place.path().join("ours"));
    let name = reference("registry.example/team/plugin:1");
    let pushed = folder.push(&name, &component("a"), &none()).await.unwrap();
    let raw = skopeo(&["inspect", "--raw", "oci:ours:registry.example/team/plugin:1"], place.path());
    assert_eq!(digest_of(raw.as_bytes()), pushed.manifest_digest);

    let registry = Registry::start();
    let to = format!("docker://{}/team/plugin:1", registry.host);
    let from = "oci:ours:registry.example/team/plugin:1";
    skopeo(&["--insecure-policy", "copy", "--dest-tls-verify=false", "--preserve-digests", from, &to], place.path());
    let copied = pull(&Registries::default(), &Trust::unsigned(), &reference(&to["docker://".len()..])).await.unwrap();
    assert_eq!(copied.manifest_digest, pushed.manifest_digest);
    skopeo(&["--insecure-policy", "copy", "--src-tls-verify=false", "--preserve-digests", &to, "oci:theirs:1"], place.path());
    let theirs = Folder::at(place.path().join("theirs"));
    assert_eq!(theirs.pull(&Trust::unsigned(), &name).await.unwrap().component, component("a"));
}

#[tokio::test]
async fn a_folder_is_written_again_and_signed_in_place() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::at(place.path());
    let name = reference("registry.example/team/plugin:1");
    assert!(folder.pull(&Trust::unsigned(), &name).await.unwrap_err().to_string().contains("no index.json"));
    let first = folder.push(&name, &component("first"), &none()).await.unwrap();
    folder.push(&name, &component("second"), &none()).await.unwrap();
    assert_eq!(folder.names().await.unwrap(), ["registry.example/team/plugin:1"]);
    assert_eq!(folder.pull(&Trust::unsigned(), &name).await.unwrap().component, component("second"));
    assert_eq!(folder.pull(&Trust::unsigned(), &first.reference).await.unwrap().component, component("first"));

    let keys = generate_key_pair(b"").unwrap();
    let key = SigningKey::from_pem(&keys.private_pem, Some(b"")).unwrap();
    let trust = trust_in(&keys.public_pem);
    assert!(folder.verify(&trust, &name).await.is_err());
    folder.sign(&name, &key, SignatureFormat::Bundle).await.unwrap();
    assert_eq!(folder.verify(&trust, &name).await.unwrap().1.len(), 1);

    let layer = digest_of(&component("second"));
    let blob = place.path().join("blobs/sha256").join(layer.strip_prefix("sha256:").unwrap());
    std::fs::write(blob, component("other")).unwrap();
    let error = folder.pull(&trust, &name).await.unwrap_err().to_string();
    assert!(error.contains(&layer) && error.contains(&digest_of(&component("other"))), "{error}");
}
