//! Through a real registry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use distribution::{
    Error, Registries, SbomFormat, SignatureFormat, Signer, SigningKey, Trust, attach_sbom, digest_of, generate_key_pair, pull,
    push, sign, verify,
};

use crate::registry::{PASSWORD, Registry, USER, skopeo};
use crate::{component, none, reference, registries, trust_in};

#[tokio::test]
async fn what_is_pushed_is_pulled_by_tag_and_by_digest_and_a_tag_that_moves_moves_nothing_pinned() {
    let registry = Registry::start();
    let any = Registries::default();
    let name = reference(format!("{}/team/plugin:1.2.0", registry.host));
    let first = push(&any, &name, &component("first"), &none()).await.unwrap();
    let again = push(&any, &name, &component("first"), &none()).await.unwrap();
    assert_eq!(first, again, "the same component has the same digest");

    let pulled = pull(&any, &Trust::unsigned(), &name).await.unwrap();
    assert_eq!((pulled.component.as_slice(), &pulled.reference), (component("first").as_slice(), &first.reference));
    assert_eq!((pulled.signed_by, pulled.sbom), (vec![], None));

    let second = push(&any, &name, &component("second"), &none()).await.unwrap();
    assert_ne!(first.manifest_digest, second.manifest_digest);
    assert_eq!(pull(&any, &Trust::unsigned(), &name).await.unwrap().component, component("second"));
    let pinned = pull(&any, &Trust::unsigned(), &first.reference).await.unwrap();
    assert_eq!((pinned.component, pinned.manifest_digest), (component("first"), first.manifest_digest));
}

#[tokio::test]
async fn other_tools_read_what_is_pushed() {
    let registry = Registry::start();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let annotations = [("org.opencontainers.image.source".to_owned(), "https://git.example/plugin".to_owned())].into();
    let pushed = push(&Registries::default(), &name, &component("a"), &annotations).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let source = format!("docker://{name}");
    let raw = skopeo(&["inspect", "--tls-verify=false", "--raw", &source], folder.path());
    assert_eq!(digest_of(raw.as_bytes()), pushed.manifest_digest);
    let manifest: serde_json::Value = serde_json::from_str(&raw).unwrap();
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    assert_eq!(manifest["layers"][0]["digest"], digest_of(&component("a")));
    assert_eq!(manifest["annotations"]["org.opencontainers.image.source"], "https://git.example/plugin");
    let config = skopeo(&["inspect", "--tls-verify=false", "--raw", "--config", &source], folder.path());
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!((&config["architecture"], &config["os"]), (&"wasm".into(), &"wasip2".into()));
    assert_eq!(config["layerDigests"][0], digest_of(&component("a")));
    assert_eq!(config["component"]["exports"], serde_json::json!([]));
}

#[tokio::test]
async fn a_registry_with_a_lock_opens_to_credentials_alone() {
    let registry = Registry::start_locked();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.json");
    let with = |password: &str| {
        let auth = STANDARD.encode(format!("{USER}:{password}"));
        std::fs::write(&file, serde_json::json!({"auths": {&registry.host: {"auth": auth}}}).to_string()).unwrap();
        Registries { credentials_file: Some(file.clone()), ..Registries::default() }
    };
    let error = push(&Registries::default(), &name, &component("a"), &none()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied { status: 401, why, .. } if why.contains("name a `credentialsFile`")), "{error}");
    let error = push(&with("wrong-password"), &name, &component("a"), &none()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied { status: 401, why, .. } if why.contains("Credential of towpath")), "{error}");
    assert!(!format!("{error:?}").contains("wrong-password"));

    push(&with(PASSWORD), &name, &component("a"), &none()).await.unwrap();
    assert_eq!(pull(&with(PASSWORD), &Trust::unsigned(), &name).await.unwrap().component, component("a"));
    let error = pull(&Registries::default(), &Trust::unsigned(), &name).await.unwrap_err();
    assert!(matches!(error, Error::Denied { status: 401, .. }), "{error}");
}

#[tokio::test]
async fn an_encrypted_registry_is_believed_by_its_authority_alone() {
    let registry = Registry::start_encrypted();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let encrypted = registries(&format!(r#"{{"hosts": {{"{}": {{"plainHttp": false}}}}}}"#, registry.host));
    let believing = Registries { ca_file: Some(registry.authority()), ..encrypted.clone() };
    push(&believing, &name, &component("a"), &none()).await.unwrap();
    assert_eq!(pull(&believing, &Trust::unsigned(), &name).await.unwrap().component, component("a"));
    let stranger = Registry::start_encrypted();
    let strangers = Registries { ca_file: Some(stranger.authority()), ..encrypted };
    let error = pull(&strangers, &Trust::unsigned(), &name).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }) && error.to_string().contains("certificate"), "{error}");
    let error = pull(&Registries::default(), &Trust::unsigned(), &name).await.unwrap_err();
    assert!(error.to_string().contains("400 Bad Request"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_or_no_plugin_is_told() {
    let registry = Registry::start();
    let any = Registries::default();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let error = pull(&any, &Trust::unsigned(), &name).await.unwrap_err();
    assert!(matches!(&error, Error::NotFound { .. }) && error.to_string().contains(&registry.host), "{error}");
    let pinned = reference(format!("{}/team/plugin@{}", registry.host, digest_of(b"nothing")));
    let error = pull(&any, &Trust::unsigned(), &pinned).await.unwrap_err();
    assert!(matches!(&error, Error::NotFound { .. }), "{error}");
    let error = push(&any, &name, &wasm_encoder::Module::new().finish(), &none()).await.unwrap_err();
    assert!(error.to_string().contains("core module"), "{error}");
    assert!(push(&any, &name, b"text", &none()).await.is_err());
    let error = push(&any, &name, &vec![0; distribution::COMPONENT_BYTES_MAX + 1], &none()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
    let error = pull(&any, &Trust::nobody(), &name).await.unwrap_err();
    assert!(matches!(error, Error::NoRule { .. }), "{error}");
}

#[tokio::test]
async fn a_blob_that_was_cut_or_changed_is_refused() {
    let registry = Registry::start();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let any = Registries::default();
    push(&any, &name, &component("whole"), &none()).await.unwrap();
    let file = registry.blob_file(&digest_of(&component("whole")));
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for damaged in [&whole[..whole.len() - 3], flipped.as_slice()] {
        std::fs::write(&file, damaged).unwrap();
        let error = pull(&any, &Trust::unsigned(), &name).await.unwrap_err();
        assert!(matches!(&error, Error::Digest { .. }), "{error}");
        assert!(error.to_string().contains(&digest_of(&component("whole"))), "{error}");
    }
}

#[tokio::test]
async fn only_what_is_signed_by_whom_one_believes_is_pulled() {
    let registry = Registry::start();
    let any = Registries::default();
    let keys = generate_key_pair(b"secret").unwrap();
    let key = SigningKey::from_pem(&keys.private_pem, Some(b"secret")).unwrap();
    let strangers = trust_in(&generate_key_pair(b"").unwrap().public_pem);
    let trust = trust_in(&keys.public_pem);
    for (format, tag) in [(SignatureFormat::Bundle, "bundle"), (SignatureFormat::Simple, "simple")] {
        let name = reference(format!("{}/team/plugin:{tag}", registry.host));
        let pushed = push(&any, &name, &component(tag), &none()).await.unwrap();
        let error = pull(&any, &trust, &name).await.unwrap_err();
        assert!(matches!(error, Error::Unsigned { .. }), "{error}");
        assert_eq!(sign(&any, &name, &key, format).await.unwrap(), pushed.reference);
        // Once more: the second stands beside the first.
        sign(&any, &name, &key, format).await.unwrap();

        let pulled = pull(&any, &trust, &name).await.unwrap();
        assert_eq!(pulled.signed_by, [Signer::Key { name: "release".into() }]);
        assert_eq!(verify(&any, &trust, &name).await.unwrap().1, pulled.signed_by);
        let error = pull(&any, &strangers, &name).await.unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }), "{error}");
        // The tag moves to something unsigned: what was signed before does not vouch for it.
        push(&any, &name, &component("moved"), &none()).await.unwrap();
        assert!(matches!(pull(&any, &trust, &name).await.unwrap_err(), Error::Unsigned { .. }));
        assert_eq!(pull(&any, &trust, &pushed.reference).await.unwrap().component, component(tag));
    }
}

#[tokio::test]
async fn an_attached_list_of_materials_is_read() {
    let registry = Registry::start();
    let any = registries("{}");
    let name = reference(format!("{}/team/plugin:1", registry.host));
    push(&any, &name, &component("a"), &none()).await.unwrap();
    let document = br#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"name": "serde", "version": "1.0.0"}]}"#;
    attach_sbom(&any, &name, document).await.unwrap();
    let sbom = pull(&any, &Trust::unsigned(), &name).await.unwrap().sbom.unwrap();
    assert_eq!((sbom.format, sbom.components[0].name.as_str()), (SbomFormat::CycloneDx, "serde"));
    assert!(attach_sbom(&any, &name, b"{}").await.is_err());
}
