//! The schema of the settings, with which a plan is made: it takes what the README shows and refuses what it can.

use super::*;

/// The settings of the README.
fn shown() -> Value {
    json!({
        "url": "https://prometheus.internal:9090",
        "metrics": [
            {
                "name": "error rate",
                "query": "sum(rate(http_requests_total{release=\"$release\",code=~\"5..\"}[$window]))\n  / sum(rate(http_requests_total{release=\"$release\"}[$window]))\n",
                "unit": "ratio",
                "lookBack": "1m",
                "samples": { "query": "sum(increase(http_requests_total{release=\"$release\"}[$window]))", "min": 100 },
                "fresh": { "series": "http_requests_total{release=\"$release\"}", "maxAge": "60s" },
                "success": "candidate < 0.01 || candidate < 1.5 * stable",
                "failure": "candidate > 0.05 && candidate > 2 * stable",
            },
            {
                "name": "latency p95",
                "query": "histogram_quantile(0.95, sum by (le) (rate(http_duration_seconds_bucket{release=\"$release\"}[$window])))",
                "unit": "s",
                "range": { "over": "5m", "step": "15s", "take": "max" },
                "failure": "candidate > 0.5 || candidate > 1.3 * baseline",
            },
            {
                "name": "crashes",
                "query": "sum(increase(crashes_total{release=\"$release\"}[$window]))",
                "samples": { "query": "count(up{release=\"$release\"})", "min": 1 },
                "empty": "zero",
                "failure": "candidate > 0",
                "role": "dryRun",
            },
        ],
    })
}

#[test]
fn a_plan_is_refused_over_what_the_schema_can_say() {
    let schema: Value = serde_json::from_str(&towpath_sdk::settings_schema::<Settings>()).unwrap();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors =
        |settings: &Value| validator.iter_errors(settings).map(|error| error.instance_path().to_string()).collect::<Vec<_>>();
    assert_eq!(errors(&shown()), Vec::<String>::new());
    let settings: Settings = serde_json::from_value(shown()).expect("settings");
    settings.check().expect("they make sense");
    for (place, bad) in [
        ("/url", json!("prometheus:9090")),
        ("/metrics", json!([])),
        ("/metrics/0/success", json!("candidat < 0.01")),
        ("/metrics/0/failure", json!(format!("candidate > {}", "1".repeat(600)))),
        ("/metrics/0/lookBack", json!("60")),
        ("/metrics/0/lookBack", json!("1y")),
        ("/metrics/0/fresh/series", json!("sum(up)")),
        ("/metrics/0/samples/min", json!(0)),
        ("/metrics/0/name", json!("")),
        ("/metrics/1/range/take", json!("median")),
        ("/metrics/1/range/step", json!("15 s")),
        ("/metrics/2/role", json!("critical")),
        ("/metrics/2/empty", json!("healthy")),
    ] {
        let mut settings = shown();
        *settings.pointer_mut(place).expect("a place") = bad.clone();
        let found = errors(&settings);
        // Of what may be absent, the schema says only that neither fits.
        assert!(found.iter().any(|error| place.starts_with(error.as_str())), "{place} {bad}: {found:?}");
    }
}
