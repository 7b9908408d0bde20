//! Components that misuse requests, and servers that misuse answers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hostile::Forge;
use plugin_host::{CallErrorKind, Grants, HealthVerdict, Limited, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::fixture::{PATIENCE, assess_as, host, host_with, may_ask, neighbour_is_well};

/// How the request ended, by the number of the contract's error.
const INVALID: u32 = 1;
const TIMEOUT: u32 = 3;
const TOO_LARGE: u32 = 4;
const BROKEN: u32 = 5;

/// How a server behaves once it has read a request.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers well.
    Well,
    /// A body, one byte at a time, that never ends.
    Slow,
    /// A body that never ends, as fast as it goes.
    Endless,
    /// Headers that never end.
    EndlessHeaders,
    /// One header that never ends.
    EndlessHeader,
    /// Not HTTP.
    Noise,
    /// A length that is not kept.
    Short,
    /// Somewhere else, where clouds keep credentials.
    Redirect,
}

/// A server on this machine. Stops when dropped.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let mut request = vec![0; 16 << 10];
                    let length = connection.read(&mut request).await.unwrap_or(0);
                    seen.lock().expect("no test panics in it").push(String::from_utf8_lossy(&request[..length]).into_owned());
                    answer(&mut connection, manner).await;
                });
            }
        });
        Self { port, requests, serving }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panics in it").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers until the client has had enough.
async fn answer(connection: &mut TcpStream, manner: Manner) {
    let (head, again, pause) = match manner {
        Manner::Well => ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "", Duration::ZERO),
        Manner::Slow => ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\nx\r\n", Duration::from_millis(20)),
        Manner::Endless => {
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "10\r\nxxxxxxxxxxxxxxxx\r\n", Duration::ZERO)
        }
        Manner::EndlessHeaders => ("HTTP/1.1 200 OK\r\n", "x-filler: xxxxxxxxxxxxxxxx\r\n", Duration::ZERO),
        Manner::EndlessHeader => ("HTTP/1.1 200 OK\r\nx-filler: ", "xxxxxxxxxxxxxxxx", Duration::ZERO),
        Manner::Noise => ("SSH-2.0-OpenSSH_9.9\r\n", "", Duration::ZERO),
        Manner::Short => ("HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\nhello", "", Duration::ZERO),
        Manner::Redirect => {
            ("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/\r\ncontent-length: 0\r\n\r\n", "", Duration::ZERO)
        }
    };
    let mut going = connection.write_all(head.as_bytes()).await.is_ok();
    let again = again.repeat(if pause.is_zero() { 256 } else { 1 });
    while going && !again.is_empty() {
        if !pause.is_zero() {
            // tidy: the server is slow; that is what the test is about
            tokio::time::sleep(pause).await;
        }
        going = connection.write_all(again.as_bytes()).await.is_ok();
    }
}

/// Sends a request as a plugin that may; returns the verdict, the error's number and the sentence.
async fn ask(forge: &Forge, grants: &Grants, time: Duration) -> (HealthVerdict, Option<u32>, String) {
    let plugin = host().load(&forge.component()).expect("the host takes it");
    let called = assess_as(&plugin, "hostile", grants, time).await.expect("it may ask");
    neighbour_is_well().await;
    (called.answer.verdict, called.answer.next_look_ms, called.answer.sentence)
}

#[tokio::test]
async fn bodies_and_headers_without_end_end_the_request() {
    for (manner, expected) in [
        (Manner::Endless, TOO_LARGE),
        (Manner::EndlessHeaders, BROKEN),
        (Manner::EndlessHeader, BROKEN),
        (Manner::Noise, BROKEN),
        (Manner::Short, BROKEN),
    ] {
        let server = Server::start(manner).await;
        let forge = Forge::fetch("GET", server.url("/"), &[]);
        let (verdict, error, sentence) = ask(&forge, &may_ask("127.0.0.1", server.port, "/", true), PATIENCE).await;
        assert_eq!((verdict, error), (HealthVerdict::Error, Some(expected)), "{sentence}");
    }
}

#[tokio::test]
async fn a_body_that_drips_ends_with_the_call() {
    let server = Server::start(Manner::Slow).await;
    let plugin = host().load(&Forge::fetch("GET", server.url("/"), &[]).component()).expect("the host takes it");
    let grants = may_ask("127.0.0.1", server.port, "/", true);
    // The request's time is what the call has left: either may be noticed first.
    match assess_as(&plugin, "hostile", &grants, Duration::from_millis(400)).await {
        Err(error) => assert!(matches!(error.kind, CallErrorKind::Deadline { .. }) && error.outcome_unknown, "{error:?}"),
        Ok(called) => assert_eq!(called.answer.next_look_ms, Some(TIMEOUT)),
    }
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_redirect_to_the_metadata_address_is_not_followed() {
    let server = Server::start(Manner::Redirect).await;
    let grants = may_ask("127.0.0.1", server.port, "/", true);
    let (verdict, error, sentence) = ask(&Forge::fetch("GET", server.url("/"), &[]), &grants, PATIENCE).await;
    assert_eq!((verdict, error, sentence.as_str()), (HealthVerdict::Healthy, None, ""));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_refused() {
    let server = Server::start(Manner::Well).await;
    for name in ["localhost", "LOCALHOST", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{name}:{}/", server.port);
        let plugin = host().load(&Forge::fetch("GET", &url, &[]).component()).expect("the host takes it");
        let grants = may_ask(&name.to_lowercase(), server.port, "/", false);
        let error = assess_as(&plugin, "hostile", &grants, PATIENCE).await.expect_err("the rule is for the public");
        let CallErrorKind::Refused { power: "http", reason, .. } = &error.kind else { panic!("{name}: {error:?}") };
        assert!(reason.contains("leads inside"), "{name}: {reason}");
        assert!(!error.outcome_unknown, "nothing was sent");
    }
    assert!(server.requests().is_empty());
    neighbour_is_well().await;
}

#[tokio::test]
async fn numbers_that_some_take_for_addresses_lead_nowhere() {
    let grants = Grants::default();
    for host_name in ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "169.254.169.254.", "metadata.google.internal"] {
        let plugin =
            host().load(&Forge::fetch("GET", format!("http://{host_name}/"), &[]).component()).expect("the host takes it");
        let error = assess_as(&plugin, "hostile", &grants, PATIENCE).await.expect_err("not granted");
        assert!(matches!(error.kind, CallErrorKind::Refused { power: "http", .. }), "{host_name}: {error:?}");
    }
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_line_break_in_a_request_is_no_request() {
    let server = Server::start(Manner::Well).await;
    let grants = may_ask("127.0.0.1", server.port, "/", true);
    let url = server.url("/");
    let forges = [
        Forge::fetch("GET", &url, &[(b"x", b"1\r\nauthorization: stolen")]),
        Forge::fetch("GET", &url, &[(b"x\r\nhost", b"elsewhere")]),
        Forge::fetch("GET", &url, &[(b"x", b"1\0")]),
        Forge::fetch("GET / HTTP/1.1\r\nhost: a\r\n\r\nGET", &url, &[]),
        Forge::fetch("GET", server.url("/ HTTP/1.1\r\nx: y\r\n\r\nGET /"), &[]),
        Forge::fetch("", &url, &[]),
        Forge::fetch("CONNECT", &url, &[]),
        Forge::fetch("GET", format!("http://user:s3cret@127.0.0.1:{}/", server.port), &[]),
        Forge::fetch("GET", "file:///etc/passwd", &[]),
        Forge::fetch("GET", "gopher://127.0.0.1/", &[]),
    ];
    for forge in forges {
        let (verdict, error, sentence) = ask(&forge, &grants, PATIENCE).await;
        assert_eq!((verdict, error), (HealthVerdict::Error, Some(INVALID)), "{sentence}");
        assert!(!sentence.contains("s3cret"), "{sentence}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[tokio::test]
async fn headers_that_smuggle_a_second_request_are_removed() {
    let server = Server::start(Manner::Well).await;
    let grants = may_ask("127.0.0.1", server.port, "/", true);
    let headers: [(&[u8], &[u8]); 9] = [
        (b"Transfer-Encoding", b"chunked"),
        (b"Content-Length", b"5"),
        (b"Host", b"internal"),
        (b"Connection", b"keep-alive, x-mine"),
        (b"Upgrade", b"h2c"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"X-Forwarded-For", b"127.0.0.1"),
        (b"Authorization", b"Bearer stolen"),
        (b"x-mine", b"kept"),
    ];
    let (verdict, _, sentence) = ask(&Forge::fetch("GET", server.url("/"), &headers), &grants, PATIENCE).await;
    assert_eq!((verdict, sentence.as_str()), (HealthVerdict::Healthy, "hello"));
    let expected = format!("GET / HTTP/1.1\r\nx-mine: kept\r\nhost: 127.0.0.1:{}\r\nuser-agent: towpath\r\n\r\n", server.port);
    assert_eq!(server.requests(), [expected]);
}

#[tokio::test]
async fn a_path_that_climbs_is_no_request() {
    let server = Server::start(Manner::Well).await;
    let grants = may_ask("127.0.0.1", server.port, "/api", true);
    for path in [
        "/api/../admin",
        "/api/%2e%2e/admin",
        "/api/.%2E/admin",
        "/api/..%2fadmin",
        "/api/..%5cadmin",
        "/api/./admin",
        "/api/a\\..\\b",
    ] {
        let (verdict, error, sentence) = ask(&Forge::fetch("GET", server.url(path), &[]), &grants, PATIENCE).await;
        assert_eq!((verdict, error), (HealthVerdict::Error, Some(INVALID)), "{path}: {sentence}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
}

#[tokio::test]
async fn a_method_or_a_neighbouring_path_that_was_not_granted_is_refused() {
    let server = Server::start(Manner::Well).await;
    let grants = may_ask("127.0.0.1", server.port, "/api", true);
    for (method, path) in [("DELETE", "/api"), ("POST", "/api"), ("GET", "/apis"), ("GET", "//api"), ("GET", "/")] {
        let plugin = host().load(&Forge::fetch(method, server.url(path), &[]).component()).expect("the host takes it");
        let error = assess_as(&plugin, "hostile", &grants, PATIENCE).await.expect_err("not granted");
        assert!(matches!(error.kind, CallErrorKind::Refused { power: "http", .. }), "{method} {path}: {error:?}");
    }
    assert!(server.requests().is_empty(), "{:?}", server.requests());
    neighbour_is_well().await;
}

#[tokio::test]
async fn a_flood_of_requests_ends_at_the_limit_of_host_calls() {
    let server = Server::start(Manner::Well).await;
    let mut forge = Forge::new("").power("http", "fetch", "(func $fetch (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32))");
    let (method, url) = (forge.text("GET"), forge.text(server.url("/")));
    let call = format!(
        "(call $fetch {method} {url} (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1000) (i32.const 512))"
    );
    let forge = forge.assess(&format!("(loop $again {call} (br $again)) (unreachable)"));
    let plugin = host().load(&forge.component()).expect("the host takes it");
    let grants = may_ask("127.0.0.1", server.port, "/", true);
    let error = assess_as(&plugin, "hostile", &grants, PATIENCE).await.expect_err("ten thousand are too many");
    assert_eq!(error.kind, CallErrorKind::Limit { what: Limited::HostCalls, limit: u64::from(Limits::default().host_calls) });
    assert!(error.outcome_unknown, "requests were sent");
    assert!(server.requests().len() <= Limits::default().host_calls as usize);
    neighbour_is_well().await;
}

/// A server that holds every request until it is told to answer, and counts those that it holds.
struct Holding {
    port: u16,
    held: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    open: tokio::sync::watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Holding {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (held, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (open, opened) = tokio::sync::watch::channel(false);
        let counts = (Arc::clone(&held), Arc::clone(&most));
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let ((held, most), mut opened) = (counts.clone(), opened.clone());
                tokio::spawn(async move {
                    let mut request = vec![0; 4 << 10];
                    let asked = connection.read(&mut request).await.unwrap_or(0) > 0;
                    most.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    let may = opened.wait_for(|open| *open).await.is_ok();
                    held.fetch_sub(1, Ordering::SeqCst);
                    if asked && may {
                        answer(&mut connection, Manner::Well).await;
                    }
                });
            }
        });
        Self { port, held, most, open, serving }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_requests_at_once_waits_for_its_turn_and_all_are_answered() {
    let limits = Limits { http_requests_at_once: 4, ..Limits::default() };
    let host = host_with(limits);
    let server = Holding::start().await;
    let url = format!("http://127.0.0.1:{}/", server.port);
    let hostile = host.load(&Forge::fetch("GET", &url, &[]).component()).expect("a plugin");
    let neighbour = host.load(&Forge::new(hostile::HEALTHY).component()).expect("a plugin");
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (hostile, grants) = (hostile.clone(), may_ask("127.0.0.1", server.port, "/", true));
        crowd.spawn(async move { assess_as(&hostile, &format!("d-{}", number % 8), &grants, PATIENCE).await });
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while server.held.load(Ordering::SeqCst) < 4 {
        assert!(tokio::time::Instant::now() < deadline, "{} requests came", server.held.load(Ordering::SeqCst));
        tokio::task::yield_now().await;
    }
    // Whoever is held up by requests holds up nobody else; and thirty calls have had time to send one more.
    for _ in 0..50 {
        assess_as(&neighbour, "neighbour", &Grants::default(), PATIENCE).await.expect("the neighbour's call succeeds");
    }
    server.open.send_replace(true);
    while let Some(ended) = crowd.join_next().await {
        let called = ended.expect("no call panics").expect("its turn comes");
        assert_eq!((called.answer.verdict, called.answer.sentence.as_str()), (HealthVerdict::Healthy, "hello"));
    }
    assert_eq!(server.most.load(Ordering::SeqCst), 4, "never more than may be in flight");
}
