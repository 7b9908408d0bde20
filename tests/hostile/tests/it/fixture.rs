//! What the tests share: one host, a neighbour who behaves, and the shape of a check.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hostile::{Forge, HEALTHY};
use plugin_host::{
    Assessment, CallContext, CallError, CallErrorKind, Called, Grants, HealthVerdict, HttpGrant, HttpRule, Limits, Options,
    Plugin, PluginHost, Scheme, Subjects, Window,
};

/// How long a call may take unless a test says otherwise: far more than any needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How long a call may take that never ends by itself.
pub(crate) const SHORT: Duration = Duration::from_millis(300);

/// Returns the host that hostile and well-behaved components share, as they would in a server.
pub(crate) fn host() -> &'static PluginHost {
    static HOST: OnceLock<PluginHost> = OnceLock::new();
    HOST.get_or_init(|| host_with(Limits { memory_bytes: 32 << 20, ..Limits::default() }))
}

pub(crate) fn host_with(limits: Limits) -> PluginHost {
    PluginHost::new(Options { limits, ..Options::default() }).expect("a host")
}

/// Returns a plugin that does nothing wrong.
pub(crate) fn neighbour() -> &'static Plugin {
    static NEIGHBOUR: OnceLock<Plugin> = OnceLock::new();
    NEIGHBOUR.get_or_init(|| host().load(&Forge::new(HEALTHY).component()).expect("it is a plugin"))
}

/// Returns the time now, in Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "deadlines are absolute")]
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("a time of our age")
}

/// Returns the context of a call of this deployment that may take so long.
pub(crate) fn context(deployment: &str, time: Duration) -> CallContext {
    let time = i64::try_from(time.as_millis()).expect("a short time");
    CallContext {
        service: "web".to_owned(),
        environment: "test".to_owned(),
        settings: "{}".to_owned(),
        deployment: deployment.to_owned(),
        operation_key: format!("{deployment}/look/1"),
        attempt: 1,
        deadline_ms: now_ms() + time,
        ..CallContext::default()
    }
}

pub(crate) async fn assess_as(
    plugin: &Plugin,
    deployment: &str,
    grants: &Grants,
    time: Duration,
) -> Result<Called<Assessment>, CallError> {
    plugin.assess(&context(deployment, time), &Subjects::default(), &Window::default(), grants).await
}

/// Has the neighbour take a look.
pub(crate) async fn neighbour_is_well() {
    let called = assess_as(neighbour(), "neighbour", &Grants::default(), PATIENCE).await.expect("the neighbour's call succeeds");
    assert_eq!(called.answer.verdict, HealthVerdict::Healthy);
}

/// Calls a hostile component; the neighbour's next call is well, whatever came of it.
pub(crate) async fn call_within(forge: &Forge, time: Duration) -> Result<Called<Assessment>, CallError> {
    let plugin = host().load(&forge.component()).expect("the host takes it");
    let came_of_it = assess_as(&plugin, "hostile", &Grants::default(), time).await;
    neighbour_is_well().await;
    came_of_it
}

/// Has a hostile component fail: with this error, and with a sentence for people that holds these words.
pub(crate) async fn fails(forge: &Forge, time: Duration, words: &str, expect: impl Fn(&CallErrorKind) -> bool) {
    let error = call_within(forge, time).await.expect_err("nothing good can come of it");
    assert!(expect(&error.kind), "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.outcome_unknown, "nothing left the host: {error:?}");
}

/// Has a hostile component do what is allowed, and returns what came of it.
pub(crate) async fn answers(forge: &Forge) -> Called<Assessment> {
    call_within(forge, PATIENCE).await.expect("nothing of it is forbidden")
}

pub(crate) fn is_trap(kind: &CallErrorKind) -> bool {
    matches!(kind, CallErrorKind::Trap { .. })
}

pub(crate) fn is_deadline(kind: &CallErrorKind) -> bool {
    matches!(kind, CallErrorKind::Deadline { .. })
}

/// Returns a grant for these methods at this host and port, below this path.
pub(crate) fn may_ask(host: &str, port: u16, path: &str, private: bool) -> Grants {
    let rule = HttpRule {
        scheme: Scheme::Http,
        host: host.to_owned(),
        port: Some(port),
        methods: Vec::new(),
        path: path.to_owned(),
        private,
        response_bytes_max: None,
        timeout_ms: None,
        credentials: None,
    };
    Grants { http: Some(HttpGrant { subjects: false, allow: vec![rule] }), ..Grants::default() }
}
