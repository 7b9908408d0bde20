//! What a real Prometheus refuses, and one that is away.

use std::fmt::Write as _;

use plugin_host::CallErrorKind;

use super::exporter::Canned;
use super::*;

#[tokio::test]
async fn what_a_real_prometheus_refuses_is_said_in_its_words() {
    let scene = Scene::start().await;
    let metric = |query: &str| json!({ "name": "it", "query": query, "success": "candidate < 1", "failure": "candidate > 5" });
    scene.until("good", &metric("sum(requests_total) * 0"), HealthVerdict::Healthy, "it is 0").await;
    let bad = scene.look("good", metric("sum(rate(requests_total[")).await;
    assert_eq!(bad.verdict, HealthVerdict::Error, "{}", bad.sentence);
    assert!(bad.sentence.starts_with("metric \"it\" asked about the candidate: Prometheus says bad_data: "), "{}", bad.sentence);
    let many = scene.look("good", metric("requests_total")).await;
    assert!(
        many.verdict == HealthVerdict::Error && many.sentence.contains("the query gives 7 series, expected one"),
        "{}",
        many.sentence
    );
    let matching = scene.look("good", metric("requests_total * on(release) requests_total")).await;
    assert!(matching.sentence.contains("Prometheus says execution: "), "{}", matching.sentence);
    let text = scene.look("good", metric("\"text\"")).await;
    assert!(text.sentence.contains("the query's value is the text"), "{}", text.sentence);
    let nan = scene.look("good", metric("sum(requests_total) * 0 / (sum(requests_total) * 0)")).await;
    assert_eq!(
        (nan.verdict, nan.sentence.as_str()),
        (HealthVerdict::Inconclusive, "it of the candidate is not known: the query gives NaN, as 0 divided by 0 does")
    );
    let endless = scene.look("good", metric("sum(requests_total) / 0")).await;
    assert_eq!((endless.verdict, endless.sentence.as_str()), (HealthVerdict::Unhealthy, "it is inf: candidate > 5"));
    assert_eq!(scene.look("good", metric("scalar(vector(0.5))")).await.verdict, HealthVerdict::Healthy);
}

#[tokio::test]
async fn a_prometheus_that_hangs_or_is_gone_is_inconclusive() {
    let mut scene = Scene::start().await;
    let metric = json!({ "name": "it", "query": "vector(0)", "failure": "candidate > 5" });
    scene.until("good", &metric, HealthVerdict::Healthy, "it is 0").await;
    scene.prometheus.pause();
    let hung = scene.look("good", metric.clone()).await;
    scene.prometheus.resume();
    assert_eq!(
        (hung.verdict, hung.sentence.as_str()),
        (HealthVerdict::Inconclusive, "Prometheus cannot be asked: no answer in time")
    );
    scene.until("good", &metric, HealthVerdict::Healthy, "it is 0").await;
    scene.prometheus.kill();
    let gone = scene.look("good", metric).await;
    assert!(gone.sentence.starts_with("Prometheus cannot be asked: no connection: "), "{}", gone.sentence);
    assert_eq!(gone.verdict, HealthVerdict::Inconclusive);
}

#[tokio::test]
async fn without_a_grant_the_line_that_grants_it_is_said() {
    let settings =
        json!({ "url": "http://127.0.0.1:9", "metrics": [{ "name": "it", "query": "up", "failure": "candidate > 5" }] });
    let error = look(check(), &settings, &Grants::default(), "good").await.expect_err("nothing is granted");
    let CallErrorKind::Refused { power: "http", line, .. } = error.kind else { panic!("{:?}", error.kind) };
    assert!(line.contains(r#""methods":["POST"]"#) && line.contains(r#""path":"/api/v1/query""#), "{line}");
}

/// A vector of so many series.
fn vector(series: usize) -> String {
    let mut body = r#"{"status":"success","data":{"resultType":"vector","result":["#.to_owned();
    for number in 0..series {
        let comma = if number > 0 { "," } else { "" };
        write!(body, r#"{comma}{{"metric":{{"__name__":"up","instance":"10.0.{number}"}},"value":[1790000000.5,"1"]}}"#)
            .expect("a text");
    }
    body + "]}}"
}

#[tokio::test]
async fn a_million_series_are_an_error_and_no_flood() {
    for (series, why) in
        [(20_000, "the query gives 20000 series, at most 1000 are read"), (1_000_000, "the answer is larger than 4194304 bytes")]
    {
        let server = Canned::start(vector(series)).await;
        let settings = json!({ "url": format!("http://127.0.0.1:{}", server.port), "metrics": [{ "name": "it", "query": "up", "failure": "candidate > 5" }] });
        let grants = grants("http", "127.0.0.1", server.port, &Value::Null);
        let found = look(check(), &settings, &grants, "good").await.expect("an answer").answer;
        assert!(found.verdict == HealthVerdict::Error && found.sentence.contains(why), "{}", found.sentence);
    }
}

#[tokio::test]
async fn conditions_of_any_kind_end_in_a_sentence_on_a_sandboxs_stack() {
    let grants = Grants::default();
    let deep = |part: &str, count: usize, end: &str| format!("candidate < {}1{}", part.repeat(count), end.repeat(count));
    for condition in [
        "candidat > 1".to_owned(),
        "candidate >".to_owned(),
        deep("(", 290, ")"),
        deep("[", 290, "]"),
        deep("-", 580, ""),
        deep("!", 580, ""),
        deep("1 + ", 140, ""),
        deep("true ? ", 80, ""),
        deep("[1].exists(a, ", 40, ")"),
        deep("(", 580, ""),
        format!("candidate > 1{}", " || candidate > 1".repeat(34)),
    ] {
        let settings = json!({ "url": "http://127.0.0.1:9", "metrics": [{ "name": "it", "query": "up", "failure": condition }] });
        match look(check(), &settings, &grants, "good").await {
            Ok(called) => assert_eq!(called.answer.verdict, HealthVerdict::Error, "{condition}: {}", called.answer.sentence),
            // It was read, and Prometheus would have been asked.
            Err(error) => assert!(matches!(error.kind, CallErrorKind::Refused { .. }), "{condition}: {error:?}"),
        }
    }
}
