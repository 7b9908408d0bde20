//! The first-party plugins, as they are carried, through the sandbox.

use std::sync::Arc;

use async_trait::async_trait;
use plugin_host::{
    Desired, Evidence, GateVerdict, Grants, HealthVerdict, HttpGrant, Kind, Options, Plugin, PluginHost, Progress,
    RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeScope, SideDesired, Subject, Subjects, Traffic, Window,
};
use serde_json::{Value, json};

use crate::fixture::{OK, PATIENCE, Server, context};

/// A runtime where everything that is asked for runs at once.
struct Prompt;

#[async_trait]
impl RuntimeBackend for Prompt {
    async fn apply(&self, _: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        let group = |side: &str| {
            let group = desired[side].as_object()?;
            Some(json!({
                "side": side, "release": group["release"], "artifactDigest": group["artifactDigest"], "instances": group["instances"],
                "ready": group["instances"], "starting": 0, "failed": 0, "restarts": 0, "lastError": null, "endpoints": ["127.0.0.1:4000"]
            }))
        };
        let groups: Vec<_> = ["stable", "candidate"].into_iter().filter_map(group).collect();
        Ok(json!({
            "fence": desired["fence"], "operationKey": desired["operationKey"], "groups": groups, "retiring": [],
            "traffic": desired["traffic"], "publicEndpoint": "127.0.0.1:8080", "converged": true, "message": "all runs", "counters": {}
        }))
    }

    async fn status(&self, _: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        let latency = json!({ "buckets": [{ "leMs": 10, "count": 100 }], "count": 100, "sumMs": 300.0 });
        let counters = json!({ "release": "v2", "sinceUnixMs": 2_000, "requests": 100, "errors": 9, "latency": latency });
        Ok(Some(json!({ "counters": { "stable": null, "candidate": counters, "unserved": 0 } })))
    }

    async fn logs(&self, _: &RuntimeScope, _: &str, _: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        Ok(Vec::new())
    }
}

pub(crate) fn plugin(name: &str) -> Plugin {
    loaded(name, Options { runtime: Some(Arc::new(Prompt)), ..Options::default() })
}

/// Returns a first-party plugin on a host of its own.
pub(crate) fn loaded(name: &str, options: Options) -> Plugin {
    let bundled = bundled_plugins::all().iter().find(|bundled| bundled.name == name).expect("it is carried");
    let plugin = PluginHost::new(options).expect("a host").load(bundled.component).expect("it loads");
    assert_eq!(plugin.digest(), bundled.digest);
    plugin
}

pub(crate) fn candidate(endpoint: String) -> Subjects {
    let subject = Subject { release: "v2".to_owned(), endpoint: Some(endpoint), basis_points: 500, ..Subject::default() };
    Subjects { candidate: Some(subject), ..Subjects::default() }
}

#[test]
fn manifests_say_what_the_plugins_are_and_ask_for() {
    let expect = [
        ("gate-junit", Kind::Gate, &[] as &[&str]),
        ("health-alerts", Kind::Health, &["clock", "http"]),
        ("health-command", Kind::Health, &["clock", "command"]),
        ("health-http", Kind::Health, &["clock", "http"]),
        ("health-judge", Kind::Health, &["http", "telemetry"]),
        ("health-logs", Kind::Health, &["clock", "http", "runtime"]),
        ("health-prometheus", Kind::Health, &["http"]),
        ("health-traffic", Kind::Health, &["runtime"]),
        ("target-local", Kind::Target, &["runtime"]),
        ("target-vm", Kind::Target, &["artifact", "command", "ssh"]),
    ];
    for (name, kind, powers) in expect {
        let plugin = plugin(name);
        let manifest = plugin.manifest();
        assert_eq!((manifest.name.as_str(), manifest.kinds.as_slice()), (name, &[kind][..]));
        assert_eq!(manifest.powers.keys().collect::<Vec<_>>(), powers);
        let schema = &manifest.settings[&kind];
        assert_eq!(schema["additionalProperties"], json!(false), "{name} refuses unknown settings");
    }
}

#[tokio::test]
async fn target_local_reconciles_over_the_runtime_power() {
    let side = |release: &str, capacity_percent| SideDesired {
        release: release.to_owned(),
        artifact_digest: format!("sha256:{release}"),
        configuration: r#"{"command":["./web"],"port":8080,"instances":4}"#.to_owned(),
        capacity_percent,
        ..SideDesired::default()
    };
    let traffic = Traffic { candidate_basis_points: 500, ..Traffic::default() };
    let desired = Desired { stable: Some(side("v1", 100)), candidate: Some(side("v2", 5)), traffic: Some(traffic) };
    let grants = Grants { runtime: true, ..Grants::default() };
    let called = plugin("target-local").reconcile(&context("{}", PATIENCE), &desired, &grants).await.expect("an answer");
    let Progress::Converged(seen) = called.answer else { panic!("{:?}", called.answer) };
    let sides: Vec<_> = seen.sides.iter().map(|side| (side.release.as_str(), side.ready, side.wanted)).collect();
    assert_eq!(sides, [("v1", 4, 4), ("v2", 1, 1)]);
    assert_eq!((seen.candidate_basis_points, seen.highest_fence), (500, 7));
}

#[tokio::test]
async fn target_local_describes_itself() {
    let called = plugin("target-local").describe(&context("{}", PATIENCE), &Grants::default()).await.expect("an answer");
    let descriptor = called.answer.expect("no fault");
    assert!(descriptor.weights && descriptor.mirror && descriptor.sticky);
    let called =
        plugin("target-local").describe(&context(r#"{"restarts":1}"#, PATIENCE), &Grants::default()).await.expect("an answer");
    let fault = called.answer.expect_err("there is no such setting");
    assert!(fault.message.contains("`restarts`") && fault.message.contains("`restartsMax`"), "{}", fault.message);
}

#[tokio::test]
async fn health_http_probes_the_endpoint_it_is_told_to_judge() {
    let server = Server::start(Some(OK)).await;
    let grants = Grants { http: Some(HttpGrant { subjects: true, allow: Vec::new() }), ..Grants::default() };
    let (plugin, context) = (plugin("health-http"), context(r#"{"path":"/healthz","intervalMs":1}"#, PATIENCE));
    let subjects = candidate(format!("127.0.0.1:{}", server.port));
    let called = plugin.assess(&context, &subjects, &Window::default(), &grants).await.expect("an answer");
    assert_eq!(called.answer.verdict, HealthVerdict::Healthy, "{}", called.answer.sentence);

    let port = server.port;
    drop(server);
    let called =
        plugin.assess(&context, &candidate(format!("127.0.0.1:{port}")), &Window::default(), &grants).await.expect("an answer");
    assert_eq!(called.answer.verdict, HealthVerdict::Unhealthy, "{}", called.answer.sentence);
}

#[tokio::test]
async fn health_traffic_judges_the_routers_counters() {
    let grants = Grants { runtime: true, ..Grants::default() };
    let (subjects, window) = (candidate("127.0.0.1:1".to_owned()), Window { started_ms: 1_000, ends_ms: 2_000 });
    let called = plugin("health-traffic").assess(&context("{}", PATIENCE), &subjects, &window, &grants).await.expect("an answer");
    assert_eq!(called.answer.sentence, "9 of 100 requests to the candidate failed, at most 1.0 % may");
    assert_eq!(called.answer.verdict, HealthVerdict::Unhealthy);
}

#[tokio::test]
async fn gate_junit_reads_a_report() {
    let evidence = Evidence {
        kind: "junit".to_owned(),
        name: "unit".to_owned(),
        media_type: "application/xml".to_owned(),
        digest: String::new(),
        content: b"<testsuite><testcase name='a'/></testsuite>".to_vec(),
    };
    let gate = plugin("gate-junit");
    let called = gate.evaluate(&context("{}", PATIENCE), &[evidence], &Grants::default()).await.expect("an answer");
    assert_eq!(called.answer.verdict, GateVerdict::Pass, "{}", called.answer.sentence);
    let called = gate.evaluate(&context("{}", PATIENCE), &[], &Grants::default()).await.expect("an answer");
    assert_eq!(called.answer.verdict, GateVerdict::Fail);
}
