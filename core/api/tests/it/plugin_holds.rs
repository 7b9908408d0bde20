//! A plugin is removed while something is about to use it: one of the two gives way, whichever comes first.

use model::Timestamp;
use tonic::Status;
use towpath_proto::v1;

use crate::support::{ENVIRONMENT, PATH, PATIENCE, Rig, apply, code, release, service, start};

/// A rig whose one path is watched by an installed plugin, with that plugin's digest.
async fn furnished() -> (Rig, String) {
    let rig = Rig::start().await;
    let digest = install(&rig).await.digest;
    rig.paths().publish(apply(&PATH.replace("use: health-http", "use: queue"))).await.unwrap();
    rig.environments().apply(apply(ENVIRONMENT)).await.unwrap();
    rig.services().apply(apply(&service("quick", "20ms"))).await.unwrap();
    (rig, digest)
}

async fn install(rig: &Rig) -> v1::Plugin {
    let request = v1::InstallPluginRequest { reference: "/srv/queue-http.wasm".to_owned(), ..Default::default() };
    rig.plugins().install(request).await.unwrap().into_inner()
}

async fn remove(rig: &Rig, force: bool) -> Result<(), Status> {
    let request = v1::RemovePluginRequest { name: "queue".to_owned(), force };
    rig.plugins().remove(request).await.map(drop)
}

/// Writes a word into the catalog as another server would in the middle of its work.
async fn say(rig: &Rig, kind: &str, key: &str, at: Timestamp) {
    rig.store.put(kind, key, r#"{"form": 1, "by": "another server"}"#, Some(0), at).await.unwrap();
}

/// An instant at which everybody who said something then is long dead.
const LONG_AGO: Timestamp = Timestamp(1);

async fn just_now(rig: &Rig) -> Timestamp {
    rig.store.leases().await.unwrap().now
}

#[tokio::test]
async fn a_plugin_that_is_removed_while_a_release_is_made_is_in_no_release() {
    let (rig, _) = furnished().await;
    let closed = rig.world.import.close().await;
    let mut releases = rig.releases();
    let making = tokio::spawn(async move { releases.create(release("quick", "v1")).await });
    // It has looked up the digest, and has not written it down.
    tokio::time::timeout(PATIENCE, rig.world.import.wait_for_somebody()).await.expect("the release is being made");
    remove(&rig, false).await.unwrap();
    drop(closed);
    let refused = making.await.unwrap().unwrap_err();
    assert!(code(&refused) == "TP0607" && refused.message().contains("a moment ago"), "{refused}");
    assert_eq!(rig.store.list("release", "").await.unwrap(), [], "nothing pins what is gone");
    assert_eq!(rig.store.list("plugin-hold", "").await.unwrap(), [], "nothing is held for a release that is not made");
    install(&rig).await;
    rig.release("quick", "v1").await;
    rig.stop().await;
}

#[tokio::test]
async fn a_plugin_that_is_removed_while_a_deployment_is_started_is_in_no_deployment() {
    let (rig, _) = furnished().await;
    rig.release("quick", "v1").await;
    let closed = rig.world.describe.close().await;
    let mut deployments = rig.deployments();
    let starting = tokio::spawn(async move { deployments.start(start("quick", "v1")).await });
    // It has looked up the digest, and has not written it down.
    tokio::time::timeout(PATIENCE, rig.world.describe.wait_for_somebody()).await.expect("the deployment is being started");
    remove(&rig, true).await.unwrap();
    drop(closed);
    let refused = starting.await.unwrap().unwrap_err();
    assert!(code(&refused) == "TP0607" && refused.message().contains("a moment ago"), "{refused}");
    assert_eq!(rig.deployments().list(v1::ListDeploymentsRequest::default()).await.unwrap().into_inner().deployments, []);
    rig.stop().await;
}

#[tokio::test]
async fn what_is_held_is_not_removed_and_what_is_being_removed_is_not_used() {
    let (rig, digest) = furnished().await;
    rig.release("quick", "v1").await;
    // Another server is about to start a deployment.
    say(&rig, "plugin-hold", &format!("{digest}/1-00"), just_now(&rig).await).await;
    let refused = remove(&rig, true).await.unwrap_err();
    assert!(code(&refused) == "TP0622" && refused.message().contains("another server"), "{refused}");
    assert_eq!(rig.store.list("plugin-removal", "").await.unwrap(), [], "the removal is off");
    rig.store.remove("plugin-hold", &format!("{digest}/1-00")).await.unwrap();
    // Another server is about to remove it.
    say(&rig, "plugin-removal", &digest, just_now(&rig).await).await;
    let refused = [
        rig.deployments().start(start("quick", "v1")).await.unwrap_err(),
        rig.releases().create(release("quick", "v2")).await.unwrap_err(),
        remove(&rig, true).await.unwrap_err(),
    ];
    for refused in refused {
        assert!(refused.message().contains("is being removed"), "{refused}");
    }
    assert_eq!(rig.store.list("plugin-hold", "").await.unwrap(), []);
    rig.store.remove("plugin-removal", &digest).await.unwrap();
    // Whoever died over it stands in nobody's way for ever.
    say(&rig, "plugin-removal", &digest, LONG_AGO).await;
    say(&rig, "plugin-hold", &format!("{digest}/1-00"), LONG_AGO).await;
    let id = rig.deploy("quick", "v1").await;
    assert_eq!(rig.end_of(&id).await.phase, "succeeded");
    remove(&rig, true).await.unwrap();
    for kind in ["plugin-hold", "plugin-removal", "plugin"] {
        assert_eq!(rig.store.list(kind, "").await.unwrap(), [], "{kind}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn an_environment_whose_target_it_is_keeps_a_plugin() {
    let rig = Rig::start().await;
    install(&rig).await;
    rig.environments().apply(apply(&ENVIRONMENT.replace("target-local", "queue"))).await.unwrap();
    for force in [false, true] {
        let refused = remove(&rig, force).await.unwrap_err();
        assert!(code(&refused) == "TP0622" && refused.message().contains("environment local"), "{refused}");
    }
    rig.environments().apply(apply(ENVIRONMENT)).await.unwrap();
    remove(&rig, false).await.unwrap();
    rig.stop().await;
}
