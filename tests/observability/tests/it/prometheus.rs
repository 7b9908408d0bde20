//! A real Prometheus: scraping, reloading, hanging, dying.

use std::time::Duration;

use test_observability::{Prometheus, check_config, check_metrics, http};

const EVERY_SECOND: &str = "global: { scrape_interval: 1s }\n";

/// A configuration that scrapes an address.
fn scraping(job: &str, address: &str) -> String {
    format!("{EVERY_SECOND}scrape_configs: [{{ job_name: {job}, static_configs: [{{ targets: ['{address}'] }}] }}]\n")
}

#[test]
fn it_scrapes_what_its_configuration_says_also_after_a_reload() {
    let prometheus = Prometheus::start(EVERY_SECOND);
    assert_eq!(prometheus.query("up"), []);
    prometheus.reload(&scraping("itself", &prometheus.address().to_string()));
    let up = prometheus.query_until("up", |found| found.iter().any(|sample| sample.value == 1.0));
    assert_eq!(up[0].labels["job"], "itself");
    let targets = prometheus.targets();
    assert_eq!((targets.len(), targets[0].health.as_str(), targets[0].last_error.as_str()), (1, "up", ""));
    assert_eq!(prometheus.query("scalar(vector(1)) / 0")[0].value, f64::INFINITY);
}

#[test]
fn samples_of_the_past_can_be_asked_for_at_once() {
    let now = jiff::Timestamp::now().as_second();
    let sample = |ago: i64| format!("errors_total{{side=\"candidate\"}} {} {}\n", 600 - ago, now - ago);
    let samples: String = (0..=600).rev().step_by(15).map(sample).collect();
    let prometheus = Prometheus::start_with_history(EVERY_SECOND, &format!("# TYPE errors counter\n{samples}# EOF\n"));
    let found = prometheus.query("sum by (side) (increase(errors_total[5m]))");
    assert_eq!(found[0].labels["side"], "candidate");
    assert!((found[0].value - 300.0).abs() < 1.0, "{found:?}");
}

#[test]
fn it_hangs_and_dies_and_comes_back_where_it_was() {
    let mut prometheus = Prometheus::start(EVERY_SECOND);
    prometheus.pause();
    // Taken by the kernel, read by nobody.
    let stream = std::net::TcpStream::connect(prometheus.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    std::io::Write::write_all(&mut &stream, b"GET /-/ready HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    let silent = std::io::Read::read(&mut &stream, &mut [0]).unwrap_err();
    assert_eq!(silent.kind(), std::io::ErrorKind::WouldBlock);
    prometheus.resume();
    assert_eq!(http::get(prometheus.address(), "/-/ready").status, 200);
    prometheus.kill();
    assert!(http::try_get(prometheus.address(), "/-/ready").unwrap_err().contains("refused"));
    prometheus.start_again();
    assert_eq!(prometheus.query("vector(7)")[0].value, 7.0);
}

#[test]
fn its_tool_reads_metrics() {
    assert_eq!(check_metrics("# HELP a_total b\n# TYPE a_total counter\na_total 1\n"), Ok(()));
    assert!(check_metrics("# HELP a b\n# TYPE a counter\na 1\n").unwrap_err().contains("_total"));
    assert!(check_metrics("a{b=c} 1\n").unwrap_err().contains("expected '\"'"));
}

#[test]
fn its_tool_reads_configurations() {
    let folder = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        let file = folder.path().join("prometheus.yaml");
        std::fs::write(&file, text).unwrap();
        check_config(&file)
    };
    assert_eq!(check(EVERY_SECOND), Ok(()));
    let error = check("scrape_configs: [{ job: a }]\n").unwrap_err();
    assert!(error.contains("field job not found"), "{error}");
}
