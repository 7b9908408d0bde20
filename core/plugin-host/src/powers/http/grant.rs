//! What the operator may set: which places may be asked, how, and whether they may be inside the network.

use std::net::IpAddr;
use std::time::Duration;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;

use super::address;
use super::credentials::HttpCredentials;
use super::place::Place;
use crate::call::{CallState, Purpose};

/// The methods that a rule allows when it names none: those that change nothing.
const READING: [&str; 2] = ["GET", "HEAD"];

/// The host of a rule that stands for whatever a health check is told to judge: it changes its address with every release.
const SUBJECT: &str = "{subject}";

/// Most bytes of an answer that a rule may allow. As many requests as may be in flight at once stay within 1 GiB, and one answer within an
/// eighth of a plugin's memory.
const RESPONSE_BYTES_CEILING: u32 = 16 << 20;

/// Which places a plugin may ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpGrant {
    /// Whether a health check may read (GET, HEAD over plain http) from the endpoints that it is told to judge, wherever they are.
    pub subjects: bool,
    /// The places that may be asked.
    pub allow: Vec<HttpRule>,
}

/// One place that may be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpRule {
    /// How; plain `http` only where it is said.
    #[serde(default)]
    pub scheme: Scheme,
    /// The host, or `*.` and a domain for all hosts in it, or `{subject}` for the endpoints that a health check is told to judge.
    pub host: String,
    /// The port; absent: the scheme's own, or a subject's.
    #[serde(default)]
    pub port: Option<u16>,
    /// The methods; empty: GET and HEAD.
    #[serde(default)]
    pub methods: Vec<String>,
    /// The path, and everything below it.
    #[serde(default = "root")]
    pub path: String,
    /// Whether the host may be on this machine or in a private network. Link-local addresses (where clouds keep credentials) must
    /// moreover be named as the host, literally.
    #[serde(default)]
    pub private: bool,
    /// Most bytes of an answer's body, at most 16 MiB; absent: 4 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "response_bytes_max")]
    pub response_bytes_max: Option<u32>,
    /// How long one request may take, in milliseconds; absent: as long as the plugin wants, within its call.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "timeout_ms")]
    pub timeout_ms: Option<u32>,
    /// What the host proves itself with in the plugin's name. Over plain http a bearer token or a password is added only where the
    /// rule says `private`: it can be read on the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<HttpCredentials>,
}

/// How a place is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// In the open.
    Http,
    /// Encrypted, the host proven.
    #[default]
    Https,
}

/// How far inside the network a request may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Public addresses alone.
    Public,
    /// This machine and private networks, too.
    Private,
}

/// How a request may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) reach: Reach,
    /// Most bytes of the answer's body.
    pub(super) response_bytes_max: usize,
    /// How long it may take, where a rule says so.
    pub(super) timeout: Option<Duration>,
    pub(super) credentials: Option<HttpCredentials>,
    /// Whether the guest may bring a session of its own: what the place itself gave it, to be judged as its users see it.
    pub(super) session: bool,
}

/// Returns how the request may be sent, or the refusal's sentence.
pub(super) fn check(state: &CallState, method: &str, place: &Place) -> Result<Allowed, String> {
    let subjects: &[String] = match &state.purpose {
        Purpose::Judge(endpoints) => endpoints,
        Purpose::Look | Purpose::Change => &[],
    };
    if !state.asker.asks_for("http") {
        return Err(state.not_asked_for("http"));
    }
    let bytes = state.host.limits.http_response_bytes;
    let granted = state.grants.current().http.as_ref().and_then(|grant| grant.allowed(method, place, subjects, bytes));
    granted.ok_or_else(|| {
        let reason = format!("it asked for {method} {}", place.without_query());
        if let Some(why) = address(place).and_then(address::is_closed) {
            return state.forbid("http", format!("{reason}, {why}"));
        }
        // What a check is told to judge changes its address with every release; the grant that follows it does not.
        // A name would have to be looked up, which is not done for who may not ask.
        let private = address(place).is_some_and(address::is_private);
        let line = match is_judged(place, subjects) {
            true if is_subject(method, place, subjects) => json!({ "http": { "subjects": true } }).to_string(),
            true => subject_line(method, place, private),
            false => line(method, place, private),
        };
        state.refuse("http", reason, line)
    })
}

/// Returns whether a request reads from what the call is told to judge.
fn is_subject(method: &str, place: &Place, subjects: &[String]) -> bool {
    place.scheme == Scheme::Http && subjects.contains(&place.authority()) && READING.contains(&method)
}

/// Returns whether a place is one that the call is told to judge, whatever is asked there.
fn is_judged(place: &Place, subjects: &[String]) -> bool {
    subjects.contains(&place.authority()) || subjects.contains(&place.host_header())
}

/// Returns the address that a place names literally.
fn address(place: &Place) -> Option<IpAddr> {
    place.host.parse().ok()
}

/// Notes that a place leads only to addresses that its rule does not reach, and returns the refusal's sentence.
pub(super) fn leads_inside(state: &CallState, method: &str, place: &Place, addresses: &[IpAddr]) -> String {
    let named: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let reason = format!("{} leads inside, to {}", place.host, named.join(", "));
    // Where some are private and some are not, the line opens those that are.
    match addresses.iter().find_map(|address| address::is_closed(*address)) {
        Some(why) if !addresses.iter().any(|address| address::is_private(*address)) => {
            state.forbid("http", format!("{reason}, {why}"))
        }
        _ => state.refuse("http", reason, line(method, place, true)),
    }
}

/// Returns the grant that allows exactly this request, as the operator writes it.
pub(super) fn line(method: &str, place: &Place, private: bool) -> String {
    let Place { scheme, host, port, path, .. } = place;
    let mut rule = json!({ "scheme": scheme, "host": host, "port": port, "methods": [method], "path": path });
    if private {
        rule["private"] = true.into();
    }
    json!({ "http": { "allow": [rule] } }).to_string()
}

/// Returns the grant that allows this request to whatever is judged.
fn subject_line(method: &str, place: &Place, private: bool) -> String {
    let mut rule = json!({ "scheme": place.scheme, "host": SUBJECT, "methods": [method], "path": place.path });
    if private {
        rule["private"] = true.into();
    }
    json!({ "http": { "allow": [rule] } }).to_string()
}

impl HttpGrant {
    /// Returns what either of the two allows.
    pub(crate) fn merged(&self, more: &Self) -> Self {
        let mut allow = self.allow.clone();
        allow.extend(more.allow.iter().filter(|rule| !self.allow.contains(rule)).cloned());
        Self { subjects: self.subjects || more.subjects, allow }
    }

    /// Returns how a request may be sent; `None` when no rule allows it. A rule that says nothing about the size of answers allows so many
    /// bytes.
    ///
    /// The first rule that allows it and has credentials decides alone: they go no further than that rule reaches. Otherwise all that
    /// allow it do so together.
    pub(super) fn allowed(&self, method: &str, place: &Place, subjects: &[String], bytes: usize) -> Option<Allowed> {
        let mut rules = self.allow.iter().filter(|rule| rule.allows(method, place, subjects));
        if let Some(rule) = rules.clone().find(|rule| rule.credentials.is_some()) {
            return Some(rule.allowed(bytes));
        }
        let first = match self.subjects && is_subject(method, place, subjects) {
            true => Allowed::subject(bytes),
            false => rules.next()?.allowed(bytes),
        };
        let widest = rules.map(|rule| rule.allowed(bytes)).fold(first, Allowed::widest);
        Some(Allowed { session: is_judged(place, subjects), ..widest })
    }
}

impl Allowed {
    /// Returns what is allowed of whatever is judged.
    fn subject(bytes: usize) -> Self {
        Self { reach: Reach::Private, response_bytes_max: bytes, timeout: None, credentials: None, session: false }
    }

    /// Returns what either of the two allows, of which neither has credentials.
    fn widest(self, other: Self) -> Self {
        Self {
            reach: if self.reach == Reach::Private { self.reach } else { other.reach },
            response_bytes_max: self.response_bytes_max.max(other.response_bytes_max),
            timeout: self.timeout.zip(other.timeout).map(|(one, other)| one.max(other)),
            credentials: None,
            session: self.session || other.session,
        }
    }
}

impl HttpRule {
    fn allowed(&self, bytes: usize) -> Allowed {
        let said = self.response_bytes_max.and_then(|bytes| usize::try_from(bytes).ok());
        Allowed {
            reach: if self.private { Reach::Private } else { Reach::Public },
            response_bytes_max: said.unwrap_or(bytes),
            timeout: self.timeout_ms.map(u64::from).map(Duration::from_millis),
            credentials: self.credentials.clone(),
            session: false,
        }
    }

    fn allows(&self, method: &str, place: &Place, subjects: &[String]) -> bool {
        self.scheme == place.scheme
            && self.allows_place(place, subjects)
            && self.allows_method(method)
            && self.allows_path(&place.path)
    }

    fn allows_place(&self, place: &Place, subjects: &[String]) -> bool {
        if self.host == SUBJECT {
            return self.port.is_none_or(|port| port == place.port) && is_judged(place, subjects);
        }
        self.port.unwrap_or(self.scheme.port()) == place.port && self.allows_host(&place.host)
    }

    fn allows_host(&self, host: &str) -> bool {
        let wanted = self.host.to_ascii_lowercase();
        match wanted.strip_prefix("*.") {
            Some(domain) => host.strip_suffix(domain).is_some_and(|label| label.len() > 1 && label.ends_with('.')),
            None => host == wanted.trim_start_matches('[').trim_end_matches(']'),
        }
    }

    fn allows_method(&self, method: &str) -> bool {
        if self.methods.is_empty() { READING.contains(&method) } else { self.methods.iter().any(|allowed| allowed == method) }
    }

    /// A prefix ends where a segment ends: `/api` allows `/api/x` and not `/apis`.
    fn allows_path(&self, path: &str) -> bool {
        let prefix = self.path.trim_end_matches('/');
        path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl Scheme {
    /// Returns the scheme's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Returns the port that the scheme uses when none is said.
    pub fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A limit of nothing would look like a rule, and refuse every answer.
fn response_bytes_max<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    let read = Option::<u32>::deserialize(from)?;
    match read {
        Some(bytes) if bytes == 0 || bytes > RESPONSE_BYTES_CEILING => {
            let expected = format!("responseBytesMax from 1 to {RESPONSE_BYTES_CEILING}");
            Err(D::Error::invalid_value(Unexpected::Unsigned(bytes.into()), &expected.as_str()))
        }
        read => Ok(read),
    }
}

fn timeout_ms<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
    match Option::<u32>::deserialize(from)? {
        Some(0) => Err(D::Error::invalid_value(Unexpected::Unsigned(0), &"timeoutMs of at least 1")),
        read => Ok(read),
    }
}

fn root() -> String {
    "/".to_owned()
}
