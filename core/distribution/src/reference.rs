//! The name of a plugin in a registry: `registry.example:5000/team/plugin:1.2.0@sha256:…`.

use std::fmt;
use std::str::FromStr;

use crate::digest;
use crate::error::Error;

/// Longest reference that is read, in bytes; registries allow 255 for the repository.
const REFERENCE_BYTES_MAX: usize = 512;
/// Longest tag, as the distribution specification has it.
const TAG_BYTES_MAX: usize = 128;

/// Where a plugin is. With a digest it is pinned: the tag is then only a word for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    host: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// Returns the registry's host, with its port if one was named.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Returns the repository, like `team/plugin`.
    pub(crate) fn repository(&self) -> &str {
        &self.repository
    }

    /// Returns the tag.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Returns the digest that it is pinned to.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// Returns host and repository, without tag and digest.
    pub fn name(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }

    /// Returns the same reference, pinned to a digest that was computed here.
    pub(crate) fn pinned(&self, digest: &str) -> Self {
        Self { digest: Some(digest.to_owned()), ..self.clone() }
    }

    /// Returns the same reference without its tag.
    pub(crate) fn untagged(&self) -> Self {
        Self { tag: None, ..self.clone() }
    }

    /// Returns a tag of the same repository.
    pub(crate) fn with_tag(&self, tag: String) -> Self {
        Self { tag: Some(tag), digest: None, ..self.clone() }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).map_err(|why| Error::Reference { text: text.chars().take(REFERENCE_BYTES_MAX).collect(), why })
    }
}

fn parse(text: &str) -> Result<Reference, String> {
    if text.len() > REFERENCE_BYTES_MAX {
        return Err(format!("it has {} bytes, at most {REFERENCE_BYTES_MAX} are read", text.len()));
    }
    let (rest, found) = match text.split_once('@') {
        Some((rest, found)) => (rest, Some(found)),
        None => (text, None),
    };
    if let Some(found) = found.filter(|found| digest::digits(found).is_none()) {
        return Err(format!("`{found}` is no digest, which is sha256: and 64 digits from 0 to f"));
    }
    let (host, rest) = rest.split_once('/').ok_or("it names no registry: there is no `/`")?;
    check_host(host)?;
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (rest, None),
    };
    if repository.is_empty() || !repository.split('/').all(is_word) {
        return Err(format!(
            "`{repository}` is no repository: lower-case words with `.`, `_` or `-` in them, and `/` between them"
        ));
    }
    if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
        return Err(format!("`{tag}` is no tag: letters, digits, `.`, `_` and `-`, at most {TAG_BYTES_MAX}"));
    }
    let own = str::to_owned;
    Ok(Reference { host: own(host), repository: own(repository), tag: tag.map(own), digest: found.map(own) })
}

/// The first part is a registry only if it cannot be mistaken for a folder of a repository.
fn check_host(host: &str) -> Result<(), String> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            address.parse::<std::net::Ipv6Addr>().map_err(|error| format!("`{host}` is no registry: {error}"))?;
            ("localhost", rest.strip_prefix(':'))
        }
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    if let Some(port) = port.filter(|port| !port.bytes().all(|byte| byte.is_ascii_digit()) || port.parse::<u16>().is_err()) {
        return Err(format!("`{port}` is no port"));
    }
    let label = |label: &str| {
        !label.is_empty() && !label.starts_with('-') && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !name.split('.').all(label) {
        return Err(format!("`{host}` is no registry"));
    }
    match name == "localhost" || name.contains('.') || port.is_some() {
        true => Ok(()),
        false => Err(format!("`{host}` is not a registry's host, which has a dot or a port")),
    }
}

fn is_word(word: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-');
    edge(word.bytes().next()) && edge(word.bytes().last()) && word.bytes().all(inside) && !word.contains("..")
}

fn is_tag(tag: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=TAG_BYTES_MAX).contains(&tag.len()) && tag.bytes().all(inside) && !tag.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn references_are_read_and_written_alike() {
        for text in [
            "registry.example:5000/team/plugin:1.2.0",
            "registry.example/plugin",
            "localhost/a:b",
            "127.0.0.1:5000/a_b/c.d-e:_1",
            "[::1]:5000/a:1",
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), text);
        }
        let text = format!("registry.example:5000/team/plugin:1.2.0@{DIGEST}");
        let reference: Reference = text.parse().unwrap();
        assert_eq!(
            (reference.host(), reference.repository(), reference.tag(), reference.digest()),
            ("registry.example:5000", "team/plugin", Some("1.2.0"), Some(DIGEST))
        );
        assert_eq!(reference.to_string(), text);
    }

    #[test]
    fn what_is_no_reference_is_told_why() {
        for (text, why) in [
            ("plugin", "names no registry"),
            ("team/plugin:1", "not a registry's host"),
            ("registry.example/Team/plugin", "no repository"),
            ("registry.example/../etc", "no repository"),
            ("registry.example/a//b", "no repository"),
            ("registry.example/a:", "no tag"),
            ("registry.example/a:b/c", "no tag"),
            ("registry.example/a@sha256:abc", "no digest"),
            ("registry.example/a@sha512:aaaa", "no digest"),
            ("registry.example:99999/a", "no port"),
            ("user@registry.example/a", "no digest"),
            ("https://registry.example/a", "no port"),
        ] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!("a".repeat(600).parse::<Reference>().unwrap_err().to_string().contains("600 bytes"));
    }
}
