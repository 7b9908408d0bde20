//! What really leaves the host: redirects, credentials, and whoever stands in the network's place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::backend::{HttpAnswer, HttpAsked, HttpBackend, HttpFault};
use crate::call::{CallState, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::http::{Error, Host, Request, Response};
use crate::{Grants, Limits, Options, ServerEnvironment};

/// A server that writes down what it is asked.
struct Server {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts a server that gives every request the answer that this makes of it.
    async fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ours = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 8192];
                let length = connection.read(&mut request).await.expect("a request");
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let answer = answer(&request);
                ours.lock().expect("no panic").push(request);
                // Whoever has read enough hangs up.
                let _ = connection.write_all(answer.as_bytes()).await;
            }
        });
        Self { port, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn found(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}

fn get(url: String, redirects_max: u8) -> Request {
    let headers = vec![("authorization".to_owned(), "the guest's own".to_owned())];
    Request { method: "GET".to_owned(), url, headers, body: Vec::new(), timeout_ms: 5_000, redirects_max }
}

/// Returns a state that may ask these ports of this machine, each with credentials as JSON ("null": none).
fn state(places: &[(u16, &str)]) -> CallState {
    let rule = |(port, credentials): &(u16, &str)| {
        format!(
            r#"{{"scheme":"http","host":"127.0.0.1","port":{port},"methods":["GET","POST"],"private":true,"credentials":{credentials}}}"#
        )
    };
    let rules = places.iter().map(rule).collect::<Vec<_>>().join(",");
    let grants: Grants = serde_json::from_str(&format!(r#"{{"http":{{"allow":[{rules}]}}}}"#)).expect("a grant");
    let variables = BTreeMap::from([
        ("TOKEN".to_owned(), "a-long-bearer-token".to_owned()),
        ("KEY_ID".to_owned(), "AKIDEXAMPLE".to_owned()),
        ("KEY".to_owned(), "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
    ]);
    let environment: ServerEnvironment = variables.into_iter().collect();
    testing::state_on(grants, Options { environment, ..Options::default() })
}

/// Returns a state that may ask this port of this machine within limits of its rule's own.
fn limited(port: u16, limits: &str) -> CallState {
    let rule = format!(r#"{{"scheme":"http","host":"127.0.0.1","port":{port},"private":true,{limits}}}"#);
    let grants: Grants = serde_json::from_str(&format!(r#"{{"http":{{"allow":[{rule}]}}}}"#)).expect("a grant");
    testing::state_on(grants, Options::default())
}

async fn fetch(state: &mut CallState, request: Request) -> Result<Response, Error> {
    state.fetch(request).await.expect("no trap")
}

#[tokio::test]
async fn a_redirect_is_followed_where_it_is_granted_and_credentials_stay_behind() {
    let end = Server::start(|_| ok("the end")).await;
    let location = format!("http://127.0.0.1:{}/end", end.port);
    let start = Server::start(move |_| found(&location)).await;
    let mut state = state(&[(start.port, r#"{"bearer":{"environment":"TOKEN"}}"#), (end.port, "null")]);
    let url = format!("http://127.0.0.1:{}/start", start.port);

    let answer = fetch(&mut state, get(url.clone(), 0)).await.expect("an answer");
    assert_eq!(answer.status, 302, "told to follow none");
    let answer = fetch(&mut state, get(url, 1)).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"the end".as_slice()));

    assert!(start.heard()[0].contains("authorization: Bearer a-long-bearer-token\r\n"), "{:?}", start.heard());
    let heard = end.heard();
    assert!(heard[0].starts_with("GET /end HTTP/1.1\r\n") && !heard[0].contains("authorization"), "{heard:?}");
}

#[tokio::test]
async fn what_the_guest_set_for_one_place_is_not_sent_to_another() {
    let end = Server::start(|_| ok("the end")).await;
    let location = format!("http://127.0.0.1:{}/end", end.port);
    let start =
        Server::start(move |request| if request.starts_with("GET /start") { found("/near") } else { found(&location) }).await;
    let mut state = state(&[(start.port, "null"), (end.port, "null")]);
    let mut request = get(format!("http://127.0.0.1:{}/start", start.port), 2);
    request
        .headers
        .extend([("X-Api-Key", "k3y"), ("Accept", "text/plain")].map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(fetch(&mut state, request).await.expect("an answer").status, 200);
    let near = start.heard();
    assert!(near.len() == 2 && near.iter().all(|heard| heard.contains("x-api-key: k3y")), "{near:?}");
    let far = end.heard();
    assert!(far[0].contains("accept: text/plain") && !far[0].contains("k3y"), "{far:?}");
}

#[tokio::test]
async fn a_redirect_to_where_nothing_is_granted_fails_the_call() {
    let server = Server::start(|_| found("http://169.254.169.254/latest/meta-data/")).await;
    let mut state = state(&[(server.port, "null")]);
    let answer = fetch(&mut state, get(format!("http://127.0.0.1:{}/", server.port), 10)).await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    let Some(CallErrorKind::Forbidden { power: "http", reason }) = state.transcript.stopped() else { panic!("not refused") };
    assert!(reason.contains("169.254.169.254:80") && reason.contains("link-local"), "{reason}");
}

/// Returns what a request to here is refused with under these rules.
async fn refusal(rules: &str, url: &str) -> CallErrorKind {
    let grants: Grants = serde_json::from_str(&format!(r#"{{"http":{{"allow":[{rules}]}}}}"#)).expect("a grant");
    let mut state = testing::state(grants, Limits::default());
    let answer = fetch(&mut state, get(url.to_owned(), 0)).await;
    assert!(matches!(answer, Err(Error::Refused(_))), "{url}: {answer:?}");
    assert!(!state.transcript.sent(), "nothing was sent");
    state.transcript.stopped().expect("the call fails")
}

#[tokio::test]
async fn no_line_to_copy_opens_the_link_whatever_was_granted() {
    let rule = |more: &str| format!(r#"{{"scheme":"http","host":"169.254.169.254"{more}}}"#);
    for rules in [String::new(), rule("")] {
        let CallErrorKind::Forbidden { power: "http", reason } = refusal(&rules, "http://169.254.169.254/").await else {
            panic!("a line was shown under {rules}")
        };
        assert!(reason.contains("link-local") && reason.contains("names the address itself"), "{reason}");
    }
    for nowhere in ["http://0.0.0.0/", "http://[ff02::1]/", "http://255.255.255.255/"] {
        let refused = refusal("", nowhere).await;
        assert!(matches!(refused, CallErrorKind::Forbidden { .. }), "{nowhere}: {refused:?}");
    }
}

#[tokio::test]
async fn the_line_of_a_refusal_opens_what_was_asked_for() {
    let server = Server::start(|_| ok("well")).await;
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/x", server.port);
        let mut rules = String::new();
        // A name that leads inside needs a second line, which says so.
        for _ in 0..2 {
            let grants: Grants = serde_json::from_str(&format!(r#"{{"http":{{"allow":[{rules}]}}}}"#)).expect("a grant");
            let mut state = testing::state(grants, Limits::default());
            if fetch(&mut state, get(url.clone(), 0)).await.is_ok() {
                break;
            }
            let Some(CallErrorKind::Refused { line, .. }) = state.transcript.stopped() else { panic!("{url}: not refused") };
            let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            rules = line["http"]["allow"][0].to_string();
        }
        let grants: Grants = serde_json::from_str(&format!(r#"{{"http":{{"allow":[{rules}]}}}}"#)).expect("a grant");
        let mut state = testing::state(grants, Limits::default());
        assert_eq!(fetch(&mut state, get(url, 0)).await.expect("granted").body, b"well");
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let server = Server::start(|_| found("/again")).await;
    let mut state = state(&[(server.port, "null")]);
    let answer = fetch(&mut state, get(format!("http://127.0.0.1:{}/", server.port), u8::MAX)).await.expect("an answer");
    assert_eq!((answer.status, server.heard().len()), (302, 11), "the first and ten more");
}

#[tokio::test]
async fn each_kind_of_credentials_is_added_by_the_host() {
    let server = Server::start(|_| ok("well")).await;
    let ask = async |credentials: &str| {
        let mut state = state(&[(server.port, credentials)]);
        fetch(&mut state, get(format!("http://127.0.0.1:{}/x?a=b", server.port), 0)).await.expect("an answer");
        server.heard().pop().expect("a request")
    };
    let heard = ask(r#"{"basic":{"user":"deploy","password":{"environment":"TOKEN"}}}"#).await;
    assert!(heard.contains("authorization: Basic ZGVwbG95OmEtbG9uZy1iZWFyZXItdG9rZW4=\r\n"), "{heard}");
    let keys = r#"{"accessKeyId":{"environment":"KEY_ID"},"secretAccessKey":{"environment":"KEY"},"sessionToken":{"environment":"TOKEN"}}"#;
    let heard = ask(&format!(r#"{{"awsSigV4":{{"service":"lambda","region":"eu-central-1","keys":{keys}}}}}"#)).await;
    assert!(heard.contains("/eu-central-1/lambda/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, "), "{heard}");
    assert!(heard.contains("x-amz-security-token: a-long-bearer-token\r\n"), "{heard}");
    assert!(!heard.contains("the guest's own") && !heard.contains("wJalrXUtnFEMI"), "{heard}");
}

#[tokio::test]
async fn an_answer_that_repeats_the_credentials_is_withheld() {
    let server = Server::start(ok).await;
    let mut state = state(&[(server.port, r#"{"bearer":{"environment":"TOKEN"}}"#)]);
    let answer = fetch(&mut state, get(format!("http://127.0.0.1:{}/", server.port), 0)).await;
    let Err(Error::Broken(why)) = &answer else { panic!("{answer:?}") };
    let traced = format!("{:?}", state.transcript.take_uses());
    assert!(!why.contains("a-long") && !traced.contains("a-long"), "{why} {traced}");
}

#[tokio::test]
async fn credentials_that_cannot_be_read_send_nothing_and_say_where_they_were_looked_for() {
    let server = Server::start(|_| ok("well")).await;
    for (credentials, expect) in [
        (r#"{"bearer":{"environment":"NOBODY_SET_IT"}}"#, "NOBODY_SET_IT"),
        (r#"{"bearer":{"file":"/nowhere/token"}}"#, "/nowhere/token"),
        (r#"{"certificate":{"certificateFile":"/a","keyFile":"/b"}}"#, "https"),
    ] {
        let mut state = state(&[(server.port, credentials)]);
        let answer = fetch(&mut state, get(format!("http://127.0.0.1:{}/", server.port), 0)).await;
        assert!(matches!(&answer, Err(Error::Unreachable(why)) if why.contains(expect)), "{answer:?}");
        assert!(!state.transcript.sent() && server.heard().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn a_bearer_token_does_not_travel_in_the_open() {
    let grants =
        r#"{"http":{"allow":[{"scheme":"http","host":"93.184.216.34","credentials":{"bearer":{"environment":"TOKEN"}}}]}}"#;
    let environment: ServerEnvironment = [("TOKEN".to_owned(), "t".to_owned())].into_iter().collect();
    let grants: Grants = serde_json::from_str(grants).expect("a grant");
    let mut state = testing::state_on(grants, Options { environment, ..Options::default() });
    let answer = fetch(&mut state, get("http://93.184.216.34/".to_owned(), 0)).await;
    assert!(matches!(&answer, Err(Error::Unreachable(why)) if why.contains("https")), "{answer:?}");
}

/// A world in which every address answers with itself.
struct Mirror;

#[async_trait::async_trait]
impl HttpBackend for Mirror {
    async fn send(&self, asked: HttpAsked) -> Result<HttpAnswer, HttpFault> {
        match asked.url.as_str() {
            "https://api.example.com:443/gone" => Err(HttpFault::Unreachable("gone".to_owned())),
            url => Ok(HttpAnswer { status: 200, headers: Vec::new(), body: format!("{} {url}", asked.method).into_bytes() }),
        }
    }
}

#[tokio::test]
async fn a_fake_world_answers_what_is_granted_and_nothing_else() {
    let grants: Grants = serde_json::from_str(r#"{"http":{"allow":[{"host":"api.example.com"}]}}"#).expect("a grant");
    let mut state = testing::state_on(grants, Options { http: Some(Arc::new(Mirror)), ..Options::default() });
    let answer = fetch(&mut state, get("https://api.example.com/x".to_owned(), 0)).await.expect("an answer");
    assert_eq!(answer.body, b"GET https://api.example.com:443/x");
    let gone = fetch(&mut state, get("https://api.example.com/gone".to_owned(), 0)).await;
    assert!(matches!(gone, Err(Error::Unreachable(_))), "{gone:?}");
    let refused = fetch(&mut state, get("https://elsewhere.example.com/".to_owned(), 0)).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn an_answer_may_be_as_large_as_its_rule_says_and_no_larger() {
    let at_host = Limits::default().http_response_bytes;
    let server = Server::start(move |_| ok(&"x".repeat(at_host + 1))).await;
    let url = || format!("http://127.0.0.1:{}/", server.port);
    let answer = fetch(&mut limited(server.port, r#""timeoutMs":60000"#), get(url(), 0)).await;
    assert!(matches!(answer, Err(Error::TooLarge(limit)) if limit == at_host as u64), "the host's own limit: {answer:?}");
    let answer = fetch(&mut limited(server.port, r#""responseBytesMax":8388608"#), get(url(), 0)).await.expect("it is allowed");
    assert_eq!(answer.body.len(), at_host + 1);
    let small = Server::start(|_| ok("12345")).await;
    let answer =
        fetch(&mut limited(small.port, r#""responseBytesMax":4"#), get(format!("http://127.0.0.1:{}/", small.port), 0)).await;
    assert!(matches!(answer, Err(Error::TooLarge(4))), "{answer:?}");
}

#[tokio::test]
async fn a_request_takes_no_longer_than_its_rule_says() {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    let patient = Request { timeout_ms: u32::MAX, ..get(format!("http://127.0.0.1:{port}/"), 0) };
    let mut state = limited(port, r#""timeoutMs":50"#);
    let answer = fetch(&mut state, patient).await;
    assert!(matches!(answer, Err(Error::Timeout)), "{answer:?}");
    assert!(!state.time_left(u32::MAX).is_zero(), "the call itself has time left");
}
