//! What an operator takes back is gone at the next host call, and what was used is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use plugin_host::{
    CallErrorKind, Caller, GrantView, Grants, GrantsInForce, Limits, Options, PluginHost, Subjects, UseOutcome, Window,
};

use crate::fixture::{OK, PATIENCE, Server, assess, assess_within, context, hostile, may_get, plugin};

/// A grant that is revoked when it has been asked for so many times.
struct Fleeting {
    left: AtomicU32,
    grants: Arc<Grants>,
}

impl GrantView for Fleeting {
    fn current(&self) -> Arc<Grants> {
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if left.is_ok() { Arc::clone(&self.grants) } else { Arc::new(Grants::default()) }
    }
}

#[tokio::test]
async fn a_grant_that_is_revoked_in_the_middle_of_a_call_is_gone_at_the_next_host_call() {
    let server = Server::start(Some(OK)).await;
    let plugin = plugin(Limits::default());
    let settings = format!(r#"{{"fetchTwice":"http://127.0.0.1:{}/"}}"#, server.port);
    let revoked_after = |uses| {
        let view = Fleeting { left: AtomicU32::new(uses), grants: Arc::new(may_get(server.port, "/")) };
        GrantsInForce::live(Arc::new(view))
    };
    let ask = async |uses| {
        plugin.assess(&context(&settings, PATIENCE), &Subjects::default(), &Window::default(), revoked_after(uses)).await
    };
    ask(2).await.expect("both requests are granted");
    let error = ask(1).await.expect_err("the second request is not");
    assert!(matches!(error.kind, CallErrorKind::Refused { power: "http", .. }), "{error:?}");
    assert!(error.outcome_unknown, "the first one left the host");
    let outcomes: Vec<_> = error.uses.traced.iter().map(|used| (used.power, used.outcome == UseOutcome::Done)).collect();
    assert_eq!(outcomes, [("http", true), ("http", false)]);
}

#[tokio::test]
async fn every_use_is_traced_and_counted() {
    let server = Server::start(Some(OK)).await;
    let plugin = PluginHost::new(Options::default()).expect("a host").load(hostile()).expect("it loads");
    let settings = format!(r#"{{"fetch":"http://127.0.0.1:{}/path?token=secret"}}"#, server.port);
    let called = assess(&plugin, &settings, &may_get(server.port, "/")).await.expect("granted");
    let [used] = called.uses.traced.as_slice() else { panic!("{:?}", called.uses) };
    assert_eq!(used.what, format!("GET http://127.0.0.1:{}/path", server.port), "the query may carry secrets");
    assess(&plugin, &settings, &Grants::default()).await.expect_err("not granted");
    let usage = plugin.usage();
    let http = usage.powers["http"];
    assert_eq!((usage.calls, usage.failed, http.used, http.failed, http.refused), (2, 1, 2, 0, 1));
    let latest: Vec<_> = usage.latest.iter().map(|latest| (latest.used.power, latest.used.told.as_str())).collect();
    assert_eq!(latest, [("http", ""), ("http", "status 200")], "newest first: {usage:?}");
    let of = |deployment: &str, service: &str, environment: &str| Caller {
        deployment: deployment.to_owned(),
        service: service.to_owned(),
        environment: environment.to_owned(),
    };
    assert!(usage.latest.iter().all(|latest| latest.caller == of("d-1", "web", "test") && latest.used.at_ms > 0), "{usage:?}");
    assert!(!format!("{usage:?}").contains("secret"), "{usage:?}");
}

#[tokio::test]
async fn powers_that_reach_nothing_outside_are_traced_as_well() {
    let plugin = plugin(Limits::default());
    let called = assess(&plugin, r#"{"log":3}"#, &Grants::default()).await.expect("three lines are no flood");
    let traced: Vec<_> = called.uses.traced.iter().map(|used| (used.power, used.what.as_str(), used.times)).collect();
    assert_eq!(traced, [("log", "a line at info", 3), ("measure", "lines", 1)]);
    let called = assess(&plugin, r#"{"wait":2}"#, &Grants::default()).await.expect("it waits");
    let traced: Vec<_> = called.uses.traced.iter().map(|used| (used.power, used.what.as_str(), used.elapsed_us > 0)).collect();
    assert_eq!(traced, [("clock", "a wait of 2 ms", true)]);
}

#[tokio::test]
async fn every_place_of_a_chain_of_redirects_is_traced_and_counted() {
    let end = Server::start(Some(OK)).await;
    let location = format!("http://127.0.0.1:{}/end", end.port);
    let found = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let start = Server::start(Some(found.leak())).await;
    let plugin = plugin(Limits::default());
    let settings = format!(r#"{{"follow":"http://127.0.0.1:{}/"}}"#, start.port);
    let grants = may_get(start.port, "/").merged(&may_get(end.port, "/"));
    let called = assess(&plugin, &settings, &grants).await.expect("both are granted");
    let traced: Vec<_> = called.uses.traced.iter().map(|used| format!("{} {}", used.what, used.told)).collect();
    assert_eq!(traced, [format!("GET http://127.0.0.1:{}/ status 302", start.port), format!("GET {location} status 200")]);
    assert_eq!(plugin.usage().powers["http"].used, 2);
}

#[tokio::test]
async fn a_call_that_fails_keeps_what_it_did_until_then() {
    let silent = Server::start(None).await;
    let plugin = plugin(Limits::default());
    let settings = format!(r#"{{"fetchThenTrap":"http://127.0.0.1:{}/"}}"#, silent.port);
    let grants = may_get(silent.port, "/");
    let error = assess_within(&plugin, &settings, &grants, Duration::from_secs(1)).await.expect_err("nobody answers");
    // The request's own time is the call's: which of the two is noticed first does not matter.
    let [used] = error.uses.traced.as_slice() else { panic!("{error:?}") };
    assert!(matches!(&used.outcome, UseOutcome::Failed(_)) && used.elapsed_us > 0, "{used:?}");
    assert!(error.elapsed_us >= used.elapsed_us, "{error:?}");
    let error = assess(&plugin, r#"{"logThenTrap":2}"#, &Grants::default()).await.expect_err("it crashes");
    assert_eq!((error.log.len(), error.measurements.len()), (3, 1), "two lines, the crash's own, and a number: {error:?}");
    assert!(error.elapsed_us > 0);
}
