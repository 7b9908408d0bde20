//! A component of the first version of the contract and one of the newest, on one host.

use plugin_host::{Grants, HealthVerdict, HttpGrant, Options, PluginHost, Subject, Subjects, Window};

use crate::fixture::{OK, PATIENCE, Server, assess, context, elder, hostile};

#[tokio::test]
async fn what_was_built_against_the_first_version_answers_beside_the_second() {
    let host = PluginHost::new(Options::default()).expect("a host");
    let (elder, newest) = (host.load(elder()).expect("it loads"), host.load(hostile()).expect("it loads"));
    assert_eq!((elder.manifest().wit.major, elder.manifest().wit.minor), (0, 1));

    let server = Server::start(Some(OK)).await;
    let endpoint = Some(format!("127.0.0.1:{}", server.port));
    let subject = Subject { release: "v2".to_owned(), endpoint, ready: 1, wanted: 1, basis_points: 500 };
    let subjects = Subjects { candidate: Some(subject), ..Subjects::default() };
    let grants = Grants { http: Some(HttpGrant { subjects: true, allow: Vec::new() }), ..Grants::default() };
    let context = context("{}", PATIENCE);
    let called = elder.assess(&context, &subjects, &Window::default(), &grants).await.expect("an answer");
    assert_eq!((called.answer.verdict, called.answer.sentence.as_str()), (HealthVerdict::Healthy, "hello"));
    assert!(called.log[0].message.ends_with("ms after 1970"), "{:?}", called.log);

    // A power of the first version is refused as one of the newest is, with the line.
    let error = elder.assess(&context, &subjects, &Window::default(), &Grants::default()).await.expect_err("not granted");
    assert!(error.to_string().contains(r#"{"http":{"subjects":true}}"#), "{error}");
    assess(&newest, r#"{"behave":null}"#, &Grants::default()).await.expect("the newest answers");
}
