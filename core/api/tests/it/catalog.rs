//! What deployments are made of.

use tonic::Code;
use towpath_proto::v1;

use crate::support::{PATH, Rig, apply, code, release, service};

#[tokio::test]
async fn a_file_applied_twice_is_one_revision() {
    let rig = Rig::furnished().await;
    let file = service("quick", "20ms");
    let same = rig.services().apply(apply(&file)).await.unwrap().into_inner();
    assert_eq!((same.revision, same.summary.as_str()), (1, "follows web ^1.0"));
    let changed = rig.services().apply(apply(&service("quick", "30ms"))).await.unwrap().into_inner();
    assert_eq!(changed.revision, 2);
    let got = rig.services().get(v1::GetRequest { name: "quick".to_owned() }).await.unwrap().into_inner();
    assert_eq!(got, changed);
    let listed = rig.services().list(v1::ListRequest {}).await.unwrap().into_inner().documents;
    assert_eq!(listed.iter().map(|document| document.name.as_str()).collect::<Vec<_>>(), ["quick", "slow"]);
    rig.stop().await;
}

#[tokio::test]
async fn a_published_version_never_changes() {
    let rig = Rig::furnished().await;
    let published = rig.paths().publish(apply(PATH)).await.unwrap().into_inner();
    assert_eq!((published.name.as_str(), published.version.as_str(), published.revision), ("web", "1.2.0", 1));
    let refused = rig.paths().publish(apply(&PATH.replace("10%", "20%"))).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::AlreadyExists, "TP0112"), "{refused}");
    rig.paths().publish(apply(&PATH.replace("1.2.0", "1.10.0"))).await.unwrap();
    for (asked, version) in [("web", "1.10.0"), ("web@1.2.0", "1.2.0"), ("web@~1.2", "1.2.0"), ("web@^1", "1.10.0")] {
        let got = rig.paths().get(v1::GetRequest { name: asked.to_owned() }).await.unwrap().into_inner();
        assert_eq!(got.version, version, "{asked}");
    }
    let refused = rig.paths().get(v1::GetRequest { name: "web@2".to_owned() }).await.unwrap_err();
    assert!(refused.message().contains("web@1.10.0"), "the known ones are named: {refused}");
    rig.stop().await;
}

#[tokio::test]
async fn a_release_is_named_by_what_it_holds() {
    let rig = Rig::furnished().await;
    let made = rig.release("quick", "v1").await;
    assert!(made.id.starts_with("r-") && made.path == "web@1.2.0" && made.plugins.len() == 1, "{made:?}");
    assert_eq!(rig.release("quick", "v1").await.id, made.id, "the same again is the same");
    let other = v1::CreateReleaseRequest { artifact: "/srv/else".to_owned(), ..release("quick", "v1") };
    let refused = rig.releases().create(other).await.unwrap_err();
    assert_eq!((refused.code(), code(&refused).as_str()), (Code::AlreadyExists, "TP0112"), "{refused}");
    let twin = v1::CreateReleaseRequest { label: "twin".to_owned(), ..release("quick", "v1") };
    let refused = rig.releases().create(twin).await.unwrap_err();
    assert!(refused.message().contains("called v1 already"), "{refused}");
    for name in ["v1", made.id.as_str()] {
        let request = v1::GetReleaseRequest { service: "quick".to_owned(), release: name.to_owned() };
        assert_eq!(rig.releases().get(request).await.unwrap().into_inner(), made);
    }
    let request = v1::ListReleasesRequest { service: "quick".to_owned() };
    let listed = rig.releases().list(request).await.unwrap().into_inner().releases;
    assert_eq!(listed.len(), 2, "a refused one leaves nothing: {listed:?}");
    rig.stop().await;
}

#[tokio::test]
async fn a_label_that_several_want_is_given_once() {
    let rig = Rig::furnished().await;
    let mut calls = tokio::task::JoinSet::new();
    for index in 0..8 {
        let mut client = rig.releases();
        let artifact = format!("/srv/{index}");
        calls.spawn(async move { client.create(v1::CreateReleaseRequest { artifact, ..release("quick", "wanted") }).await });
    }
    let results = calls.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for refused in results.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code(), Code::AlreadyExists, "{refused}");
    }
    rig.stop().await;
}

#[tokio::test]
async fn evidence_is_kept_whole_and_listed_without_its_content() {
    let rig = Rig::furnished().await;
    let report = v1::Evidence {
        kind: "junit".to_owned(),
        name: "report.xml".to_owned(),
        media_type: "application/xml".to_owned(),
        content: b"<testsuite/>\xff".to_vec(),
        digest: String::new(),
    };
    let request = v1::CreateReleaseRequest { evidence: vec![report.clone()], ..release("quick", "tested") };
    let made = rig.releases().create(request).await.unwrap().into_inner();
    assert!(made.evidence[0].content.is_empty() && made.evidence[0].digest.starts_with("sha256:"));
    let id = model::ReleaseId::new(&format!("{}.abc123", made.id)).unwrap();
    let kept = api::document::evidence_of(&*rig.store, &id).await.unwrap();
    assert_eq!((kept.len(), &kept[0].content, &kept[0].kind), (1, &report.content, &report.kind));
    rig.stop().await;
}

#[tokio::test]
async fn plugins_are_shown_with_their_powers() {
    let rig = Rig::start().await;
    let listed = rig.plugins().list(v1::ListRequest {}).await.unwrap().into_inner().plugins;
    assert_eq!(listed.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>(), ["health-http", "target-local"]);
    let one = rig.plugins().get(v1::GetRequest { name: "health-http".to_owned() }).await.unwrap().into_inner();
    assert_eq!((one.kinds, one.powers.len()), (vec!["health".to_owned()], 1));
    let refused = rig.plugins().get(v1::GetRequest { name: "health".to_owned() }).await.unwrap_err();
    assert!(refused.message().contains("health-http"), "{refused}");
    rig.stop().await;
}
