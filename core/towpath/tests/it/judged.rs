//! Deployments that are decided by what a real Prometheus has scraped from a real service behind the local runtime.

use std::fs;
use std::net::SocketAddr;

use serde_json::Value;
use test_observability::{Alertmanager, Prometheus};

use crate::rig::{Callers, Rig, wait_for};

/// Has the runtime pick an address for metrics.
const WATCHED: [&str; 2] = ["--metrics-listen", "127.0.0.1:0"];

/// Scrapes the router and every ready instance, each second.
fn configuration(metrics: SocketAddr) -> String {
    format!(
        "
global: {{ scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }}
scrape_configs:
  - job_name: towpath
    static_configs: [{{ targets: [\"{metrics}\"] }}]
  - job_name: services
    http_sd_configs: [{{ url: \"http://{metrics}/discovery\", refresh_interval: 1s }}]
"
    )
}

/// What a check may ask.
pub(crate) fn place(address: SocketAddr, method: &str, path: &str) -> Value {
    serde_json::json!({
        "scheme": "http", "host": address.ip().to_string(), "port": address.port(), "methods": [method], "path": path, "private": true,
    })
}

/// What the operator grants: what ships, and these places to the checks that ask there.
fn grants(places: &[(&str, Value)]) -> String {
    let example = crate::rig::workspace().join("examples/grants.json");
    let mut grants: Value = serde_json::from_str(&fs::read_to_string(example).unwrap()).unwrap();
    let list = grants["grants"].as_array_mut().unwrap();
    for (plugin, place) in places {
        let http = serde_json::json!({ "allow": [place] });
        match list.iter_mut().find(|grant| grant["plugin"] == *plugin) {
            Some(grant) => grant["powers"]["http"] = http,
            None => list.push(serde_json::json!({ "plugin": plugin, "powers": { "http": http } })),
        }
    }
    grants.to_string()
}

/// The check by statistics.
fn judge(prometheus: SocketAddr) -> String {
    format!(
        r#"
    use: health-judge
    with:
      candidateMin: 20
      prometheus: {{ url: "http://{prometheus}", lookBackSeconds: 10, maxAgeSeconds: 10 }}
      metrics:
        - name: error rate
          judge:
            shares:
              events: {{ prometheus: 'http_requests_total{{release="$release",code=~"5.."}}' }}
              trials: {{ prometheus: 'http_requests_total{{release="$release"}}' }}
"#
    )
}

/// The check by queries and conditions. An outage of Prometheus is none of its errors, so that it needs no patience with them.
fn conditions(prometheus: SocketAddr) -> String {
    format!(
        r#"
    use: health-prometheus
    with:
      url: "http://{prometheus}"
      timeout: 2s
      metrics:
        - name: error rate
          query: sum(rate(http_requests_total{{release="$release",code=~"5.."}}[$window])) / sum(rate(http_requests_total{{release="$release"}}[$window]))
          unit: ratio
          lookBack: 5s
          empty: zero
          samples: {{ query: 'sum(increase(http_requests_total{{release="$release"}}[$window]))', min: 20 }}
          fresh: {{ series: 'http_requests_total{{release="$release"}}', maxAge: 10s }}
          success: candidate < 0.02 || candidate < 1.5 * stable
          failure: candidate > 0.1 && candidate > 2 * stable
"#
    )
}

/// Returns the path with the errors that Prometheus knows in place of those that the router counts.
fn judged_by(path: &str, check: &str) -> String {
    let (before, rest) = path.split_once("health:\n").unwrap();
    let (_, behind) = rest.split_once("\nsoak:\n").unwrap();
    let health = format!(
        r#"health:
  - name: probe
    use: health-http
    with: {{ path: "${{parameters.readinessPath}}" }}
    every: ${{parameters.lookEvery}}
  - name: judge
    when: "!change.first"
    every: 500ms{check}
soak:
"#
    );
    // What Prometheus cannot tell it is given less time to.
    format!("{before}{health}{}", behind.replace("patience: 30s", "patience: 15s"))
}

/// A service with a good release that everybody calls, and a Prometheus that watches it.
struct Watched {
    rig: Rig,
    prometheus: Prometheus,
    callers: Callers,
}

impl Watched {
    fn start(check: fn(SocketAddr) -> String) -> Self {
        let rig = Rig::start_runtime_with(&WATCHED);
        let prometheus = Prometheus::start(&configuration(rig.metrics()));
        let address = prometheus.address();
        let asked = ["health-judge", "health-prometheus"].map(|plugin| (plugin, place(address, "POST", "/api/v1")));
        Self::begin(rig, prometheus, &grants(&asked), |path| judged_by(path, &check(address)))
    }

    fn begin(mut rig: Rig, prometheus: Prometheus, grants: &str, judged: impl Fn(&str) -> String) -> Self {
        let grants = rig.file("grants.json", grants);
        rig.start_server_with(&["--grants", &grants]);
        rig.register_changed(|path| judged(&path));
        rig.release("v1", "");
        let first = rig.deploy("v1");
        let first = rig.wait_for_end(&first);
        assert_eq!(first["phase"], "succeeded");
        let callers = Callers::start(first["public_endpoint"].as_str().unwrap(), 4);
        prometheus.query_until("sum(http_requests_total)", |found| found.iter().any(|sample| sample.value > 100.0));
        Self { rig, prometheus, callers }
    }

    /// Deploys a release that fails so often, which must be taken back; returns its id and what is said of that. Then deploys a good one,
    /// which must be promoted.
    fn takes_back_and_promotes(&self, error_rate: &str) -> (String, String) {
        self.rig.release("v2", &format!("ERROR_RATE={error_rate}"));
        self.rig.release("v3", "");
        let bad = self.rig.deploy("v2");
        let back = self.rig.wait_for_end(&bad);
        assert_eq!(back["phase"], "rolled-back", "{back}");
        let good = self.rig.wait_for_end(&self.rig.deploy("v3"));
        assert_eq!(good["phase"], "succeeded", "{good}");
        (bad, back["outcome"].as_str().unwrap().to_owned())
    }

    /// Returns the last look of a check, and the error rate of the candidate in it.
    fn last_look(&self, id: &str, check: &str) -> (Value, Value) {
        let last = self.looks(id).into_iter().rfind(|look| look["check"] == check).unwrap();
        let mut measured = last["measurements"].as_array().unwrap().iter();
        let rate = measured.find(|one| one["name"] == "error-rate" && one["side"] == "candidate").unwrap().clone();
        (last, rate)
    }

    fn looks(&self, id: &str) -> Vec<Value> {
        let output = self.rig.run(&["looks", id]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn a_bad_candidate_is_found_through_prometheus_and_a_good_one_is_promoted() {
    let watched = Watched::start(judge);
    let (bad, said) = watched.takes_back_and_promotes("0.5");
    assert!(said.contains("candidate error rate ") && said.contains("against stable 0 %"), "{said}");
    // Every look is there with the numbers, and the last one of the check decided.
    let (decided, rate) = watched.last_look(&bad, "health-judge");
    assert_eq!(decided["verdict"], "unhealthy");
    assert!(rate["samples"].as_u64().unwrap() > 0 && rate["interval"]["high"].as_f64().unwrap() <= 1.0, "{rate}");
    assert!(rate["test"].as_str().unwrap().len() > 5, "{rate}");
    let (requests, _) = watched.callers.stop();
    assert!(requests > 100);
}

#[test]
fn conditions_over_queries_find_a_bad_candidate_and_promote_a_good_one() {
    let watched = Watched::start(conditions);
    let (bad, said) = watched.takes_back_and_promotes("0.5");
    assert!(said.contains("error rate is ") && said.contains("candidate > 0.1 && candidate > 2 * stable"), "{said}");
    let (_, rate) = watched.last_look(&bad, "health-prometheus");
    assert!(rate["value"].as_f64() > Some(0.1) && rate["samples"].as_u64() >= Some(20), "{rate}");
    watched.callers.stop();
}

/// What Prometheus raises alerts about: a release that fails often, and that it is alive.
const RULES: &str = r#"
groups:
  - name: services
    rules:
      - alert: ErrorsHigh
        expr: sum by (service, release) (rate(http_requests_total{code=~"5.."}[5s])) / sum by (service, release) (rate(http_requests_total[5s])) > 0.2
        labels: { severity: page }
      - alert: Watchdog
        expr: vector(1)
"#;

#[test]
fn an_alert_that_prometheus_raises_takes_a_bad_candidate_back() {
    let rig = Rig::start_runtime_with(&WATCHED);
    let alertmanager = Alertmanager::start();
    let rules = rig.file("rules.yaml", RULES);
    let told = alertmanager.address();
    let prometheus = Prometheus::start(&format!(
        "{}rule_files: [{rules:?}]\nalerting: {{ alertmanagers: [{{ static_configs: [{{ targets: [\"{told}\"] }}] }}] }}\n",
        configuration(rig.metrics())
    ));
    // An alert takes its time: the rule looks back over five seconds.
    let check = format!(
        r#"
    startAfter: 8s
    use: health-alerts
    with:
      alertmanager: "http://{told}"
      matchers: ['service="$service"', 'release="$release"']
      severities: [page]
      since: any
      watchdog: Watchdog
"#
    );
    let grants = grants(&[("health-alerts", place(told, "GET", "/api/v2/alerts"))]);
    let watched = Watched::begin(rig, prometheus, &grants, |path| {
        judged_by(path, &check)
            .replace("watch: \"${parameters.watch}\"", "watch: 10s")
            .replace("for: ${parameters.soak}", "for: 10s")
    });
    let (_, said) = watched.takes_back_and_promotes("0.8");
    assert!(said.contains("1 alert fires that match") && said.contains("ErrorsHigh (page)"), "{said}");
    watched.callers.stop();
}

#[test]
fn an_outage_of_prometheus_pauses_and_asks() {
    outage(judge, "Prometheus does not answer");
}

#[test]
fn an_outage_pauses_a_deployment_with_conditions_and_asks() {
    outage(conditions, "Prometheus cannot be asked: no connection");
}

fn outage(check: fn(SocketAddr) -> String, says: &str) {
    let mut watched = Watched::start(check);
    watched.rig.release("v2", "");
    watched.prometheus.kill();
    let id = watched.rig.deploy("v2");
    let shown = wait_for("the question", || {
        let shown: Value = serde_json::from_slice(&watched.rig.run(&["show", &id]).stdout).ok()?;
        assert_ne!(shown["ended"], true, "it ended without its check: {}", shown["outcome"]);
        (shown["paused"] == true).then_some(shown)
    });
    let waiting = shown["waiting"].as_str().unwrap();
    assert!(waiting.contains(says), "{waiting}");
    // It comes back, and the deployment goes on.
    watched.prometheus.start_again();
    watched.rig.ask(&["resume", &id]);
    assert_eq!(watched.rig.wait_for_end(&id)["phase"], "succeeded");
    let (_, failed) = watched.callers.stop();
    assert_eq!(failed, 0);
}
