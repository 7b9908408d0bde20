//! What the receiver says to whom: both protocols, both forms, everything that can be wrong with a request.

use http::{Method, StatusCode};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use telemetry::limits::{REQUEST_BYTES_MAX, REQUESTS_MAX};
use telemetry::receiver::{Admission, Options, ReceiverError, serve};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

use crate::messages::{every_kind, gauge, request};
use crate::rig::{EXPORT, Rig, T, T_NS, gzip, until};

#[tokio::test]
async fn metrics_are_taken_over_grpc() {
    let rig = Rig::start(Admission::anybody()).await;
    let message = request("web", every_kind(T_NS)).encode_to_vec();
    let mut grpc = rig.grpc().await;
    let answer = grpc.call(EXPORT, &[], &message).await;
    assert_eq!(answer.grpc(), (0, String::new()));
    assert_eq!(answer.message::<ExportMetricsServiceResponse>().partial_success, None);
    let packed = gzip(&request("web", vec![gauge(2.5, T_NS + 1)]).encode_to_vec());
    assert_eq!(grpc.call(EXPORT, &[("grpc-encoding", "gzip")], &packed).await.grpc().0, 0);
    let level = rig.read_from("level", T);
    assert_eq!((level.windows[0].count, level.windows[0].sum, level.windows[0].start_ms), (2, 4.0, T));
    assert_eq!(["added", "times", "sizes"].map(|metric| rig.count(metric)), [7, 3, 3]);
    assert_eq!(rig.read_from("times", T).windows[0].counts, [2, 0, 1]);
    rig.stop().await;
}

#[tokio::test]
async fn metrics_are_taken_over_http_as_protobuf_and_as_json() {
    let rig = Rig::start(Admission::anybody()).await;
    let mut http = rig.http().await;
    let message = request("web", vec![gauge(1.0, T_NS)]).encode_to_vec();
    let answer = http.post(&[], message).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/x-protobuf"));
    assert_eq!(ExportMetricsServiceResponse::decode(answer.body).unwrap().partial_success, None);
    let packed = gzip(&request("web", vec![gauge(2.0, T_NS + 1)]).encode_to_vec());
    assert_eq!(http.post(&[("content-encoding", "gzip")], packed).await.status, StatusCode::OK);
    let json = serde_json::to_vec(&request("web", vec![gauge(4.0, T_NS + 2)])).unwrap();
    let kind = [("content-type", "application/json; charset=utf-8")];
    let answer = http.send(Method::POST, "/v1/metrics", &kind, json).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(rig.read_from("level", T).windows[0].sum, 7.0);
    rig.stop().await;
}

/// As the example of the protocol's own repository has it: numbers of 64 bits as texts, enumerations as numbers.
const JSON: &str = r#"{"resourceMetrics":[{"resource":{"attributes":[
    {"key":"service.name","value":{"stringValue":"web"}},
    {"key":"deployment.environment.name","value":{"stringValue":"production"}},
    {"key":"service.version","value":{"stringValue":"v1"}}]},
  "scopeMetrics":[{"scope":{"name":"my.library","version":"1.0.0","attributes":[]},"metrics":[
    {"name":"my.counter","unit":"1","description":"a counter","sum":{"aggregationTemporality":1,"isMonotonic":true,
      "dataPoints":[{"asDouble":5,"startTimeUnixNano":"1795391999000000000","timeUnixNano":"1795392000300000000",
        "attributes":[{"key":"my.counter.attr","value":{"stringValue":"some value"}}]}]}},
    {"name":"my.histogram","unit":"1","histogram":{"aggregationTemporality":1,"dataPoints":[
        {"startTimeUnixNano":"1795391999000000000","timeUnixNano":"1795392000300000000","count":"2","sum":2,"bucketCounts":["1","1"],
         "explicitBounds":[1],"min":0,"max":2,"attributes":[]}]}}]}]}],"unknownField":{"a":[1,2]}}"#;

#[tokio::test]
async fn json_as_the_protocol_writes_it_is_understood() {
    let rig = Rig::start(Admission::anybody()).await;
    let kind = [("content-type", "application/json")];
    let answer = rig.http().await.send(Method::POST, "/v1/metrics", &kind, JSON.as_bytes().to_vec()).await;
    assert_eq!((answer.status, answer.body.as_ref()), (StatusCode::OK, b"{\"partialSuccess\":null}".as_ref()));
    assert_eq!((rig.count("my.counter"), rig.count("my.histogram")), (5, 2));
}

#[tokio::test]
async fn what_is_turned_away_is_told_as_partial_success() {
    let rig = Rig::start(Admission::anybody()).await;
    let expected = "there is no service \"shop\" with an environment \"production\" here";
    let unknown = request("shop", every_kind(T_NS)).encode_to_vec();
    let grpc = rig.grpc().await.call(EXPORT, &[], &unknown).await;
    assert_eq!(grpc.grpc().0, 0);
    let http = rig.http().await.post(&[], unknown).await;
    assert_eq!(http.status, StatusCode::OK);
    let over_http = ExportMetricsServiceResponse::decode(http.body).unwrap();
    for answer in [grpc.message::<ExportMetricsServiceResponse>(), over_http] {
        let partial = answer.partial_success.unwrap();
        assert_eq!((partial.rejected_data_points, partial.error_message.as_str()), (5, expected));
    }
    assert_eq!((rig.telemetry.strangers().points, rig.telemetry.strangers().last_refusal.as_str()), (10, expected));
    let mixed = request("web", vec![gauge(f64::NAN, T_NS), gauge(1.0, T_NS)]).encode_to_vec();
    let answer = ExportMetricsServiceResponse::decode(rig.http().await.post(&[], mixed).await.body).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_data_points, 1);
    assert!(partial.error_message.contains("NaN is not a number"), "{}", partial.error_message);
    assert_eq!(rig.count("level"), 1);
    let tally = &rig.telemetry.view()[0].tally;
    assert_eq!((tally.taken, tally.refused), (1, 1), "what could not be made into a point is in the service's own count");
}

#[tokio::test]
async fn what_cannot_be_judged_now_is_to_be_sent_again_whole() {
    let rig = Rig::start(Admission::anybody()).await;
    let mut message = request("web", vec![gauge(1.0, T_NS)]);
    message.resource_metrics.extend(request("unsure", vec![gauge(1.0, T_NS)]).resource_metrics);
    let message = message.encode_to_vec();
    let http = rig.http().await.post(&[], message.clone()).await;
    assert_eq!((http.status, http.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    let (status, said) = rig.grpc().await.call(EXPORT, &[], &message).await.grpc();
    assert!(status == 14 && said.contains("the store cannot be reached"), "{status} {said}");
    assert_eq!(rig.count("level"), 0, "nothing of it was taken");
}

#[tokio::test]
async fn only_who_shows_the_token_gets_in() {
    let rig = Rig::start(Admission::token("secret")).await;
    let message = request("web", vec![gauge(1.0, T_NS)]).encode_to_vec();
    let (mut grpc, mut http) = (rig.grpc().await, rig.http().await);
    for headers in [&[][..], &[("authorization", "Bearer wrong")]] {
        let (status, said) = grpc.call(EXPORT, headers, &message).await.grpc();
        assert_eq!(status, 16, "{said}");
        let answer = http.post(headers, message.clone()).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"));
    }
    assert_eq!(rig.count("level"), 0);
    let right = [("authorization", "Bearer secret")];
    assert_eq!(grpc.call(EXPORT, &right, &message).await.grpc().0, 0);
    assert_eq!(http.post(&right, message).await.status, StatusCode::OK);
    assert_eq!(rig.count("level"), 1, "the same point came twice");
}

#[tokio::test]
async fn beyond_loopback_nothing_is_taken_without_a_token() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    struct Nobody;
    impl telemetry::otlp::Directory for Nobody {
        fn knows(&self, _: &model::Scope) -> Result<bool, telemetry::otlp::NotNow> {
            Ok(false)
        }
    }
    let options = Options {
        telemetry: std::sync::Arc::default(),
        directory: std::sync::Arc::new(Nobody),
        admission: Admission::anybody(),
        now_ms: std::sync::Arc::new(|| T),
    };
    let refused = serve(listener, options, async {}).await.unwrap_err();
    assert!(matches!(refused, ReceiverError::Open(found) if found == address), "{refused}");
    assert!(refused.to_string().contains("on a loopback address only, and 0.0.0.0:"), "{refused}");
}

#[tokio::test]
async fn requests_that_are_none_are_told_what_is_taken() {
    let rig = Rig::start(Admission::anybody()).await;
    let mut http = rig.http().await;
    let kind = ("content-type", "application/x-protobuf");
    let mut check = async |method, path: &str, headers: &[(&str, &str)], body: &[u8], status: StatusCode, said: &str| {
        let answer = http.send(method, path, headers, body.to_vec()).await;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, status, "{path} {text}");
        assert!(text.contains(said), "{text}");
        answer
    };
    check(Method::POST, "/v1/traces", &[kind], b"", StatusCode::NOT_FOUND, "metrics are taken here, at /v1/metrics").await;
    let get = check(Method::GET, "/v1/metrics", &[], b"", StatusCode::METHOD_NOT_ALLOWED, "with POST, not GET").await;
    assert_eq!(get.header("allow"), "POST");
    let media = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    check(Method::POST, "/v1/metrics", &[], b"", media, "application/x-protobuf or application/json").await;
    check(Method::POST, "/v1/metrics", &[("content-type", "text/plain")], b"", media, "application/x-protobuf").await;
    check(Method::POST, "/v1/metrics", &[kind, ("content-encoding", "br")], b"", media, "plain or with gzip").await;
    let bad = StatusCode::BAD_REQUEST;
    check(Method::POST, "/v1/metrics", &[kind], b"\xff\xff", bad, "not a message").await;
    check(Method::POST, "/v1/metrics", &[kind, ("content-encoding", "gzip")], b"abc", bad, "cannot be unpacked").await;
    let json = ("content-type", "application/json");
    check(Method::POST, "/v1/metrics", &[json], b"{\"resourceMetrics\":1}", bad, "not a message").await;
    let mut grpc = rig.grpc().await;
    let traces = grpc.call("/opentelemetry.proto.collector.trace.v1.TraceService/Export", &[], b"").await;
    assert_eq!(traces.grpc().0, 12, "{traces:?}");
    let (status, said) = grpc.call(EXPORT, &[], b"\xff\xff").await.grpc();
    assert!(status == 3 && said.contains("not a message"), "{status} {said}");
    let (status, said) = grpc.call(EXPORT, &[("grpc-encoding", "br")], b"").await.grpc();
    assert_eq!(status, 12, "{said}");
}

#[tokio::test]
async fn requests_that_are_too_large_are_told_to_come_in_pieces() {
    let rig = Rig::start(Admission::anybody()).await;
    let large = vec![0; REQUEST_BYTES_MAX + 1];
    let answer = rig.http().await.post(&[], large.clone()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
    let (status, said) = rig.grpc().await.call(EXPORT, &[], &large).await.grpc();
    assert!(status == 11 && said.contains("the limit is"), "{status} {said}");
    let kind = [("content-type", "application/json")];
    let answer = rig.http().await.send(Method::POST, "/v1/metrics", &kind, vec![b' '; 2 << 20]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(String::from_utf8_lossy(&answer.body).contains("send protobuf, or in pieces"));
}

#[tokio::test]
async fn requests_beyond_those_that_are_read_at_once_are_asked_to_come_again() {
    let rig = Rig::start(Admission::anybody()).await;
    let head = b"POST /v1/metrics HTTP/1.1\r\nhost: here\r\ncontent-type: application/x-protobuf\r\ncontent-length: 9\r\n\r\n";
    let mut waiting = Vec::new();
    for _ in 0..REQUESTS_MAX {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        stream.write_all(head).await.unwrap();
        waiting.push(stream);
    }
    let (mut http, mut grpc) = (rig.http().await, rig.grpc().await);
    let message = request("web", vec![gauge(1.0, T_NS)]).encode_to_vec();
    let mut last = None;
    until("all of them are being read", async || {
        let answer = http.post(&[], message.clone()).await;
        let busy = answer.status == StatusCode::SERVICE_UNAVAILABLE;
        last = Some(answer);
        busy
    })
    .await;
    assert_eq!(last.unwrap().header("retry-after"), "1");
    assert_eq!(
        grpc.call(EXPORT, &[], &message).await.grpc().0,
        14,
        "clients come again when they are told that it is unavailable"
    );
    drop(waiting);
    until("there is room again", async || http.post(&[], message.clone()).await.status == StatusCode::OK).await;
    rig.stop().await;
}

#[tokio::test]
async fn web_pages_send_from_origins_that_were_named() {
    let shop = "https://shop.example";
    let rig = Rig::start(Admission::anybody().with_origins(vec![shop.to_owned()]).unwrap()).await;
    let mut http = rig.http().await;
    let asked = [("origin", shop), ("access-control-request-method", "POST")];
    let preflight = http.send(Method::OPTIONS, "/v1/metrics", &asked, Vec::new()).await;
    assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (StatusCode::NO_CONTENT, shop));
    assert!(preflight.header("access-control-allow-headers").contains("content-type"));
    let message = request("web", vec![gauge(1.0, T_NS)]).encode_to_vec();
    let answer = http.post(&[("origin", shop)], message.clone()).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::OK, shop));
    let evil = [("origin", "https://evil.example")];
    let answer = http.post(&evil, message).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (StatusCode::FORBIDDEN, ""));
    assert_eq!(http.send(Method::OPTIONS, "/v1/metrics", &evil, Vec::new()).await.status, StatusCode::FORBIDDEN);
}
