//! Mirrors and registries that lie or stumble.

use std::sync::atomic::{AtomicU32, Ordering};

use distribution::{Error, Registries, Trust, digest_of, pull, push};

use crate::liar::{Liar, answer, with_header};
use crate::registry::Registry;
use crate::{component, none, reference, registries};

#[tokio::test]
async fn a_mirror_that_lies_is_passed_over() {
    let registry = Registry::start();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    push(&Registries::default(), &name, &component("true"), &none()).await.unwrap();
    let liar = Liar::start(|_, _| answer(200, component("false"))).await;
    let mirrored = registries(&format!(r#"{{"hosts": {{"{}": {{"mirrors": ["{}"]}}}}}}"#, registry.host, liar.host));
    let pulled = pull(&mirrored, &Trust::unsigned(), &name).await.unwrap();
    assert_eq!(pulled.component, component("true"));
    assert!(liar.times_asked("/blobs/") > 0 && liar.times_asked("/manifests/sha256") > 0);
    assert_eq!(liar.times_asked("/manifests/1"), 0, "what a tag is, is the registry's to say");
}

#[tokio::test]
async fn a_mirror_stands_in_for_a_registry_that_is_out_of_reach() {
    let mirror = Registry::start();
    let stored =
        push(&Registries::default(), &reference(format!("{}/copies/team/plugin:1", mirror.host)), &component("a"), &none())
            .await
            .unwrap();
    // A port that nobody listens on: it was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mirrored = registries(&format!(r#"{{"hosts": {{"{gone}": {{"mirrors": ["{}/copies"]}}}}}}"#, mirror.host));
    let pulled = pull(&mirrored, &Trust::unsigned(), &reference(format!("{gone}/team/plugin:1"))).await.unwrap();
    assert_eq!((pulled.component, pulled.manifest_digest), (component("a"), stored.manifest_digest));
}

#[tokio::test]
async fn when_all_lie_the_digests_are_told() {
    let liar = Liar::start(|_, _| answer(200, "something else")).await;
    let wanted = digest_of(b"what was asked for");
    let name = reference(format!("{}/team/plugin@{wanted}", liar.host));
    let error = pull(&Registries::default(), &Trust::unsigned(), &name).await.unwrap_err();
    assert!(matches!(&error, Error::Digest { .. }), "{error}");
    assert!(error.to_string().contains(&wanted) && error.to_string().contains(&digest_of(b"something else")), "{error}");
}

#[tokio::test]
async fn a_registry_that_stumbles_is_asked_again() {
    let count = AtomicU32::new(0);
    let liar = Liar::start(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => answer(503, "busy"),
        1 => with_header(429, "retry-after", "0"),
        _ => answer(404, "no such thing"),
    })
    .await;
    let error = pull(&Registries::default(), &Trust::unsigned(), &reference(format!("{}/a:1", liar.host))).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    assert_eq!(liar.times_asked("/manifests/1"), 3);

    let broken = Liar::start(|_, _| answer(500, "broken\u{7}")).await;
    let error = pull(&Registries::default(), &Trust::unsigned(), &reference(format!("{}/a:1", broken.host))).await.unwrap_err();
    assert!(
        error.to_string().contains("500 Internal Server Error: broken") && broken.times_asked("/manifests/1") == 4,
        "{error}"
    );
}

#[tokio::test]
async fn more_than_is_taken_is_not_read() {
    let liar = Liar::start(|_, _| answer(200, vec![b' '; 2 * 1024 * 1024])).await;
    let error = pull(&Registries::default(), &Trust::unsigned(), &reference(format!("{}/a:1", liar.host))).await.unwrap_err();
    assert!(matches!(&error, Error::TooLarge { limit: 1_048_576, .. }), "{error}");
}

#[tokio::test]
async fn nobody_is_followed_out_of_encryption() {
    let realm = r#"Bearer realm="http://auth.example/token""#;
    let liar = Liar::start(move |_, _| with_header(401, "www-authenticate", realm)).await;
    let error = pull(&Registries::default(), &Trust::unsigned(), &reference(format!("{}/a:1", liar.host))).await.unwrap_err();
    assert!(error.to_string().contains("http://auth.example, which is not encrypted"), "{error}");
}

#[tokio::test]
async fn an_index_leads_to_its_one_entry_for_wasm_or_names_them_all() {
    let registry = Registry::start();
    let name = reference(format!("{}/team/plugin:1", registry.host));
    let pushed = push(&Registries::default(), &name, &component("a"), &none()).await.unwrap();
    let entry = |architecture: &str, digest: &str| {
        serde_json::json!({"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1,
            "platform": {"architecture": architecture, "os": "wasip2"}})
    };
    let other = digest_of(b"other");
    for (second, found) in [("amd64", true), ("wasm", false)] {
        let manifests = [entry("wasm", &pushed.manifest_digest), entry(second, &other)];
        let index = serde_json::json!({"schemaVersion": 2, "manifests": manifests}).to_string();
        let liar = Liar::start(move |path, _| {
            if path.ends_with("/manifests/1") || path.contains(&digest_of(index.as_bytes())) {
                answer(200, index.clone())
            } else {
                answer(404, "")
            }
        })
        .await;
        let mirrored = registries(&format!(r#"{{"hosts": {{"{}": {{"mirrors": ["{}"]}}}}}}"#, liar.host, registry.host));
        let pulled = pull(&mirrored, &Trust::unsigned(), &reference(format!("{}/team/plugin:1", liar.host))).await;
        match pulled {
            Ok(pulled) if found => assert_eq!(pulled.manifest_digest, pushed.manifest_digest),
            Err(error) if !found => {
                assert!(error.to_string().contains(&other) && error.to_string().contains("2 entries"), "{error}")
            }
            unexpected => panic!("{unexpected:?}"),
        }
    }
}
