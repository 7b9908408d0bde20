//! What an operator takes back is gone at the next host call, and what was used is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use plugin_host::{CallErrorKind, GrantView, Grants, GrantsInForce, Limits, UseOutcome};

use crate::fixture::{OK, PATIENCE, Server, assess, context, hostile, may_get, plugin};
use plugin_host::{Options, PluginHost, Subjects, Window};

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
}
