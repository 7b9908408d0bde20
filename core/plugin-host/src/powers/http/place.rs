//! Where a request goes: an address as the guest wrote it, taken apart and found to be plain.

use http::Uri;

use super::grant::Scheme;

/// A path segment that servers read as "up" or "here", plain or encoded: with one, a path prefix says nothing.
const DOTS: [&str; 2] = [".", ".."];

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) scheme: Scheme,
    /// The host in lower case; an IPv6 address without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The path without the query.
    pub(super) path: String,
    /// The path and the query, as they are sent.
    pub(crate) path_and_query: String,
}

impl Place {
    /// Returns the place that a URL names, or what is wrong with it.
    pub(crate) fn of(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url:?} is not an address: {error}"))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            found => return Err(format!("{url:?} has scheme {:?}, wanted http or https", found.unwrap_or("none"))),
        };
        let authority = uri.authority().ok_or_else(|| format!("{url:?} names no host"))?;
        if authority.as_str().contains('@') {
            return Err("an address must not carry a user or a password; the host adds credentials".to_owned());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(format!("{url:?} names no host"));
        }
        let path = uri.path().to_owned();
        if let Some(segment) = path.split('/').find(|segment| is_dots(segment)) {
            return Err(format!("the path {path:?} has a segment {segment:?}"));
        }
        let path_and_query = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        Ok(Self { scheme, host, port: authority.port_u16().unwrap_or(scheme.port()), path, path_and_query })
    }

    /// Returns the `host` header: without the port where it is the scheme's own, as every other client writes it and as it is signed.
    pub(crate) fn host_header(&self) -> String {
        let authority = self.authority();
        let own = format!(":{}", self.scheme.port());
        authority.strip_suffix(&own).map(str::to_owned).unwrap_or(authority)
    }

    /// Returns the address without its query, which may carry secrets.
    pub(super) fn without_query(&self) -> String {
        format!("{}://{}{}", self.scheme.as_str(), self.authority(), self.path)
    }

    /// Returns the whole address.
    pub(super) fn url(&self) -> String {
        format!("{}://{}{}", self.scheme.as_str(), self.authority(), self.path_and_query)
    }

    /// Returns where a redirect from here leads, or what is wrong with it.
    pub(super) fn joined(&self, location: &str) -> Result<Self, String> {
        let wrong = |error: url::ParseError| format!("the answer leads to no address: {error}");
        let mut there = url::Url::parse(&self.url()).and_then(|here| here.join(location)).map_err(wrong)?;
        there.set_fragment(None);
        Self::of(there.as_str())
    }

    /// Returns whether two places are of one origin: scheme, host and port.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        (self.scheme, &self.host, self.port) == (other.scheme, &other.host, other.port)
    }

    /// Returns `host:port`, as it stands in endpoints.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }
}

fn is_dots(segment: &str) -> bool {
    // A back slash is a slash to some servers; nobody needs one in a path.
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    DOTS.contains(&plain.as_str()) || plain.contains('\\') || plain.contains("%2f") || plain.contains("%5c")
}
