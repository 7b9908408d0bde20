//! The check over Prometheus in the sandbox, beside a real Prometheus that scrapes a real exporter.

mod exporter;
mod proven;
mod troubles;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use plugin_host::{Assessment, CallError, Called, Grants, HealthVerdict, Options, Plugin, PluginHost, Subject, Subjects, Window};
use serde_json::{Value, json};
use test_observability::Prometheus;

use self::exporter::Exporter;
use crate::fixture::{PATIENCE, context};

/// Looks at a condition before a test gives up: a minute, for a busy machine.
const LOOKS_MAX: u32 = 300;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Returns the check, on a host that trusts this authority besides the machine's own.
fn check_trusting(ca_file: Option<PathBuf>) -> Plugin {
    let bundled = bundled_plugins::all().iter().find(|bundled| bundled.name == "health-prometheus").expect("it is carried");
    let host = PluginHost::new(Options { ca_file, ..Options::default() }).expect("a host");
    host.load(bundled.component).expect("it loads")
}

/// Returns the check; it is compiled once.
fn check() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| check_trusting(None))
}

/// Returns what an operator grants for Prometheus at this place, with credentials or without.
fn grants(scheme: &str, host: &str, port: u16, credentials: &Value) -> Grants {
    let mut rule =
        json!({ "scheme": scheme, "host": host, "port": port, "methods": ["POST"], "path": "/api/v1", "private": true });
    if !credentials.is_null() {
        rule["credentials"] = credentials.clone();
    }
    serde_json::from_value(json!({ "http": { "allow": [rule] } })).expect("a grant as it is documented")
}

/// One look at release `candidate` beside release `stable`, in a watch that began ten minutes ago.
#[expect(clippy::disallowed_methods, reason = "watches begin at an instant of real time")]
async fn look(plugin: &Plugin, settings: &Value, grants: &Grants, candidate: &str) -> Result<Called<Assessment>, CallError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let began = i64::try_from(now).expect("our age") - 600_000;
    let side = |release: &str| {
        Some(Subject { release: release.to_owned(), label: release.to_owned(), basis_points: 500, ..Subject::default() })
    };
    let subjects = Subjects { candidate: side(candidate), stable: side("stable"), ..Subjects::default() };
    let window = Window { started_ms: began, ends_ms: began + 900_000 };
    plugin.assess(&context(&settings.to_string(), PATIENCE), &subjects, &window, grants).await
}

/// A test that asks one Prometheus in the open.
struct Scene {
    prometheus: Prometheus,
    exporter: Exporter,
}

impl Scene {
    async fn start() -> Self {
        let exporter = Exporter::start().await;
        let job = format!("job_name: test, static_configs: [{{ targets: ['127.0.0.1:{}'] }}]", exporter.port);
        let prometheus = Prometheus::start(&format!("global: {{ scrape_interval: 1s }}\nscrape_configs: [{{ {job} }}]\n"));
        Self { prometheus, exporter }
    }

    async fn look(&self, candidate: &str, metric: Value) -> Assessment {
        let grants = grants("http", "127.0.0.1", self.prometheus.address().port(), &Value::Null);
        let settings = json!({ "url": self.prometheus.url(), "timeout": "2s", "metrics": [metric] });
        look(check(), &settings, &grants, candidate).await.expect("an answer").answer
    }

    /// Looks until the verdict is this one, and returns the sentence.
    async fn until(&self, candidate: &str, metric: &Value, verdict: HealthVerdict, says: &str) -> Assessment {
        let mut last = String::new();
        for _ in 0..LOOKS_MAX {
            let found = self.look(candidate, metric.clone()).await;
            if found.verdict == verdict && found.sentence.contains(says) {
                return found;
            }
            last = format!("{:?}: {}", found.verdict, found.sentence);
            tokio::time::sleep(PAUSE).await; // tidy: between two looks at the condition
        }
        panic!("{candidate} stays {last}, expected {verdict:?} with {says:?}");
    }
}

/// The share of requests that failed, beside stable's.
fn error_rate() -> Value {
    json!({
        "name": "error rate", "unit": "ratio", "lookBack": "10s",
        "query": "sum(rate(requests_total{release=\"$release\",code=~\"5..\"}[$window])) / sum(rate(requests_total{release=\"$release\"}[$window]))",
        "success": "candidate < 0.01 || candidate < 1.5 * stable", "failure": "candidate > 0.05 && candidate > 2 * stable",
        "samples": { "query": "sum(increase(requests_total{release=\"$release\"}[$window]))", "min": 10 },
        "fresh": { "series": "requests_total{release=\"$release\"}", "maxAge": "5s" },
    })
}

#[tokio::test]
async fn a_good_candidate_is_told_from_a_bad_one() {
    let scene = Scene::start().await;
    let good = scene.until("good", &error_rate(), HealthVerdict::Healthy, "error rate is").await;
    let measured: Vec<_> =
        good.measurements.iter().map(|m| (m.name.as_str(), m.samples.is_some_and(|count| count >= 10))).collect();
    assert_eq!(measured, [("error-rate", true), ("error-rate", true)], "{good:?}");
    let bad = scene.until("bad", &error_rate(), HealthVerdict::Unhealthy, "candidate > 0.05 && candidate > 2 * stable").await;
    assert!(bad.measurements[0].value > 0.05, "{bad:?}");
    // In a range: every value of it rests on a window of its own.
    let mut range = error_rate();
    range["range"] = json!({ "over": "4s", "step": "1s", "take": "max" });
    scene.until("bad", &range, HealthVerdict::Unhealthy, "error rate is").await;
    // Before the watch nothing was scraped: whoever compares with that cannot tell.
    let before = json!({ "name": "error rate", "query": "sum(requests_total{release=\"$release\"})", "failure": "candidate > 2 * baseline" });
    let found = scene.look("good", before).await;
    assert_eq!(found.sentence, "error rate of the baseline is not known: the query finds nothing");
}

#[tokio::test]
async fn no_errors_are_zero_only_where_requests_were_counted() {
    let scene = Scene::start().await;
    let mut errors = error_rate();
    errors["query"] = json!("sum(rate(requests_total{release=\"$release\",code=\"500\"}[$window]))");
    errors["failure"] = json!("candidate > 1");
    errors["success"] = json!("candidate == 0");
    // The flawless one has never failed, so that no series of its failures is there.
    let nothing = scene.until("flawless", &errors, HealthVerdict::Inconclusive, "the query finds nothing").await;
    assert!(nothing.measurements.is_empty());
    errors["empty"] = json!("zero");
    scene.until("flawless", &errors, HealthVerdict::Healthy, "error rate is 0 %: candidate == 0").await;
    // Of one that nobody scrapes that is not so.
    errors.as_object_mut().expect("a metric").remove("fresh");
    let unknown = scene.look("nobody", errors).await;
    assert_eq!(unknown.sentence, "error rate of the candidate is not known: it rests on 0 samples, 10 are needed");
    assert_eq!(unknown.verdict, HealthVerdict::Inconclusive);
}

#[tokio::test]
async fn a_target_that_is_gone_is_stale_at_once() {
    let scene = Scene::start().await;
    scene.until("good", &error_rate(), HealthVerdict::Healthy, "error rate is").await;
    scene.exporter.fall_silent();
    let stale = "it is stale: there is no sample of requests_total{release=\"good\"} any more";
    scene.until("good", &error_rate(), HealthVerdict::Inconclusive, stale).await;
    // Without a look at its series its past would go on counting for as long as the window reaches.
    let mut trusting = error_rate();
    trusting.as_object_mut().expect("a metric").remove("fresh");
    trusting["lookBack"] = json!("8m");
    assert_eq!(scene.look("good", trusting).await.verdict, HealthVerdict::Healthy);
}

#[tokio::test]
async fn a_counter_that_begins_anew_is_no_fault_of_the_candidate() {
    let scene = Scene::start().await;
    scene.until("good", &error_rate(), HealthVerdict::Healthy, "error rate is").await;
    scene.exporter.begin_anew();
    let fallen = json!({
        "name": "requests", "query": "sum(delta(requests_total{release=\"$release\",code=\"200\"}[$window]))", "lookBack": "2m", "success": "candidate < 5",
    });
    // A plain difference is below zero then, which would be few enough; a rate is not.
    let found = scene.until("good", &fallen, HealthVerdict::Inconclusive, "which cannot be: bounds are 0 to any").await;
    assert!(found.sentence.contains("the query gives -"), "{}", found.sentence);
    assert_eq!(scene.look("good", error_rate()).await.verdict, HealthVerdict::Healthy);
}
