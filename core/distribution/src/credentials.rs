//! Credentials from a `config.json` as docker writes it. They are shown to nobody but the registry.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::config;
use crate::error::Error;

/// Who asks a registry.
#[derive(Clone)]
pub(crate) struct Credential {
    user: String,
    password: String,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential of {}", self.user)
    }
}

impl Credential {
    /// Returns the value of the header that proves it.
    pub(crate) fn basic(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.user, self.password)))
    }
}

/// Other keys of the file are docker's own business.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DockerConfig {
    auths: BTreeMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

/// Returns the credential for a host, if the file has one.
pub(crate) fn of(file: &Path, host: &str) -> Result<Option<Credential>, Error> {
    let read: DockerConfig = config::read_json(file)?;
    let found = read.auths.into_iter().find(|(named, _)| host_of(named) == host).map(|(_, auth)| auth);
    let helper = read.cred_helpers.get(host).or(read.creds_store.as_ref());
    match (found, helper) {
        (Some(auth), _) if !auth.identitytoken.is_empty() => Err(config::wrong(
            file,
            &format!("{host} has an identity token, which is not supported: give it a user and a password"),
        )),
        (Some(auth), None) => decoded(auth).map(Some).map_err(|why| config::wrong(file, &format!("the entry for {host}: {why}"))),
        (Some(auth), Some(helper)) => decoded(auth).map(Some).map_err(|_| needs_helper(file, host, helper)),
        (None, Some(helper)) if read.cred_helpers.contains_key(host) => Err(needs_helper(file, host, helper)),
        (None, _) => Ok(None),
    }
}

fn needs_helper(file: &Path, host: &str, helper: &str) -> Error {
    config::wrong(
        file,
        &format!("the credentials for {host} are kept by the helper `{helper}`, which is not run: write them into `auths`"),
    )
}

/// Docker writes some keys as URLs.
fn host_of(named: &str) -> &str {
    let named = named.strip_prefix("https://").or_else(|| named.strip_prefix("http://")).unwrap_or(named);
    named.split('/').next().unwrap_or(named)
}

fn decoded(auth: Auth) -> Result<Credential, &'static str> {
    if auth.auth.is_empty() {
        let whole = !auth.username.is_empty() && !auth.password.is_empty();
        return whole
            .then_some(Credential { user: auth.username, password: auth.password })
            .ok_or("it has neither `auth` nor user and password");
    }
    // The reason of the decoder would quote the secret.
    let bytes = STANDARD.decode(auth.auth.trim()).map_err(|_| "`auth` is not base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "`auth` is not text")?;
    let (user, password) = text.split_once(':').ok_or("`auth` is not user:password in base64")?;
    Ok(Credential { user: user.to_owned(), password: password.trim_end_matches('\0').to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_text(text: &str, host: &str) -> Result<Option<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, text).unwrap();
        of(&file, host).map(|found| found.map(|found| found.basic())).map_err(|error| error.to_string())
    }

    #[test]
    fn a_credential_is_found_by_host_alone() {
        let text = format!(
            r#"{{"auths": {{"https://a.example/v1/": {{"auth": "{}"}}, "b.example:5000": {{"username": "u", "password": "p"}}}}, "other": 1}}"#,
            STANDARD.encode("u:p:q")
        );
        assert_eq!(of_text(&text, "a.example").unwrap(), Some(format!("Basic {}", STANDARD.encode("u:p:q"))));
        assert_eq!(of_text(&text, "b.example:5000").unwrap(), Some(format!("Basic {}", STANDARD.encode("u:p"))));
        assert_eq!(of_text(&text, "b.example").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_secret() {
        let error = of_text(r#"{"auths": {"a.example": {"auth": "s3cr%t"}}}"#, "a.example").unwrap_err();
        assert!(error.contains("a.example: `auth` is not base64") && !error.contains("s3cr"), "{error}");
        let error = of_text(r#"{"credHelpers": {"a.example": "pass"}}"#, "a.example").unwrap_err();
        assert!(error.contains("helper `pass`"), "{error}");
        let shown = format!("{:?}", Credential { user: "u".into(), password: "hidden".into() });
        assert!(!shown.contains("hidden"));
    }
}
