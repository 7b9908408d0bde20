//! Components of every version of the contract, on one host.

use plugin_host::{
    CallContext, Descriptor, Desired, Evidence, Fault, Fencing, GateVerdict, Grants, HealthVerdict, HttpGrant, Kind, Observation,
    Options, Plugin, PluginHost, Progress, RequestKey, RouteMatch, Side, SideDesired, SideObservation, Subject, Subjects,
    Traffic, Window,
};

use crate::fixture::{OK, PATIENCE, Server, assess, context, elder, hostile, second};

#[tokio::test]
async fn what_was_built_against_earlier_versions_answers_beside_the_newest() {
    let host = PluginHost::new(Options::default()).expect("a host");
    let newest = host.load(hostile()).expect("it loads");
    assert_eq!((newest.manifest().wit.major, newest.manifest().wit.minor), (0, 3));

    let server = Server::start(Some(OK)).await;
    let endpoint = Some(format!("127.0.0.1:{}", server.port));
    let subject = Subject { release: "v2".to_owned(), endpoint, basis_points: 500, ..Subject::default() };
    let subjects = Subjects { candidate: Some(subject), ..Subjects::default() };
    let grants = Grants { http: Some(HttpGrant { subjects: true, allow: Vec::new() }), ..Grants::default() };
    let context = context("{}", PATIENCE);
    for (component, version, measurements) in [(elder(), (0, 1), 0), (second(), (0, 2), 1)] {
        let plugin = host.load(component).expect("it loads");
        assert_eq!((plugin.manifest().wit.major, plugin.manifest().wit.minor), version);
        let called = plugin.assess(&context, &subjects, &Window::default(), &grants).await.expect("an answer");
        assert_eq!((called.answer.verdict, called.answer.sentence.as_str()), (HealthVerdict::Healthy, "hello"));
        assert!(called.log[0].message.ends_with("ms after 1970"), "{:?}", called.log);
        let measured: Vec<_> = called.answer.measurements.iter().map(|one| (one.value, one.side, one.samples)).collect();
        assert_eq!(measured, vec![(8.0, Some(Side::Candidate), None); measurements]);

        // A power of an earlier version is refused as one of the newest is, with the line.
        let error = plugin.assess(&context, &subjects, &Window::default(), &Grants::default()).await.expect_err("not granted");
        assert!(error.to_string().contains(r#"{"http":{"subjects":true}}"#), "{error}");
    }
    assess(&newest, r#"{"behave":null}"#, &Grants::default()).await.expect("the newest answers");
}

/// Returns the plugins of the earlier versions, which are of every kind.
fn earlier() -> [Plugin; 2] {
    let host = PluginHost::new(Options::default()).expect("a host");
    [(elder(), 1), (second(), 2)].map(|(component, minor)| {
        let plugin = host.load(component).expect("it loads");
        assert_eq!((plugin.manifest().wit.major, plugin.manifest().wit.minor), (0, minor));
        assert_eq!(plugin.manifest().kinds, [Kind::Gate, Kind::Health, Kind::Target]);
        plugin
    })
}

#[tokio::test]
async fn a_gate_of_an_earlier_version_is_asked_and_understood() {
    let context = context("{}", PATIENCE);
    for plugin in earlier() {
        let none = plugin.evaluate(&context, &[], &Grants::default()).await.expect("an answer").answer;
        assert_eq!((none.verdict, none.measurements), (GateVerdict::Wait { retry_after_ms: 250 }, Vec::new()));
        for (content, verdict) in [("good", GateVerdict::Pass), ("bad", GateVerdict::Fail), ("other", GateVerdict::Error)] {
            let [kind, name, media_type, digest] = ["junit", "unit-tests", "application/xml", "sha256:1"].map(str::to_owned);
            let evidence = Evidence { kind, name, media_type, digest, content: content.into() };
            let found = plugin.evaluate(&context, &[evidence], &Grants::default()).await.expect("an answer").answer;
            assert_eq!(found.verdict, verdict, "{content}");
            assert_eq!(found.sentence, "junit unit-tests application/xml sha256:1 for web");
            let [bytes] = found.measurements.as_slice() else { panic!("{:?}", found.measurements) };
            let expected = ("bytes", content.len() as f64, "bytes", Some(Side::Stable), Some(4.0), None);
            assert_eq!((bytes.name.as_str(), bytes.value, bytes.unit.as_str(), bytes.side, bytes.limit, bytes.samples), expected);
        }
    }
}

fn wanted(release: &str, capacity_percent: u8) -> SideDesired {
    SideDesired {
        release: release.to_owned(),
        artifact_reference: format!("{release}.example:80"),
        artifact_digest: format!("sha256:{release}"),
        configuration: format!(r#"{{"name":"{release}"}}"#),
        capacity_percent,
    }
}

fn seen(side: Side, release: &str, wanted: u32) -> SideObservation {
    SideObservation {
        side,
        release: release.to_owned(),
        artifact_digest: format!("sha256:{release}"),
        ready: 1,
        wanted,
        endpoint: Some(format!("{release}.example:80")),
    }
}

#[tokio::test]
async fn a_target_of_an_earlier_version_is_told_all_and_understood() {
    let none = Grants::default();
    let traffic = Traffic {
        candidate_basis_points: 1_500,
        matches: vec![
            RouteMatch { on: RequestKey::Header("x-user".to_owned()), value: "ada".to_owned(), to: Side::Candidate },
            RouteMatch { on: RequestKey::Cookie("group".to_owned()), value: "b".to_owned(), to: Side::Stable },
        ],
        mirror_basis_points: 20,
        sticky: Some(RequestKey::Cookie("session".to_owned())),
    };
    let both = Desired { stable: Some(wanted("v1", 100)), candidate: Some(wanted("v2", 40)), traffic: Some(traffic) };
    for plugin in earlier() {
        let context = context("{}", PATIENCE);
        let reconcile = async |fence: u64, desired: &Desired| {
            let context = CallContext { fence, ..context.clone() };
            plugin.reconcile(&context, desired, &none).await.expect("an answer").answer
        };
        let observation = Observation {
            sides: vec![seen(Side::Stable, "v1", 100), seen(Side::Candidate, "v2", 40)],
            candidate_basis_points: 1_500,
            public_endpoint: Some("d-1/shift/1".to_owned()),
            highest_fence: 7,
            drift: [
                "header x-user ada to Side::Candidate",
                "cookie group b to Side::Stable",
                "mirror 20, sticky Some(\"cookie session\")",
            ]
            .map(str::to_owned)
            .to_vec(),
            state: None,
        };
        assert_eq!(reconcile(7, &both).await, Progress::Converged(observation));
        assert_eq!(reconcile(4, &both).await, Progress::Superseded { highest_fence: 5 });
        let fault = Fault { message: "nothing is wanted".to_owned(), retryable: true };
        assert_eq!(reconcile(7, &Desired::default()).await, Progress::Failed(fault));
        let quiet = Desired { candidate: None, traffic: None, ..both.clone() };
        let Progress::InProgress(pending) = reconcile(7, &quiet).await else { panic!("it is on its way") };
        assert_eq!((pending.retry_after_ms, pending.message.as_str()), (40, "no traffic yet"));
        assert_eq!(pending.observation.sides, [seen(Side::Stable, "v1", 100)]);

        let changes = plugin.preview(&context, &both, &none).await.expect("an answer").answer.expect("no fault");
        assert_eq!(changes, [r#"v1 runs with {"name":"v1"}"#, r#"v2 runs with {"name":"v2"}"#]);
    }
}

#[tokio::test]
async fn a_target_of_an_earlier_version_says_what_it_can_and_what_it_sees() {
    let none = Grants::default();
    for plugin in earlier() {
        let context = context("{}", PATIENCE);
        let described = plugin.describe(&context, &none).await.expect("an answer").answer;
        let descriptor = Descriptor {
            weights: true,
            weight_granularity_basis_points: 250,
            header_match: false,
            cookie_match: true,
            sticky: false,
            mirror: true,
            instant_switch: false,
            fencing: Fencing::Quiesce,
        };
        assert_eq!(described, Ok(descriptor));
        let other = CallContext { settings: r#"{"a":1}"#.to_owned(), ..context.clone() };
        let fault = Fault { message: r#"{"a":1} is too much"#.to_owned(), retryable: false };
        assert_eq!(plugin.describe(&other, &none).await.expect("an answer").answer, Err(fault));

        let fault = Fault { message: "nothing is known of test".to_owned(), retryable: true };
        assert_eq!(plugin.observe(&context, &none).await.expect("an answer").answer, Err(fault));
        let again = CallContext { state: Some(b"kept".to_vec()), attempt: 3, outcome_unknown: true, ..context };
        let observation = Observation {
            highest_fence: 7,
            drift: vec!["attempt 3, outcome unknown: true".to_owned()],
            state: Some(b"kept".to_vec()),
            ..Observation::default()
        };
        assert_eq!(plugin.observe(&again, &none).await.expect("an answer").answer, Ok(observation));
    }
}
