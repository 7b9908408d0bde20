//! Which headers a guest may set.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// What a guest may not set: what belongs to the connection (the host owns it), and credentials (the host adds them).
const REMOVED: [HeaderName; 13] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    header::HOST,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::AUTHORIZATION,
    header::COOKIE,
    header::FORWARDED,
];

/// What carries a session: a guest that judges a service may send back what that service gave it.
const SESSION: [HeaderName; 2] = [header::AUTHORIZATION, header::COOKIE];

/// What a guest may not set either, and has no name in the library.
const REMOVED_UNUSUAL: [&str; 4] = ["keep-alive", "proxy-connection", "x-amz-security-token", "x-forwarded-for"];

/// What a guest says of the answer that it wants and of the body that it sends: it goes along to wherever a redirect leads. Every other
/// header of a guest may be a credential, whatever it is called, and stays at the place that it was meant for.
const FOR_OTHERS: [HeaderName; 8] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_TYPE,
    header::RANGE,
    header::USER_AGENT,
];

/// How the host presents itself where the guest says nothing.
const USER_AGENT: HeaderValue = HeaderValue::from_static("towpath");

/// Returns the headers that are sent, or what is wrong with the guest's. `session` says whether it may bring one of its own.
pub(super) fn sent(theirs: &[(String, String)], host: &str, session: bool) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::with_capacity(theirs.len() + 2);
    for (name, value) in theirs {
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|error| format!("header name {name:?}: {error}"))?;
        let removed = REMOVED.contains(&parsed) || REMOVED_UNUSUAL.contains(&parsed.as_str());
        if removed && !(session && SESSION.contains(&parsed)) {
            continue;
        }
        let value = HeaderValue::from_str(value).map_err(|error| format!("value of header {name:?}: {error}"))?;
        headers.append(parsed, value);
    }
    headers.insert(header::HOST, HeaderValue::from_str(host).map_err(|error| format!("host {host:?}: {error}"))?);
    headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
    Ok(headers)
}

/// Removes what a guest meant for the place that it named, on the way to another one.
pub(super) fn retain_for_others(theirs: &mut Vec<(String, String)>) {
    theirs.retain(|(name, _)| HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| FOR_OTHERS.contains(&name)));
}

/// Returns the headers of an answer, as text; what is not text is left out.
pub(super) fn received(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
    headers.iter().filter_map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_and_connection_headers_of_a_guest_are_removed() {
        let theirs = ["Authorization", "cookie", "Keep-Alive", "Transfer-Encoding", "host", "x-mine"]
            .map(|name| (name.to_owned(), "v".to_owned()));
        let headers = sent(&theirs, "example.com:80", false).expect("well-formed headers");
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-mine", "host", "user-agent"]);
        assert_eq!(headers[header::HOST], "example.com:80");
        // Who judges a service may bring a session that the service gave it, and nothing else of these.
        let headers = sent(&theirs, "example.com:80", true).expect("well-formed headers");
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["authorization", "cookie", "x-mine", "host", "user-agent"]);
    }

    #[test]
    fn a_header_cannot_smuggle_a_line() {
        let theirs = [("x".to_owned(), "a\r\nauthorization: b".to_owned())];
        sent(&theirs, "example.com", false).expect_err("a line break is not a header value");
    }
}
