//! Plugins are installed, granted powers, upgraded and removed; every act is written down.

use tonic::Code;
use towpath_proto::v1;

use crate::support::{Rig, code};

async fn install(rig: &Rig, reference: &str) -> v1::Plugin {
    let request = v1::InstallPluginRequest { reference: reference.to_owned(), name: "queue".to_owned(), ..Default::default() };
    rig.plugins().install(request).await.unwrap().into_inner()
}

async fn grant(rig: &Rig, name: &str, powers: &str) -> Result<v1::Plugin, tonic::Status> {
    let (name, powers, environment) = (name.to_owned(), powers.to_owned(), "quick".to_owned());
    let request = v1::GrantPluginRequest { name, environment, powers, reason: "to try it".to_owned(), expires_at_ms: 0 };
    rig.plugins().grant(request).await.map(tonic::Response::into_inner)
}

async fn get(rig: &Rig, name: &str) -> Result<v1::Plugin, tonic::Status> {
    rig.plugins().get(v1::GetRequest { name: name.to_owned() }).await.map(tonic::Response::into_inner)
}

async fn acts(rig: &Rig) -> Vec<String> {
    let entries = rig.store.list("plugin-record", "queue/").await.unwrap();
    let acts = entries.iter().map(|entry| serde_json::from_str::<serde_json::Value>(&entry.document).unwrap());
    acts.map(|record| format!("{} by {}", record["act"].as_str().unwrap(), record["by"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn what_asks_for_no_more_takes_over_and_what_asks_for_more_waits() {
    let rig = Rig::start().await;
    let check = v1::InstallPluginRequest { reference: "/srv/queue-http.wasm".to_owned(), check_only: true, ..Default::default() };
    let shown = rig.plugins().install(check).await.unwrap().into_inner();
    assert_eq!((shown.name.as_str(), shown.new_powers.as_slice()), ("queue", ["http".to_owned()].as_slice()));
    assert_eq!(code(&get(&rig, "queue").await.unwrap_err()), "TP0111", "looking at it installs nothing");
    let first = install(&rig, "/srv/queue-http.wasm").await;
    assert_eq!((first.state.as_str(), first.installed_by.as_str()), ("current", "user:ada"));
    grant(&rig, "queue", r#"{"runtime": true}"#).await.unwrap();
    let second = install(&rig, "/srv/queue-http-.wasm").await;
    assert_eq!(second.state, "waiting", "it asks for a power without a name");
    let third = install(&rig, "/srv/queue.wasm").await;
    assert_eq!(
        (third.state.as_str(), third.grants.len()),
        ("current", 1),
        "it asks for less, and has the grants of the one before"
    );
    let pinned = get(&rig, &format!("queue@{}", first.digest)).await.unwrap();
    assert_eq!(pinned.state, "waiting", "the older one asks for more than the one that stands for the name");
    assert_eq!(get(&rig, "queue").await.unwrap().digest, third.digest);
    let approve = v1::GetRequest { name: format!("queue@{}", second.digest) };
    let approved = rig.plugins().approve(approve).await.unwrap().into_inner();
    assert_eq!((approved.state.as_str(), approved.grants.len()), ("current", 1));
    let names = ["install", "grant", "install", "install", "approve"].map(|act| format!("{act} by user:ada"));
    assert_eq!(acts(&rig).await, names);
    // Again changes nothing.
    install(&rig, "/srv/queue-http-.wasm").await;
    assert_eq!(acts(&rig).await.len(), 5);
    rig.stop().await;
}

#[tokio::test]
async fn grants_are_given_shown_and_taken_back() {
    let rig = Rig::start().await;
    install(&rig, "/srv/queue-http.wasm").await;
    let granted = grant(&rig, "queue", r#"{"runtime": true, "http": {"subjects": true}}"#).await.unwrap();
    let [one] = granted.grants.as_slice() else { panic!("{granted:?}") };
    assert_eq!((one.environment.as_str(), one.granted_by.as_str(), one.reason.as_str()), ("quick", "user:ada", "to try it"));
    assert_eq!((granted.calls, granted.usage[0].power.as_str(), granted.usage[0].refused), (2, "http", 2));
    let refused = grant(&rig, "queue", "{").await.unwrap_err();
    assert_eq!((refused.code(), code(&refused)), (Code::InvalidArgument, "TP0623".to_owned()));
    let revoke = |power: &str| v1::RevokePluginRequest {
        name: "queue".to_owned(),
        environment: "quick".to_owned(),
        power: power.to_owned(),
        reason: String::new(),
    };
    let revoked = rig.plugins().revoke(revoke("http")).await.unwrap().into_inner();
    assert_eq!(revoked.grants[0].powers, r#"{"http":null,"runtime":true}"#);
    assert_eq!(code(&rig.plugins().revoke(revoke("telepathy")).await.unwrap_err()), "TP0623");
    let revoked = rig.plugins().revoke(revoke("")).await.unwrap().into_inner();
    assert_eq!(revoked.grants, []);
    assert_eq!(rig.plugins().revoke(revoke("")).await.unwrap_err().code(), Code::NotFound);
    let past =
        v1::GrantPluginRequest { name: "queue".to_owned(), powers: "{}".to_owned(), expires_at_ms: 1, ..Default::default() };
    assert_eq!(rig.plugins().grant(past).await.unwrap_err().code(), Code::InvalidArgument);
    rig.stop().await;
}

#[tokio::test]
async fn a_removed_digest_is_gone_with_its_grants_and_own_plugins_stay() {
    let rig = Rig::start().await;
    let first = install(&rig, "/srv/queue-http.wasm").await;
    grant(&rig, "queue", "{}").await.unwrap();
    let remove = |name: &str| v1::RemovePluginRequest { name: name.to_owned(), force: false };
    let removed = rig.plugins().remove(remove("queue")).await.unwrap().into_inner();
    assert_eq!(removed.digest, first.digest);
    assert_eq!(get(&rig, "queue").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(rig.store.list("plugin-grant", "").await.unwrap(), []);
    assert_eq!(acts(&rig).await.last().unwrap(), "remove by user:ada");
    assert_eq!(code(&rig.plugins().remove(remove("target-local")).await.unwrap_err()), "TP0621");
    let own = v1::InstallPluginRequest {
        reference: "/srv/queue.wasm".to_owned(),
        name: "target-local".to_owned(),
        ..Default::default()
    };
    assert_eq!(code(&rig.plugins().install(own).await.unwrap_err()), "TP0621");
    let digest = format!("sha256:{}", "0".repeat(64));
    let other = v1::InstallPluginRequest { reference: "/srv/queue.wasm".to_owned(), digest, ..Default::default() };
    assert_eq!(code(&rig.plugins().install(other).await.unwrap_err()), "TP0621");
    let missing = v1::InstallPluginRequest { reference: "/nowhere".to_owned(), ..Default::default() };
    assert_eq!(rig.plugins().install(missing).await.unwrap_err().code(), Code::NotFound);
    rig.stop().await;
}

#[tokio::test]
async fn a_plugins_page_says_what_it_asked_last_and_a_list_does_not() {
    let rig = Rig::start().await;
    install(&rig, "/srv/queue-http.wasm").await;
    let page = get(&rig, "queue").await.unwrap();
    let latest: Vec<_> = page.latest_uses.iter().map(|used| (used.power.as_str(), used.what.as_str())).collect();
    assert_eq!(latest, [("http", "GET http://a:80/")]);
    let schemas: Vec<_> = page.settings_schemas.iter().map(|one| (one.kind.as_str(), one.schema.as_str())).collect();
    assert_eq!(schemas, [("health", r#"{"type":"object"}"#)]);
    let list = rig.plugins().list(v1::ListRequest {}).await.unwrap().into_inner();
    assert!(list.plugins.iter().all(|plugin| plugin.latest_uses.is_empty() && plugin.materials.is_none()));
    let materials = page.materials.unwrap();
    assert_eq!((materials.format.as_str(), materials.materials[0].name.as_str(), materials.more), ("spdx", "serde", 2));
    let digest = page.digest;
    rig.plugins().remove(v1::RemovePluginRequest { name: "queue".to_owned(), force: false }).await.unwrap();
    assert_eq!(rig.store.get("plugin-materials", &digest).await.unwrap(), None);
    rig.stop().await;
}
