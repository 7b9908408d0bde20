//! Which requests a grant allows.

use super::grant::{HttpGrant, HttpRule, Reach, Scheme};
use super::place::Place;

fn rule(host: &str, path: &str) -> HttpRule {
    HttpRule {
        scheme: Scheme::Https,
        host: host.to_owned(),
        port: None,
        methods: Vec::new(),
        path: path.to_owned(),
        private: false,
        credentials: None,
    }
}

fn check(grant: &HttpGrant, method: &str, url: &str, expect: Option<Reach>) {
    let place = Place::of(url).expect("a plain address");
    let allowed = grant.allowed(method, &place, &["127.0.0.1:4000".to_owned()]);
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
