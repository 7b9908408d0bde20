//! A real Prometheus watches services of two sides, and a promotion.

use std::collections::BTreeMap;

use runtime::protocol::Group;
use test_observability::{Prometheus, Sample, until};

use crate::stage::{Caller, Stage, weight};

/// The candidate's share, in basis points.
const CANDIDATE: u16 = 2500;

/// Requests of the first part: enough that each side has some hundred.
const REQUESTS: usize = 800;

/// How far an increase may be off: Prometheus extrapolates to the ends of the window, by half of a scrape's interval for each.
const EXTRAPOLATED: f64 = 0.25;

fn configuration(stage: &Stage) -> String {
    let metrics = stage.metrics();
    format!(
        "global: {{ scrape_interval: 1s }}
scrape_configs:
  - job_name: towpath
    static_configs: [{{ targets: ['{metrics}'] }}]
  - job_name: services
    http_sd_configs: [{{ url: 'http://{metrics}/discovery', refresh_interval: 1s }}]
"
    )
}

/// Returns the values by a label.
fn by(label: &str, samples: &[Sample]) -> BTreeMap<String, f64> {
    samples.iter().map(|sample| (sample.labels.get(label).cloned().unwrap_or_default(), sample.value)).collect()
}

fn sides(stable: f64, candidate: f64) -> BTreeMap<String, f64> {
    BTreeMap::from([("candidate".to_owned(), candidate), ("stable".to_owned(), stable)])
}

/// Waits until a query has these values by side.
fn wait_for_sides(prometheus: &Prometheus, promql: &str, stable: f64, candidate: f64) {
    prometheus.query_until(promql, |found| by("side", found) == sides(stable, candidate));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_counts_per_side_as_the_router_does_and_follows_a_promotion() {
    let mut stage = Stage::watched().await;
    let v1 = Group { instances: 2, ..stage.hello("v1", &[]) };
    let v2 = stage.hello("v2", &[("ERROR_RATE", "0.2")]);
    let endpoint = stage.bring(Some(&v1), Some(&v2), weight(CANDIDATE)).await.public_endpoint.unwrap();
    let prometheus = Prometheus::start(&configuration(&stage));
    // Everything is there before the first request, so that nothing is missed.
    wait_for_sides(&prometheus, "sum by (side) (towpath_router_requests_total)", 0.0, 0.0);
    wait_for_sides(&prometheus, "sum by (side) (up{job=\"services\"})", 2.0, 1.0);
    let mut caller = Caller::connect(&endpoint).await;
    for _ in 0..REQUESTS {
        caller.get("/").await;
    }
    let counted = stage.status().await.counters;
    let (stable, candidate) = (counted.stable.unwrap(), counted.candidate.unwrap());
    let (served, tried, failed) = (stable.requests as f64, candidate.requests as f64, candidate.errors as f64);
    assert_eq!((served + tried, stable.errors), (REQUESTS as f64, 0));
    assert!((30.0..=50.0).contains(&failed), "{candidate:?}");

    wait_for_sides(&prometheus, "sum by (side) (towpath_router_requests_total)", served, tried);
    // What the services say of themselves, found by the discovery.
    wait_for_sides(&prometheus, "sum by (side) (http_requests_total)", served, tried);
    let own = prometheus.query("sum by (side, release, service, environment) (http_requests_total{code=\"500\"})");
    let labels = ["side", "release", "service", "environment"].map(|label| own[0].labels[label].as_str());
    assert_eq!((own.len(), labels, own[0].value), (1, ["candidate", "v2", "web", "test"], failed));
    // As a health check asks. The share is exact, because both sides of the division are extrapolated alike.
    let increase = |name: &str| format!("sum by (side) (increase(towpath_router_{name}_total[5m]))");
    let share = prometheus.query(&format!("{} / {}", increase("errors"), increase("requests")));
    let share = by("side", &share);
    assert!(share["stable"].abs() < 1e-9 && (share["candidate"] - failed / tried).abs() < 1e-9, "{share:?}");
    let near = |found: f64, expect: f64| (found / expect - 1.0).abs() <= EXTRAPOLATED;
    prometheus.query_until(&increase("requests"), |found| {
        let found = by("side", found);
        near(found["stable"], served) && near(found["candidate"], tried)
    });
    let slow = "histogram_quantile(0.99, sum by (side, le) (increase(towpath_router_request_duration_seconds_bucket[5m])))";
    let slow = by("side", &prometheus.query(slow));
    assert!(slow.len() == 2 && slow.values().all(|seconds| (0.0..=30.0).contains(seconds)), "{slow:?}");

    stage.bring(Some(&v2), None, weight(0)).await;
    for _ in 0..50 {
        caller.get("/").await;
    }
    // Each request stays where it was counted, and new ones count for the new side.
    let of_v2 = "towpath_router_requests_total{release=\"v2\"}";
    wait_for_sides(&prometheus, of_v2, 50.0, tried);
    assert_eq!(prometheus.query("towpath_router_requests_total{release=\"v1\"}")[0].value, served);
    let ready = prometheus.query("towpath_instances_ready");
    assert_eq!((ready.len(), ready[0].labels["release"].as_str(), ready[0].labels["side"].as_str()), (1, "v2", "stable"));
    until("the one instance is scraped as stable", || {
        let targets = prometheus.targets();
        let services: Vec<_> = targets.iter().filter(|target| target.labels["job"] == "services").collect();
        let labels = |target: &test_observability::Target| (target.labels["release"].clone(), target.labels["side"].clone());
        (services.iter().map(|target| labels(target)).collect::<Vec<_>>() == [("v2".to_owned(), "stable".to_owned())])
            .then_some(())
    });
    prometheus.query_until("sum(http_requests_total{side=\"stable\",release=\"v2\"})", |found| {
        found.iter().any(|sample| sample.value == tried + 50.0)
    });
    // Prometheus looks twice more before it says that a target is gone.
    prometheus.query_until("http_requests_total{side=\"candidate\"}", <[Sample]>::is_empty);
}
