//! What a proxy changes in a head: the headers that belong to one connection go, those that say who asked come.

use std::net::IpAddr;

use http::header::{self, HeaderName};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Says which release answered.
pub(crate) const X_TOWPATH_RELEASE: HeaderName = HeaderName::from_static("x-towpath-release");

/// Says that a request is a copy, and that nobody waits for the answer.
pub(crate) const X_TOWPATH_MIRROR: HeaderName = HeaderName::from_static("x-towpath-mirror");

/// Headers that belong to one connection (RFC 9110, 7.6.1, and the older ones that are still sent).
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Removes what belongs to the connection it came on.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers.get_all(header::CONNECTION).iter().flat_map(named).collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

fn named(connection: &HeaderValue) -> Vec<HeaderName> {
    let text = connection.to_str().unwrap_or_default();
    text.split(',').filter_map(|name| name.trim().parse().ok()).filter(|name| *name != header::CONNECTION).collect()
}

/// Returns the protocol that a request asks to switch to.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get_all(header::CONNECTION).iter().flat_map(named).any(|name| name == header::UPGRADE);
    headers.get(header::UPGRADE).filter(|_| asked).cloned()
}

/// Writes the switch back into a head that was stripped.
pub(crate) fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
}

/// Turns a caller's head into the one that an instance gets.
pub(crate) fn prepare(parts: &mut Parts, caller: IpAddr) {
    strip_hop_by_hop(&mut parts.headers);
    // The server side of hyper has answered this already, or will when the body is read.
    parts.headers.remove(header::EXPECT);
    if !parts.headers.contains_key(header::HOST)
        && let Some(host) = parts.uri.authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok())
    {
        parts.headers.insert(header::HOST, host);
    }
    if let Ok(callers) = HeaderValue::from_str(&with_earlier_callers(&parts.headers, caller)) {
        parts.headers.insert(X_FORWARDED_FOR, callers);
    }
    // An earlier proxy knows better what its caller said.
    if let (false, Some(host)) = (parts.headers.contains_key(X_FORWARDED_HOST), parts.headers.get(header::HOST).cloned()) {
        parts.headers.insert(X_FORWARDED_HOST, host);
    }
    parts.headers.entry(X_FORWARDED_PROTO).or_insert(HeaderValue::from_static("http"));
}

fn with_earlier_callers(headers: &HeaderMap, caller: IpAddr) -> String {
    let mut callers = String::new();
    for earlier in headers.get_all(X_FORWARDED_FOR).iter().filter_map(|v| v.to_str().ok()) {
        callers.push_str(earlier);
        callers.push_str(", ");
    }
    callers + &caller.to_string()
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(pairs: &[(&str, &str)]) -> Parts {
        let builder = Request::get("/x");
        pairs.iter().fold(builder, |b, (name, value)| b.header(*name, *value)).body(()).unwrap().into_parts().0
    }

    fn prepared(pairs: &[(&str, &str)]) -> Vec<String> {
        let mut parts = head(pairs);
        prepare(&mut parts, IpAddr::from([10, 0, 0, 9]));
        let mut lines: Vec<String> = parts.headers.iter().map(|(n, v)| format!("{n}: {}", v.to_str().unwrap())).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_caller_is_named_and_the_connection_forgotten() {
        let found = prepared(&[
            ("host", "shop"),
            ("connection", "close, x-mine"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("accept", "*/*"),
        ]);
        let expect =
            ["accept: */*", "host: shop", "x-forwarded-for: 10.0.0.9", "x-forwarded-host: shop", "x-forwarded-proto: http"];
        assert_eq!(found, expect);
    }

    #[test]
    fn earlier_proxies_are_kept() {
        let found =
            prepared(&[("host", "a"), ("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "b")]);
        let expect = ["host: a", "x-forwarded-for: 1.1.1.1, 10.0.0.9", "x-forwarded-host: b", "x-forwarded-proto: https"];
        assert_eq!(found, expect);
    }

    #[test]
    fn an_upgrade_needs_both_headers() {
        assert_eq!(
            upgrade(&head(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]).headers).unwrap(),
            "websocket"
        );
        assert_eq!(upgrade(&head(&[("connection", "keep-alive"), ("upgrade", "h2c")]).headers), None);
        assert_eq!(upgrade(&head(&[("connection", "upgrade")]).headers), None);
    }
}
