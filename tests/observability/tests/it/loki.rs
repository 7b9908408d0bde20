//! The double of Loki, asked what the examples of Loki's documentation ask.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use test_observability::http::{self, Answer};
use test_observability::{Fault, LokiDouble};

const SECOND: i64 = 1_000_000_000;

/// Some time that is not now.
const T: i64 = 1_700_000_000 * SECOND;

/// Two streams with a line each second, every third of the candidate's an error.
fn filled() -> LokiDouble {
    let loki = LokiDouble::start();
    for (side, every) in [("stable", 10), ("candidate", 3)] {
        let lines: Vec<(i64, String)> =
            (0..30).map(|n| (T + n * SECOND, format!("level={} n={n}", if n % every == 0 { "error" } else { "info" }))).collect();
        let lines: Vec<(i64, &str)> = lines.iter().map(|(at, line)| (*at, line.as_str())).collect();
        loki.push(&[("service", "web"), ("side", side)], &lines);
    }
    loki
}

fn ask(loki: &LokiDouble, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    http::get(loki.address(), &format!("/loki/api/v1/{path}?{query}"))
}

fn data(loki: &LokiDouble, path: &str, parameters: &[(&str, &str)]) -> Value {
    let answer = ask(loki, path, parameters);
    assert_eq!(answer.content_type, "application/json", "{}", answer.body);
    let mut body = answer.json();
    assert_eq!(body["status"], "success");
    body["data"].take()
}

#[test]
fn lines_come_by_stream_in_order_and_within_the_range() {
    let loki = filled();
    let (start, end) = (T.to_string(), (T + 7 * SECOND).to_string());
    let asked = [("query", "{service=\"web\"} |= \"level=error\""), ("start", &start), ("end", &end), ("direction", "forward")];
    let found = data(&loki, "query_range", &asked);
    assert_eq!(found["resultType"], "streams");
    let [candidate, stable] = found["result"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(candidate["stream"], json!({ "service": "web", "side": "candidate" }));
    let at = |n: i64| (T + n * SECOND).to_string();
    let line = |n: i64| json!([at(n), format!("level=error n={n}")]);
    // The start belongs to it, the end does not.
    assert_eq!(candidate["values"], json!([line(0), line(3), line(6)]));
    assert_eq!(stable["values"], json!([line(0)]));
    let latest = data(&loki, "query_range", &[("query", "{side=~\"cand.+\"}"), ("start", &start), ("end", &end), ("limit", "2")]);
    assert_eq!(latest["result"][0]["values"], json!([[at(6), "level=error n=6"], [at(5), "level=info n=5"]]));
    let none = data(&loki, "query_range", &[("query", "{service=\"api\"}"), ("start", &start), ("end", &end)]);
    assert_eq!(none["result"], json!([]));
}

#[test]
fn numbers_of_a_moment_and_of_a_range() {
    let loki = filled();
    let count = "sum by (side) (count_over_time({service=\"web\"} |~ \"level=(error|warn)\" [10s]))";
    // From just after 9 s to 19 s: 12, 15 and 18 of the candidate, 10 of the stable side.
    let found = data(&loki, "query", &[("query", count), ("time", "1700000019")]);
    let sample = |side: &str, value: &str| json!({ "metric": { "side": side }, "value": [1_700_000_019.0, value] });
    assert_eq!(found["resultType"], "vector");
    assert_eq!(found["result"], json!([sample("candidate", "3"), sample("stable", "1")]));
    let rate = "rate({side=\"stable\"} != \"level=info\" [10s])";
    let range = [("query", rate), ("start", "1700000000"), ("end", "1700000040"), ("step", "10s")];
    let found = data(&loki, "query_range", &range);
    assert_eq!(found["resultType"], "matrix");
    let points = [(0, "0.1"), (10, "0.1"), (20, "0.1")].map(|(n, value)| json!([1_700_000_000.0 + f64::from(n), value]));
    assert_eq!(found["result"], json!([{ "metric": { "service": "web", "side": "stable" }, "values": points }]));
}

#[test]
fn what_is_wrong_is_refused_and_what_is_unknown_is_not_made_up() {
    let loki = filled();
    let check = |path: &str, parameters: &[(&str, &str)], status: u16, expect: &str| {
        let answer = ask(&loki, path, parameters);
        assert_eq!(answer.status, status, "{parameters:?}: {}", answer.body);
        assert!(answer.content_type.starts_with("text/plain") && answer.body.contains(expect), "{answer:?}");
    };
    check("query_range", &[("query", "{service=")], 400, "parse error at line 1, col 10");
    check("query_range", &[], 400, "parse error");
    check("query", &[("query", "{service=\"web\"}")], 400, "ask query_range");
    check("query_range", &[("query", "{a=\"b\"}"), ("limit", "5001")], 400, "at most 5000");
    check("query_range", &[("query", "{a=\"b\"}"), ("start", "20"), ("end", "10")], 400, "is not after the start");
    check("query_range", &[("query", "{a=\"b\"}"), ("end", "soon")], 400, "end is \"soon\"; expected a time");
    check("query_range", &[("query", "rate({a=\"b\"}[1m])"), ("step", "1ms")], 400, "more than 11000 points");
    check("query_range", &[("query", "{a=\"b\"} | json")], 501, "does not know the stage");
    check("labels", &[], 404, "has no GET");
}

#[test]
fn what_is_pushed_is_taken_whole_or_not_at_all() {
    let loki = LokiDouble::start();
    let push = |body: &str| http::post(loki.address(), "/loki/api/v1/push", "application/json", body);
    let half = r#"{"streams":[{"stream":{"a":"b"},"values":[["1","x"],[2,"y"]]}]}"#;
    assert_eq!(push(half).status, 400);
    assert_eq!(push(r#"{"streams":[{"stream":{},"values":[["1","x"]]}]}"#).status, 400);
    assert_eq!(http::post(loki.address(), "/loki/api/v1/push", "application/x-protobuf", "").status, 501);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(br#"{"streams":[{"stream":{"a":"b"},"values":[["5","y"],["4","x"],["5","y"]]}]}"#).unwrap();
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let method = ::http::Method::POST;
    let answer = http::ask(loki.address(), method, "/loki/api/v1/push", &headers, packed.finish().unwrap()).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let asked = [("query", "{a=\"b\"}"), ("start", "0"), ("end", "1"), ("direction", "forward")];
    let found = data(&loki, "query_range", &asked);
    assert_eq!(found["result"][0]["values"], json!([["4", "x"], ["5", "y"]]));
}

#[test]
fn it_fails_as_it_is_told() {
    let loki = LokiDouble::start();
    assert_eq!(http::get(loki.address(), "/ready").body, "ready\n");
    loki.set_fault(Some(Fault::Says(502, "text/html", "<h1>Bad Gateway</h1>".to_owned())));
    let answer = ask(&loki, "query_range", &[("query", "{a=\"b\"}")]);
    assert_eq!((answer.status, answer.content_type.as_str()), (502, "text/html"));
    loki.set_fault(Some(Fault::Hangs));
    let stream = std::net::TcpStream::connect(loki.address()).unwrap();
    stream.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
    std::io::Write::write_all(&mut &stream, b"GET /ready HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let silent = std::io::Read::read(&mut &stream, &mut [0]).unwrap_err();
    assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
    loki.set_fault(None);
    assert_eq!(ask(&loki, "query_range", &[("query", "{a=\"b\"}")]).status, 200);
}
