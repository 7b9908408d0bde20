//! Requests go where the grant says and nowhere else.

use std::time::Duration;

use plugin_host::{CallErrorKind, Grants, HttpGrant, HttpRule, Limits, Scheme};

use crate::fixture::{OK, Server, assess, assess_within, may_get, plugin};

/// Asks a place that is refused; returns the line that would grant it.
async fn refused(grants: &Grants, url: &str) -> String {
    let error = assess(&plugin(Limits::default()), &format!(r#"{{"fetch":"{url}"}}"#), grants).await.expect_err(url);
    assert!(!error.outcome_unknown, "nothing left the host for {url}");
    match error.kind {
        CallErrorKind::Refused { power: "http", line, .. } => line,
        kind => panic!("{url}: {kind:?}"),
    }
}

/// Asks a place on the link, where clouds keep credentials; no line to copy opens it.
async fn forbidden(grants: &Grants, url: &str) {
    let error = assess(&plugin(Limits::default()), &format!(r#"{{"fetch":"{url}"}}"#), grants).await.expect_err(url);
    assert!(!error.outcome_unknown, "nothing left the host for {url}");
    assert!(matches!(error.kind, CallErrorKind::Forbidden { power: "http", .. }), "{error:?}");
    assert!(error.to_string().contains("link-local") && !error.to_string().contains("allow"), "{error}");
}

async fn sentence(grants: &Grants, limits: Limits, url: &str) -> String {
    let called = assess(&plugin(limits), &format!(r#"{{"fetch":"{url}"}}"#), grants).await.expect("it is allowed");
    called.answer.sentence
}

#[tokio::test]
async fn without_a_grant_every_request_is_refused_with_the_line_that_grants_it() {
    let line = refused(&Grants::default(), "http://example.com/metrics?x=1").await;
    assert_eq!(
        line,
        r#"{"http":{"allow":[{"host":"example.com","methods":["GET"],"path":"/metrics","port":80,"scheme":"http"}]}}"#
    );
    // An address inside says so itself; the one where clouds keep credentials is opened by no line to copy.
    assert!(refused(&Grants::default(), "http://127.0.0.1:1/").await.contains(r#""private":true"#));
    forbidden(&Grants::default(), "http://169.254.169.254/").await;
}

#[tokio::test]
async fn a_granted_place_is_asked_and_its_neighbours_are_not() {
    let server = Server::start(Some(OK)).await;
    let grants = may_get(server.port, "/api");
    let base = format!("http://127.0.0.1:{}", server.port);
    assert_eq!(sentence(&grants, Limits::default(), &format!("{base}/api/health")).await, "200 hello");
    for elsewhere in [
        format!("{base}/"),
        format!("{base}/apis"),
        "http://127.0.0.1:1/api".to_owned(),
        format!("http://localhost:{}/api", server.port),
    ] {
        refused(&grants, &elsewhere).await;
    }
}

#[tokio::test]
async fn a_public_rule_does_not_reach_inside() {
    let server = Server::start(Some(OK)).await;
    let rule = |host: &str, port, private| HttpRule {
        scheme: Scheme::Http,
        host: host.to_owned(),
        port: Some(port),
        methods: Vec::new(),
        path: "/".to_owned(),
        private,
        response_bytes_max: None,
        timeout_ms: None,
        credentials: None,
    };
    let allow =
        vec![rule("localhost", server.port, false), rule("127.0.0.1", server.port, false), rule("169.254.169.254", 80, false)];
    let grants = Grants { http: Some(HttpGrant { subjects: false, allow }), ..Grants::default() };
    for inside in [format!("http://localhost:{}/", server.port), format!("http://127.0.0.1:{}/", server.port)] {
        let line = refused(&grants, &inside).await;
        assert!(line.contains(r#""private":true"#), "{line}");
    }
    forbidden(&grants, "http://169.254.169.254/latest/meta-data/").await;
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server =
        Server::start(Some("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n")).await;
    let grants = may_get(server.port, "/");
    assert_eq!(sentence(&grants, Limits::default(), &format!("http://127.0.0.1:{}/", server.port)).await, "302 ");
}

#[tokio::test]
async fn large_answers_and_silent_servers_are_errors_that_the_guest_sees() {
    let server = Server::start(Some(OK)).await;
    let limits = Limits { http_response_bytes: 4, ..Limits::default() };
    let url = format!("http://127.0.0.1:{}/", server.port);
    assert_eq!(sentence(&may_get(server.port, "/"), limits, &url).await, "the answer is larger than 4 bytes");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let closed = listener.local_addr().expect("an address").port();
    drop(listener);
    let found = sentence(&may_get(closed, "/"), Limits::default(), &format!("http://127.0.0.1:{closed}/")).await;
    assert!(found.starts_with("no connection"), "{found}");
}

#[tokio::test]
async fn after_the_first_byte_left_a_crash_or_a_hang_has_an_unknown_outcome() {
    let server = Server::start(Some(OK)).await;
    let settings = format!(r#"{{"fetchThenTrap":"http://127.0.0.1:{}/"}}"#, server.port);
    let error = assess(&plugin(Limits::default()), &settings, &may_get(server.port, "/")).await.expect_err("it crashes");
    assert!(matches!(error.kind, CallErrorKind::Trap { .. }) && error.outcome_unknown, "{error:?}");

    let silent = Server::start(None).await;
    let settings = format!(r#"{{"fetch":"http://127.0.0.1:{}/"}}"#, silent.port);
    let grants = may_get(silent.port, "/");
    let ended = assess_within(&plugin(Limits::default()), &settings, &grants, Duration::from_millis(300)).await;
    // Either the request's time or the call's ends first; the guest then says so.
    match ended {
        Err(error) => assert!(matches!(error.kind, CallErrorKind::Deadline { .. }) && error.outcome_unknown, "{error:?}"),
        Ok(called) => assert_eq!(called.answer.sentence, "no answer in time"),
    }
}
