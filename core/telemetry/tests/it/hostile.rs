//! Input that wants to break the receiver: it answers, stays, and takes no more memory than it says.

use http::{Method, StatusCode};
use model::{EnvironmentName, Scope, ServiceName};
use prost::Message;
use telemetry::limits::{
    HELD_NUMBERS_PER_SCOPE_MAX, KEPT_NUMBERS_PER_SCOPE_MAX, NAME_BYTES_PER_SCOPE_MAX, SERIES_PER_SCOPE_MAX,
    STREAMS_PER_SCOPE_MAX, TURNED_AWAY_KNOWN_MAX,
};
use telemetry::point::{Identity, Kind, Point, Share, Span, Writer};
use telemetry::receiver::Admission;
use telemetry::{Aggregates, Query, Sums};

use crate::chance::Chance;
use crate::messages::{every_kind, gauge, number, request};
use crate::rig::{EXPORT, Rig, T, T_NS, gzip};

/// Changes a message a little.
fn damaged(message: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = message.to_vec();
    for _ in 0..chance.between(1, 6) {
        let at = chance.below(bytes.len().max(1) as u64) as usize;
        match chance.below(5) {
            0 if !bytes.is_empty() => bytes[at] = chance.bits() as u8,
            1 if !bytes.is_empty() => bytes[at] ^= 1 << chance.below(8),
            2 => bytes.insert(at, [0, 1, 0x7f, 0x80, 0xff][chance.below(5) as usize]),
            3 if !bytes.is_empty() => drop(bytes.remove(at)),
            4 if chance.once_in(8) => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

fn answered(status: StatusCode) -> bool {
    [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::PAYLOAD_TOO_LARGE].contains(&status)
}

/// Sees that a receiver still takes what is good.
async fn still_works(rig: &Rig) {
    let mut metric = gauge(1.0, T_NS + 999);
    metric.name = "after".to_owned();
    let message = request("web", vec![metric]).encode_to_vec();
    assert_eq!(rig.http().await.post(&[], message).await.status, StatusCode::OK);
    assert_eq!(rig.count("after"), 1);
}

#[tokio::test]
async fn damaged_messages_are_answered() {
    let rig = Rig::start(Admission::anybody()).await;
    let (mut http, mut grpc) = (rig.http().await, rig.grpc().await);
    let message = request("web", every_kind(T_NS)).encode_to_vec();
    let mut understood = 0;
    for seed in 1..=3_000 {
        let bytes = damaged(&message, &mut Chance::new(seed));
        let answer = http.post(&[], bytes.clone()).await;
        assert!(answered(answer.status), "seed {seed}: {answer:?}");
        understood += u32::from(answer.status == StatusCode::OK);
        if seed % 4 == 0 {
            let (status, said) = grpc.call(EXPORT, &[], &bytes).await.grpc();
            assert!([0, 3, 8].contains(&status), "seed {seed}: {status} {said}");
        }
    }
    assert!((100..2_900).contains(&understood), "{understood} were still messages");
    still_works(&rig).await;
}

#[tokio::test]
async fn damaged_json_is_answered() {
    let rig = Rig::start(Admission::anybody()).await;
    let mut http = rig.http().await;
    let message = serde_json::to_vec(&request("web", every_kind(T_NS))).unwrap();
    for seed in 1..=1_000 {
        let bytes = damaged(&message, &mut Chance::new(seed));
        let answer = http.send(Method::POST, "/v1/metrics", &[("content-type", "application/json")], bytes).await;
        assert!(answered(answer.status), "seed {seed}: {answer:?}");
    }
    let deep = format!("{{\"resourceMetrics\":{}", "[".repeat(200_000)).into_bytes();
    let answer = http.send(Method::POST, "/v1/metrics", &[("content-type", "application/json")], deep).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    still_works(&rig).await;
}

#[tokio::test]
async fn random_bytes_are_answered() {
    let rig = Rig::start(Admission::anybody()).await;
    let (mut http, mut grpc) = (rig.http().await, rig.grpc().await);
    for seed in 1..=1_000 {
        let chance = &mut Chance::new(seed);
        let bytes: Vec<u8> = (0..chance.below(400)).map(|_| chance.bits() as u8).collect();
        let packed = [("content-encoding", "gzip")];
        for (headers, body) in [(&[][..], bytes.clone()), (&packed, bytes.clone()), (&packed, gzip(&bytes))] {
            let answer = http.post(headers, body).await;
            assert!(answered(answer.status), "seed {seed}: {answer:?}");
        }
        // As a frame of gRPC: whatever comes of it, it is an answer.
        let answer = grpc.send(EXPORT, &[], bytes).await;
        assert!(answer.grpc().0 >= 0, "seed {seed}: {answer:?}");
    }
    still_works(&rig).await;
}

#[tokio::test]
async fn bombs_are_refused() {
    let rig = Rig::start(Admission::anybody()).await;
    let zeros = gzip(&vec![0; 64 << 20]);
    assert!(zeros.len() < 100_000, "{}", zeros.len());
    let answer = rig.http().await.post(&[("content-encoding", "gzip")], zeros.clone()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(String::from_utf8_lossy(&answer.body).contains("unpacked it has more than"));
    let (status, said) = rig.grpc().await.call(EXPORT, &[("grpc-encoding", "gzip")], &zeros).await.grpc();
    assert!(status == 8 && said.contains("size limit"), "{status} {said}");
    // Small on the wire and unpacked, large once it is read.
    let mut metric = gauge(1.0, T_NS);
    let Some(opentelemetry_proto::tonic::metrics::v1::metric::Data::Gauge(points)) = &mut metric.data else { panic!("a gauge") };
    points.data_points = vec![Default::default(); 1_500_000];
    let message = request("web", vec![metric]).encode_to_vec();
    let answer = rig.http().await.post(&[], message).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(String::from_utf8_lossy(&answer.body).contains("its parts take more than"));
    still_works(&rig).await;
}

#[tokio::test]
async fn many_points_of_one_series_in_a_request_are_cut_short() {
    let rig = Rig::start(Admission::anybody()).await;
    let mut metric = gauge(1.0, T_NS);
    let Some(opentelemetry_proto::tonic::metrics::v1::metric::Data::Gauge(points)) = &mut metric.data else { panic!("a gauge") };
    points.data_points = (0..50_000).map(|at| number(1.0, T_NS + at)).collect();
    let answer = rig.http().await.post(&[], request("web", vec![metric]).encode_to_vec()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(String::from_utf8_lossy(&answer.body).contains("more than 100 points of one series"));
    assert_eq!(rig.count("level"), 100);
}

/// Returns how much memory this process has, in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4_096
}

#[test]
fn a_million_series_take_no_more_than_is_said() {
    let scope = Scope { service: ServiceName::new("web").unwrap(), environment: EnvironmentName::new("production").unwrap() };
    let mut aggregates = Aggregates::default();
    let before = resident();
    let (metric, release) = ("level".into(), "v1".into());
    for thousand in 0..1_000_u64 {
        let now_ms = T + i64::try_from(thousand).unwrap() * 100;
        let point = |number: u64| {
            let attributes = vec![("user.id".to_owned(), format!("{thousand}-{number}"))];
            let identity = Identity::new(&metric, &release, attributes, Share::Own).unwrap();
            let (kind, span, sums) = (Kind::Gauge, Span::Own, Sums::of_value(1.0));
            let (writer, at_ns) = (Writer(1), u64::try_from(now_ms).unwrap() * 1_000_000);
            Point { identity, unit: "1".into(), writer, kind, span, at_ns, start_ns: 0, sums }
        };
        aggregates.take(&scope, (0..1_000).map(point).collect(), now_ms);
    }
    let usage = aggregates.usage();
    assert_eq!(usage.series, SERIES_PER_SCOPE_MAX);
    assert!(usage.streams <= STREAMS_PER_SCOPE_MAX && usage.name_bytes <= NAME_BYTES_PER_SCOPE_MAX, "{usage:?}");
    assert!(usage.held_numbers <= HELD_NUMBERS_PER_SCOPE_MAX && usage.kept_numbers <= KEPT_NUMBERS_PER_SCOPE_MAX, "{usage:?}");
    let query = Query { metric: "level".to_owned(), from_ms: T, to_ms: T + 200_000, ..Query::default() };
    let reading = aggregates.read(&scope, &query, T + 200_000).unwrap();
    assert_eq!(reading.turned_away as usize, TURNED_AWAY_KNOWN_MAX, "at least so many");
    // Other tests run beside this one: their messages are in the number as well. A million series would take twice as much.
    let grown = resident().saturating_sub(before);
    assert!(grown < 250 << 20, "{grown} bytes more");
}
