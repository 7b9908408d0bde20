//! The rules of Kayenta at the end of a watch.

use serde_json::json;
use towpath_sdk::health::{Assessment, Verdict};
use towpath_sdk::powers::http::{Error, Request, Response};
use towpath_sdk::testing::World;

use super::{STARTED_MS, Watching};

/// A Prometheus that has ten points of either side: around these values.
struct Points {
    now_seconds: i64,
    stable: Option<f64>,
    candidate: Option<f64>,
}

impl World for Points {
    fn fetch(&mut self, request: &Request) -> Result<Response, Error> {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let data = if body.starts_with("query=time%28%29") {
            json!({ "resultType": "scalar", "result": [0, (STARTED_MS / 1_000 + self.now_seconds).to_string()] })
        } else {
            let around = if body.contains("v2") { self.candidate } else { self.stable };
            let values =
                |around: f64| (0..10).map(|at| json!([at, (around + f64::from(at) / 100.0).to_string()])).collect::<Vec<_>>();
            let series = around.map(|around| json!({ "metric": {}, "values": values(around) }));
            json!({ "resultType": "matrix", "result": series.into_iter().collect::<Vec<_>>() })
        };
        Ok(Response::new(200, json!({ "status": "success", "data": data }).to_string()))
    }

    fn now_ms(&mut self) -> i64 {
        STARTED_MS + self.now_seconds * 1_000
    }
}

fn judged(now_seconds: i64, stable: Option<f64>, candidate: Option<f64>, more: &str) -> Assessment {
    let settings = format!(
        r#"{{ "prometheus": {{ "url": "http://prometheus:9090" }}, "kayenta": {{ "metrics": [
            {{ "name": "cpu", "values": {{ "prometheus": "cpu{{release=\"$release\"}}" }}, "direction": "increase"{more} }} ] }} }}"#
    );
    Watching::new(&settings).look(now_seconds, Points { now_seconds, stable, candidate })
}

#[test]
fn it_judges_when_the_watch_is_over() {
    let early = judged(590, Some(1.0), Some(1.0), "");
    assert_eq!((early.verdict, early.next_look_ms), (Verdict::Inconclusive, Some(10_000)));
    assert_eq!(early.sentence, "the points are judged at the end of the watch, in 11 s");
    let good = judged(600, Some(1.0), Some(1.0), "");
    assert_eq!((good.verdict, good.sentence.as_str()), (Verdict::Healthy, "score 100 of at least 95"));
    let bad = judged(600, Some(1.0), Some(3.0), "");
    assert_eq!((bad.verdict, bad.sentence.as_str()), (Verdict::Unhealthy, "score 0 of at least 75: cpu is higher"));
    let names: Vec<_> = bad.measurements.iter().map(|one| (one.name.as_str(), one.samples)).collect();
    assert_eq!(names, [("score", None), ("cpu", Some(10)), ("cpu", Some(10)), ("cpu-shift", None)]);
    let lower = judged(600, Some(3.0), Some(1.0), "");
    assert_eq!(lower.verdict, Verdict::Healthy, "{}", lower.sentence);
}

#[test]
fn where_it_would_pass_without_data_nothing_is_healthy() {
    for more in ["", r#", "missingAreZero": true"#, r#", "critical": true"#] {
        for (stable, candidate) in [(None, Some(1.0)), (Some(1.0), None), (None, None)] {
            let found = judged(600, stable, candidate, more);
            assert_eq!(found.verdict, Verdict::Inconclusive, "{more}: {}", found.sentence);
        }
    }
    let must = judged(600, Some(1.0), None, r#", "mustHaveData": true"#);
    assert_eq!(
        (must.verdict, must.sentence.as_str()),
        (Verdict::Unhealthy, "score 0 of at least 75: cpu is without data, which it must have")
    );
}
