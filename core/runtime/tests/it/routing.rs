//! What happens to one request on its way.

use http::{Method, StatusCode};
use runtime::protocol::{Match, Side, Sticky, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::stage::{Caller, Stage, weight};

async fn ask(caller: &mut Caller, header: (&str, &str)) -> String {
    caller.ask(Method::GET, "/", &[header], "").await.unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn matches_and_sticky_cookies_hold_against_the_weight() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &[]));
    let rule = Match { header: Some("x-beta".to_owned()), cookie: None, value: "yes".to_owned(), side: Side::Candidate };
    let traffic = |candidate_basis_points| {
        let sticky = Some(Sticky::Cookie("user".to_owned()));
        Some(Traffic {
            candidate_basis_points,
            matches: vec![rule.clone()],
            mirror_basis_points: 0,
            sticky,
            release_header: true,
        })
    };
    let endpoint = stage.bring(Some(&v1), Some(&v2), traffic(3000)).await.public_endpoint.unwrap();
    let mut caller = Caller::connect(&endpoint).await;
    for _ in 0..20 {
        assert_eq!(ask(&mut caller, ("x-beta", "yes")).await, "v2");
    }
    let mut first = Vec::new();
    for user in 0..40 {
        let cookie = format!("theme=dark; user=u{user}");
        let side = ask(&mut caller, ("cookie", &cookie)).await;
        for _ in 0..5 {
            assert_eq!(ask(&mut caller, ("cookie", &cookie)).await, side, "user {user} changed sides");
        }
        first.push((cookie, side));
    }
    assert!(first.iter().any(|(_, side)| side == "v1") && first.iter().any(|(_, side)| side == "v2"));
    stage.bring(Some(&v1), Some(&v2), traffic(6000)).await;
    for (cookie, side) in first.iter().filter(|(_, side)| side == "v2") {
        assert_eq!(&ask(&mut caller, ("cookie", cookie)).await, side, "a growing weight moved {cookie} back");
    }
    let (_, headers, version) = caller.ask_all(Method::GET, "/", &[("x-beta", "yes")], "").await.unwrap();
    assert_eq!(headers["x-towpath-release"], version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_that_fails_or_sleeps_is_not_noticed() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let traffic = Some(Traffic { mirror_basis_points: 10_000, ..weight(0).unwrap() });
    for words in [&["fail"][..], &["delay=600000"]] {
        let v2 = stage.release(&format!("v2-{}", words[0].replace('=', "-")), words);
        let endpoint = stage.bring(Some(&v1), Some(&v2), traffic.clone()).await.public_endpoint.unwrap();
        let mut caller = Caller::connect(&endpoint).await;
        for n in 0..100 {
            let body = format!("body {n}");
            let answer = caller.ask(Method::POST, "/echo", &[], &body).await.unwrap();
            assert_eq!(answer, (StatusCode::OK, body), "with a mirror that was told {words:?}");
        }
        let instance = stage.status().await.groups[1].endpoints[0].clone();
        let mut inside = Caller::connect(&instance).await;
        while inside.get("/mirrored").await.1 == "0" {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(stage.status().await.counters.stable.unwrap().errors, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mirrored_answers_are_counted_as_the_candidates() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &["fail"]));
    let traffic = Some(Traffic { mirror_basis_points: 5000, ..weight(0).unwrap() });
    let endpoint = stage.bring(Some(&v1), Some(&v2), traffic).await.public_endpoint.unwrap();
    let mut caller = Caller::connect(&endpoint).await;
    for _ in 0..200 {
        assert_eq!(caller.get("/").await, (StatusCode::OK, "v1".to_owned()));
    }
    let status = stage.status_when(|s| s.counters.candidate.as_ref().is_some_and(|c| c.requests >= 98)).await;
    let candidate = status.counters.candidate.unwrap();
    assert_eq!((candidate.requests, candidate.errors), (candidate.mirrored, candidate.mirrored));
    assert!(candidate.mirrored <= 102, "{candidate:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_that_is_not_ready_spills_to_stable() {
    let mut stage = Stage::new().await;
    let (v1, v2) = (stage.release("v1", &[]), stage.release("v2", &["unready"]));
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let desired = stage.next(Some(&v1), Some(&v2), weight(5000));
    assert!(!stage.apply(&desired).await.unwrap().converged);
    let mut caller = Caller::connect(&endpoint).await;
    for _ in 0..100 {
        assert_eq!(caller.get("/").await, (StatusCode::OK, "v1".to_owned()));
    }
    let status = stage.status_when(|s| s.groups[1].last_error.is_some()).await;
    let spilled = status.counters.candidate.as_ref().unwrap().spilled;
    assert!((48..=52).contains(&spilled), "{spilled}");
    assert_eq!(status.groups[1].last_error.as_deref(), Some("readiness probe of /healthz was answered with 503"));
    assert_eq!(status.message, "v2: 0 of 1 ready (readiness probe of /healthz was answered with 503)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_traffic_callers_are_told_and_the_port_stays() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let endpoint = stage.bring(Some(&v1), None, None).await.public_endpoint.unwrap();
    let mut caller = Caller::connect(&endpoint).await;
    let answer = caller.get("/").await;
    assert_eq!(answer, (StatusCode::SERVICE_UNAVAILABLE, "no instance of this service is ready\n".to_owned()));
    assert_eq!(stage.status().await.counters.unserved, 1);
    stage.bring(Some(&v1), None, weight(0)).await;
    assert_eq!(caller.get("/").await.1, "v1", "on the same connection");
    let none = stage.bring(None, None, None).await;
    assert_eq!((none.public_endpoint, none.message.as_str()), (None, "nothing runs, as wanted"));
    assert!(TcpStream::connect(&endpoint).await.is_err(), "the port is closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_are_rewritten_and_bodies_pass() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let mut caller = Caller::connect(&endpoint).await;
    let asked = [("connection", "x-mine"), ("x-mine", "1"), ("x-forwarded-for", "9.9.9.9")];
    let head = caller.ask(Method::GET, "/head", &asked, "").await.unwrap().1;
    assert!(head.contains("\"x-forwarded-for\": \"9.9.9.9, 127.0.0.1\"") && head.contains("\"host\": \"web.test\""), "{head}");
    assert!(!head.contains("x-mine"), "{head}");
    let large = "0123456789abcdef".repeat(1 << 16);
    assert_eq!(caller.ask(Method::POST, "/echo", &[], &large).await.unwrap(), (StatusCode::OK, large));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switched_protocol_is_tunnelled() {
    let mut stage = Stage::new().await;
    let v1 = stage.release("v1", &[]);
    let endpoint = stage.bring(Some(&v1), None, weight(0)).await.public_endpoint.unwrap();
    let mut stream = TcpStream::connect(&endpoint).await.unwrap();
    let head = "GET /switch HTTP/1.1\r\nhost: web.test\r\nconnection: upgrade\r\nupgrade: shout\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&answer));
    stream.write_all(b"hello").await.unwrap();
    let mut shouted = [0; 5];
    stream.read_exact(&mut shouted).await.unwrap();
    assert_eq!(&shouted, b"HELLO");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_flight_is_finished_before_its_instance_stops() {
    let mut stage = Stage::new().await;
    let (slow, v2) = (stage.release("v1", &["delay=700"]), stage.release("v2", &[]));
    let endpoint = stage.bring(Some(&slow), None, weight(0)).await.public_endpoint.unwrap();
    let asked = tokio::spawn(async move { Caller::connect(&endpoint).await.get("/").await });
    let mut inside = Caller::connect(&stage.status().await.groups[0].endpoints[0]).await;
    while inside.get("/begun").await.1 == "0" {
        tokio::task::yield_now().await;
    }
    let after = stage.bring(Some(&v2), None, weight(0)).await;
    assert!(after.retiring.is_empty());
    assert_eq!(asked.await.unwrap(), (StatusCode::OK, "v1".to_owned()));
}
