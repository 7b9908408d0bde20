//! Components of every version of the contract, on one host.

use plugin_host::{Grants, HealthVerdict, HttpGrant, Options, PluginHost, Side, Subject, Subjects, Window};

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
