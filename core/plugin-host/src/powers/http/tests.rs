//! Which requests a grant allows.

use super::grant::{HttpGrant, HttpRule, Reach, Scheme};
use super::place::Place;

/// What an answer may have where no rule says it.
const BYTES: usize = 1000;

fn rule(host: &str, path: &str) -> HttpRule {
    HttpRule {
        scheme: Scheme::Https,
        host: host.to_owned(),
        port: None,
        methods: Vec::new(),
        path: path.to_owned(),
        private: false,
        response_bytes_max: None,
        timeout_ms: None,
        credentials: None,
    }
}

fn check(grant: &HttpGrant, method: &str, url: &str, expect: Option<Reach>) {
    let place = Place::of(url).expect("a plain address");
    let allowed = grant.allowed(method, &place, &["127.0.0.1:4000".to_owned()], BYTES);
    assert_eq!(allowed.map(|allowed| allowed.reach), expect, "{method} {url}");
}

#[test]
fn a_rule_allows_its_host_port_method_and_path_alone() {
    let grant = HttpGrant { subjects: false, allow: vec![rule("api.example.com", "/v1/metrics")] };
    check(&grant, "GET", "https://api.example.com/v1/metrics", Some(Reach::Public));
    check(&grant, "GET", "https://API.example.com:443/v1/metrics/cpu?x=1", Some(Reach::Public));
    check(&grant, "POST", "https://api.example.com/v1/metrics", None);
    check(&grant, "GET", "http://api.example.com/v1/metrics", None);
    check(&grant, "GET", "https://api.example.com:444/v1/metrics", None);
    check(&grant, "GET", "https://api.example.com/v1/metricsx", None);
    check(&grant, "GET", "https://example.com/v1/metrics", None);
    check(&grant, "GET", "https://api.example.com.evil.org/v1/metrics", None);
}

#[test]
fn a_star_stands_for_hosts_in_a_domain() {
    let grant = HttpGrant { subjects: false, allow: vec![rule("*.example.com", "/")] };
    check(&grant, "HEAD", "https://a.example.com/", Some(Reach::Public));
    check(&grant, "HEAD", "https://a.b.example.com/", Some(Reach::Public));
    check(&grant, "HEAD", "https://example.com/", None);
    check(&grant, "HEAD", "https://evilexample.com/", None);
}

#[test]
fn subjects_may_be_read_and_nothing_beside_them() {
    let grant = HttpGrant { subjects: true, allow: Vec::new() };
    check(&grant, "GET", "http://127.0.0.1:4000/healthz", Some(Reach::Private));
    check(&grant, "POST", "http://127.0.0.1:4000/healthz", None);
    check(&grant, "GET", "http://127.0.0.1:4001/healthz", None);
    check(&grant, "GET", "https://127.0.0.1:4000/healthz", None);
}

#[test]
fn a_rule_may_stand_for_whatever_is_judged() {
    let subject = |methods: &[&str], path: &str| HttpRule {
        scheme: Scheme::Http,
        methods: methods.iter().map(|method| (*method).to_owned()).collect(),
        private: true,
        ..rule("{subject}", path)
    };
    let grant = HttpGrant { subjects: false, allow: vec![subject(&["POST"], "/orders")] };
    check(&grant, "POST", "http://127.0.0.1:4000/orders/7", Some(Reach::Private));
    check(&grant, "POST", "http://127.0.0.1:4000/admin", None);
    check(&grant, "GET", "http://127.0.0.1:4000/orders", None);
    check(&grant, "POST", "https://127.0.0.1:4000/orders", None);
    check(&grant, "POST", "http://127.0.0.1:4001/orders", None);
    let grant = HttpGrant { subjects: false, allow: vec![HttpRule { port: Some(4001), ..subject(&[], "/") }] };
    check(&grant, "GET", "http://127.0.0.1:4000/", None);
}

#[test]
fn rules_that_allow_the_same_place_limit_it_together_and_one_with_credentials_alone() {
    let limits = |allow: Vec<HttpRule>| {
        let grant = HttpGrant { subjects: true, allow };
        let place = Place::of("https://a.example/x").expect("a plain address");
        let allowed = grant.allowed("GET", &place, &[], BYTES).expect("it is allowed");
        (allowed.response_bytes_max, allowed.timeout.map(|timeout| timeout.as_millis()))
    };
    let limited = |bytes, ms| HttpRule { response_bytes_max: bytes, timeout_ms: ms, ..rule("a.example", "/") };
    assert_eq!(limits(vec![limited(None, None)]), (BYTES, None));
    assert_eq!(limits(vec![limited(Some(10), Some(5))]), (10, Some(5)));
    assert_eq!(limits(vec![limited(Some(10), Some(5)), limited(Some(2000), Some(9))]), (2000, Some(9)));
    assert_eq!(limits(vec![limited(Some(10), Some(5)), limited(None, None)]), (BYTES, None));
    let credentials = serde_json::from_str(r#"{"bearer":{"environment":"TOKEN"}}"#).expect("credentials");
    let proven = HttpRule { credentials: Some(credentials), ..limited(Some(10), Some(5)) };
    assert_eq!(limits(vec![limited(None, None), proven]), (10, Some(5)));
}

#[test]
fn a_limit_that_limits_nothing_or_everything_is_refused_where_it_is_written() {
    for (limit, why) in [
        (r#""responseBytesMax":0"#, "invalid value: integer `0`, expected responseBytesMax from 1 to 16777216"),
        (r#""responseBytesMax":16777217"#, "integer `16777217`, expected responseBytesMax from 1 to 16777216"),
        (r#""timeoutMs":0"#, "integer `0`, expected timeoutMs of at least 1"),
        (r#""timeoutMs":-1"#, "invalid value"),
    ] {
        let error = serde_json::from_str::<HttpRule>(&format!(r#"{{"host":"a.example",{limit}}}"#)).unwrap_err().to_string();
        assert!(error.contains(why), "{limit}: {error}");
    }
    let written = serde_json::to_string(&rule("a.example", "/")).expect("JSON");
    assert!(!written.contains("Max") && !written.contains("timeout"), "what is not said is not written: {written}");
}

#[test]
fn addresses_that_hide_where_they_go_are_not_addresses() {
    for url in [
        "http://user:secret@example.com/",
        "ftp://example.com/",
        "/relative",
        "http:///nowhere",
        "https://example.com/allowed/../secret",
        "https://example.com/allowed/%2E%2e/secret",
        "https://example.com/allowed%2f..%2fsecret",
        "https://example.com/allowed\\..\\secret",
    ] {
        Place::of(url).expect_err(url);
    }
}
