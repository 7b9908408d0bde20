//! What an operator says about registries: mirrors, authorities, credentials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// Largest file of settings, in bytes: a docker-style one with many registries has a few thousand.
const CONFIG_BYTES_MAX: u64 = 1024 * 1024;

/// The registries that plugins come from and go to. A registry that is not named is asked over https, with no credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Registries {
    /// What is special about a registry, by its host and port as in references.
    pub hosts: BTreeMap<String, Host>,
    /// PEM file with authorities that are believed beside the machine's own.
    pub ca_file: Option<PathBuf>,
    /// A `config.json` as docker writes it, whose `auths` hold the credentials.
    pub credentials_file: Option<PathBuf>,
}

/// What is special about one registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Host {
    /// Registries that may have the same contents, `host:port` or `host:port/folder`, in the order in which they are asked. They are asked
    /// for digests first; which digest a tag has, they are asked only when the registry itself is out of reach.
    pub mirrors: Vec<String>,
    /// Whether it is spoken to without encryption. Loopback addresses are, when nothing is said.
    pub plain_http: Option<bool>,
}

impl Registries {
    /// Reads a file of registries; the files that it names are relative to its folder.
    ///
    /// # Errors
    /// Returns what cannot be read, or which key is not known.
    pub fn from_file(file: &Path) -> Result<Self, Error> {
        let mut read: Self = read_json(file)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for named in [&mut read.ca_file, &mut read.credentials_file].into_iter().flatten() {
            *named = folder.join(&*named);
        }
        Ok(read)
    }

    /// Whether a host is spoken to without encryption.
    pub(crate) fn plain(&self, host: &str) -> bool {
        self.hosts.get(host).and_then(|host| host.plain_http).unwrap_or_else(|| is_loopback(host))
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Reads a bounded file of JSON.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, Error> {
    let bytes = read_bounded(file)?;
    serde_json::from_slice(&bytes).map_err(|error| wrong(file, &error))
}

/// Reads a bounded file.
pub(crate) fn read_bounded(file: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| wrong(file, &error))?;
    opened.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| wrong(file, &error))?;
    match bytes.len() as u64 > CONFIG_BYTES_MAX {
        true => Err(wrong(file, &format!("it is larger than {CONFIG_BYTES_MAX} bytes"))),
        false => Ok(bytes),
    }
}

pub(crate) fn wrong(file: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Config { file: file.to_owned(), why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_and_for_whom_it_was_said() {
        let said = r#"{"hosts": {"registry.example:5000": {"plainHttp": true}, "127.0.0.1:5000": {"plainHttp": false}}}"#;
        let registries: Registries = serde_json::from_str(said).unwrap();
        for (host, plain) in [
            ("registry.example:5000", true),
            ("registry.example", false),
            ("127.0.0.1:5000", false),
            ("127.0.0.1:5001", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("localhost.example", false),
        ] {
            assert_eq!(registries.plain(host), plain, "{host}");
        }
    }

    #[test]
    fn unknown_keys_are_reported_with_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registries.json");
        std::fs::write(&file, r#"{"mirror": []}"#).unwrap();
        let error = Registries::from_file(&file).unwrap_err().to_string();
        assert!(error.contains("`mirror`") && error.contains("`hosts`") && error.contains("registries.json"), "{error}");
    }

    #[test]
    fn files_are_relative_to_the_file_that_names_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registries.json");
        std::fs::write(&file, r#"{"credentialsFile": "config.json"}"#).unwrap();
        assert_eq!(Registries::from_file(&file).unwrap().credentials_file, Some(folder.path().join("config.json")));
    }
}
