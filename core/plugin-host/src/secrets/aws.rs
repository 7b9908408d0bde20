//! AWS Signature Version 4, as AWS documents it ("Create a signed AWS API request") and tests it (its published test suite).

use http::header::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;
use sha2::{Digest as _, Sha256};

use super::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");

/// Headers that somebody on the way may change; they are not signed.
const UNSIGNED: [&str; 4] = ["authorization", "user-agent", "connection", "x-amzn-trace-id"];

/// Keys of an account.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) id: Secret,
    pub(crate) secret: Secret,
    /// Present with temporary keys.
    pub(crate) session_token: Option<Secret>,
}

/// What is signed. The headers must hold `host` already.
pub(crate) struct ToSign<'a> {
    pub(crate) method: &'a str,
    /// The path and the query, as they are sent.
    pub(crate) path_and_query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now_ms: i64,
}

/// Adds the headers that prove a request.
pub(crate) fn sign(headers: &mut HeaderMap, request: &ToSign<'_>, keys: &Keys) -> Result<(), String> {
    let time = jiff::Timestamp::from_millisecond(request.now_ms).map_err(|error| error.to_string())?;
    let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &stamp[..8];
    headers.remove(&CONTENT_HASH);
    headers.insert(DATE, value(&stamp, false)?);
    if let Some(token) = &keys.session_token {
        headers.insert(TOKEN, value(token.reveal(), true)?);
    }
    let body_hash = hex::encode(Sha256::digest(request.body));
    if request.service == "s3" {
        headers.insert(CONTENT_HASH, value(&body_hash, false)?);
    }
    let (names, canonical) = canonical_headers(headers);
    let (path, query) = request.path_and_query.split_once('?').unwrap_or((request.path_and_query, ""));
    let path = canonical_path(path, request.service);
    let canonical = format!("{}\n{path}\n{}\n{canonical}\n{names}\n{body_hash}", request.method, canonical_query(query));
    let scope = format!("{day}/{}/{}/aws4_request", request.region, request.service);
    let to_sign = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let mut key = format!("AWS4{}", keys.secret.reveal()).into_bytes();
    for part in [day, request.region, request.service, "aws4_request"] {
        key = keyed(&key, part);
    }
    let signature = hex::encode(keyed(&key, &to_sign));
    let proof = format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}", keys.id.reveal());
    headers.insert(http::header::AUTHORIZATION, value(&proof, true)?);
    Ok(())
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn value(text: &str, sensitive: bool) -> Result<HeaderValue, String> {
    // The text may be a secret: the library's error does not show it, and neither does ours.
    let mut value = HeaderValue::from_str(text).map_err(|_| "the AWS keys hold characters that no header may have".to_owned())?;
    value.set_sensitive(sensitive);
    Ok(value)
}

/// Returns the names of the signed headers, and the headers themselves, one a line.
fn canonical_headers(headers: &HeaderMap) -> (String, String) {
    let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).filter(|name| !UNSIGNED.contains(name)).collect();
    names.sort_unstable();
    let mut lines = String::new();
    for name in &names {
        let values = headers.get_all(*name).iter().map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            text.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        });
        lines.push_str(&format!("{name}:{}\n", values.collect::<Vec<_>>().join(",")));
    }
    (names.join(";"), lines)
}

/// Every service but S3 wants the path, which is encoded already, encoded once more.
fn canonical_path(path: &str, service: &str) -> String {
    if service == "s3" {
        return path.to_owned();
    }
    path.split('/').map(|segment| encoded(segment.as_bytes())).collect::<Vec<_>>().join("/")
}

fn canonical_query(query: &str) -> String {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let mut parameters: Vec<_> = parameters
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (encoded(&decoded(name)), encoded(&decoded(value)))
        })
        .collect();
    parameters.sort_unstable();
    parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut found = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                found.push(byte);
                at += 3;
            }
            None => {
                found.push(bytes[at]);
                at += 1;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The session token of the published suite.
    const SESSION: &str = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

    /// Signs as the published suite does: its keys, its day, its service; returns the signature.
    fn signature(method: &str, path_and_query: &str, more: &[(&'static str, &str)], body: &str, session: Option<&str>) -> String {
        let secret = |text: &str| Secret::new(text.to_owned());
        let keys = Keys {
            id: secret("AKIDEXAMPLE"),
            secret: secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: session.map(secret),
        };
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("example.amazonaws.com"));
        for (name, text) in more {
            headers.append(*name, HeaderValue::from_str(text).expect("a value"));
        }
        let request = ToSign {
            method,
            path_and_query,
            body: body.as_bytes(),
            service: "service",
            region: "us-east-1",
            now_ms: 1_440_938_160_000,
        };
        sign(&mut headers, &request, &keys).expect("signed");
        let proof = headers["authorization"].to_str().expect("text").to_owned();
        assert!(headers["authorization"].is_sensitive());
        proof.split_once("Signature=").expect("a signature").1.to_owned()
    }

    #[test]
    fn the_published_vectors_hold() {
        let check = |method, path, more: &[(&'static str, &str)], body, session, expect: &str| {
            assert_eq!(signature(method, path, more, body, session), expect, "{method} {path} {more:?}");
        };
        let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
        check("GET", "/", &[], "", None, vanilla);
        let order = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
        check("GET", "/?Param2=value2&Param1=value1", &[], "", None, order);
        let post = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
        check("POST", "/", &[], "", None, post);
        let session = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead";
        check("POST", "/", &[], "", Some(SESSION), session);
    }
    /// Signs as the examples of S3's documentation do; returns the signature.
    fn s3_signature(path_and_query: &str, more: &[(&'static str, &'static str)]) -> String {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (id, key) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
        let keys = Keys { id: secret(id), secret: secret(key), session_token: None };
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("examplebucket.s3.amazonaws.com"));
        headers.extend(more.iter().map(|(name, text)| (HeaderName::from_static(name), HeaderValue::from_static(text))));
        let (service, region, now_ms) = ("s3", "us-east-1", 1_369_353_600_000);
        sign(&mut headers, &ToSign { method: "GET", path_and_query, body: b"", service, region, now_ms }, &keys).expect("signed");
        let proof = headers["authorization"].to_str().expect("text");
        proof.split_once("Signature=").expect("a signature").1.to_owned()
    }

    #[test]
    fn the_examples_of_s3_hold() {
        let part = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert_eq!(s3_signature("/test.txt", &[("range", "bytes=0-9")]), part);
        let list = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        assert_eq!(s3_signature("/?max-keys=2&prefix=J", &[]), list);
        let lifecycle = "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543";
        assert_eq!(s3_signature("/?lifecycle", &[]), lifecycle);
    }
}
