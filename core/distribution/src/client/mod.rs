//! One registry, by the distribution specification: manifests, blobs, referrers, credentials.
//!
//! It believes nothing that it is given: who uses it checks digests. What is not found is no error here.

mod challenge;
mod http;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use ::http::{HeaderValue, Method, StatusCode, Uri};
use bytes::Bytes;
use serde::Deserialize;
use tokio::sync::Mutex;

use self::challenge::Challenge;
use self::http::{Answer, Ask, Failed, Http};
use crate::config::Registries;
use crate::credentials::{self, Credential};
use crate::error::Error;
use crate::manifest::{ACCEPTED, MANIFEST_BYTES_MAX};

/// How often a blob's answer may point elsewhere: registries hand out one link to their storage, which may move once.
const REDIRECTS_MAX: usize = 4;
/// Largest answer that says what went wrong, or carries a token.
const WORDS_BYTES_MAX: usize = 64 * 1024;

/// A registry, or a mirror of one.
pub(crate) struct Client {
    host: String,
    /// What stands before every repository, for mirrors that keep others' in a folder; with its slash.
    prefix: String,
    scheme: &'static str,
    http: Arc<Http>,
    credentials_file: Option<PathBuf>,
    plain_hosts: Registries,
    /// What proved itself, by the repository.
    proofs: Mutex<BTreeMap<String, HeaderValue>>,
}

impl Client {
    /// Returns the registry itself and its mirrors, in that order.
    pub(crate) fn all(registries: &Registries, host: &str) -> Vec<Self> {
        let http = Arc::new(Http::new(registries.ca_file.clone()));
        let mirrors = registries.hosts.get(host).map(|host| host.mirrors.as_slice()).unwrap_or_default();
        let places = std::iter::once(host).chain(mirrors.iter().map(String::as_str));
        places.map(|place| Self::new(registries, place, http.clone())).collect()
    }

    fn new(registries: &Registries, place: &str, http: Arc<Http>) -> Self {
        let (host, folder) = place.split_once('/').unwrap_or((place, ""));
        let folder = folder.trim_matches('/');
        Self {
            host: host.to_owned(),
            prefix: if folder.is_empty() { String::new() } else { format!("{folder}/") },
            scheme: if registries.plain(host) { "http" } else { "https" },
            http,
            credentials_file: registries.credentials_file.clone(),
            plain_hosts: registries.clone(),
            proofs: Mutex::default(),
        }
    }

    /// Returns how it is called in messages.
    pub(crate) fn place(&self) -> &str {
        &self.host
    }

    /// Returns a manifest by tag or digest, as it is given.
    pub(crate) async fn manifest(&self, repository: &str, name: &str) -> Result<Option<Bytes>, Error> {
        let what = format!("the manifest {name} of {repository}");
        let mut ask = Ask::get(self.url(repository, &format!("manifests/{name}"), &what)?, MANIFEST_BYTES_MAX);
        ask.headers.insert(ACCEPT, HeaderValue::from_static(ACCEPTED));
        let answer = self.ask(repository, "pull", ask, &what).await?;
        self.found(answer, &what)
    }

    /// Returns a blob, as it is given.
    pub(crate) async fn blob(&self, repository: &str, digest: &str, bytes_max: usize) -> Result<Option<Bytes>, Error> {
        let what = format!("the blob {digest} of {repository}");
        let mut ask = Ask::get(self.url(repository, &format!("blobs/{digest}"), &what)?, bytes_max);
        let mut answer = self.ask(repository, "pull", ask.clone(), &what).await?;
        for _ in 0..REDIRECTS_MAX {
            if !answer.status.is_redirection() {
                break;
            }
            let next = http::location(&ask.url, &answer).unwrap_or_else(|| Err("it points nowhere".to_owned()));
            ask.url = next.and_then(|next| self.may_follow(next)).map_err(|why| self.unreachable(&what, &why))?;
            // Whoever stores the blobs is not who knows us.
            answer = self.answer(self.http.ask(&ask).await, &what, bytes_max)?;
        }
        self.found(answer, &what)
    }

    /// Returns the list of what refers to a digest, an index; by the referrers API, else by its tag.
    pub(crate) async fn referrers(&self, repository: &str, digest: &str) -> Result<Option<Bytes>, Error> {
        let what = format!("the referrers of {digest} in {repository}");
        let ask = Ask::get(self.url(repository, &format!("referrers/{digest}"), &what)?, MANIFEST_BYTES_MAX);
        let answer = self.ask(repository, "pull", ask, &what).await?;
        match answer.status.is_success() {
            true => Ok(Some(answer.body)),
            false => self.manifest(repository, &digest.replace(':', "-")).await,
        }
    }

    /// Stores a blob, unless it is there.
    pub(crate) async fn put_blob(&self, repository: &str, digest: &str, bytes: &[u8]) -> Result<(), Error> {
        let what = format!("the blob {digest} for {repository}");
        let mut ask = Ask::get(self.url(repository, &format!("blobs/{digest}"), &what)?, WORDS_BYTES_MAX);
        ask.method = Method::HEAD;
        if self.ask(repository, "pull,push", ask, &what).await?.status.is_success() {
            return Ok(());
        }
        let mut ask = Ask::get(self.url(repository, "blobs/uploads/", &what)?, WORDS_BYTES_MAX);
        ask.method = Method::POST;
        let begun = self.ask(repository, "pull,push", ask.clone(), &what).await?;
        self.accepted(&begun, &what)?;
        let place = http::location(&ask.url, &begun).unwrap_or_else(|| Err("it names no place for the blob".to_owned()));
        let place = place.and_then(|place| self.may_follow(place)).map_err(|why| self.unreachable(&what, &why))?;
        let joint = if place.query().is_some() { '&' } else { '?' };
        ask.url = format!("{place}{joint}digest={digest}").parse().map_err(|error| self.unreachable(&what, &error))?;
        ask.method = Method::PUT;
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        ask.body = Bytes::copy_from_slice(bytes);
        // The place of an upload may be another host's, which our proof is not for.
        let answer = match ask.url.host() == self.url(repository, "", &what)?.host() {
            true => self.ask(repository, "pull,push", ask, &what).await?,
            false => self.answer(self.http.ask(&ask).await, &what, WORDS_BYTES_MAX)?,
        };
        self.accepted(&answer, &what)
    }

    /// Stores a manifest under a tag or its digest. Returns whether the registry keeps the list of referrers by itself.
    pub(crate) async fn put_manifest(&self, repository: &str, name: &str, kind: &str, bytes: &[u8]) -> Result<bool, Error> {
        let what = format!("the manifest {name} for {repository}");
        let mut ask = Ask::get(self.url(repository, &format!("manifests/{name}"), &what)?, WORDS_BYTES_MAX);
        ask.method = Method::PUT;
        ask.headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).map_err(|error| self.unreachable(&what, &error))?);
        ask.body = Bytes::copy_from_slice(bytes);
        let answer = self.ask(repository, "pull,push", ask, &what).await?;
        self.accepted(&answer, &what)?;
        Ok(answer.header("oci-subject").is_some())
    }

    /// Asks; where the registry wants to know who asks, proves it and asks again.
    async fn ask(&self, repository: &str, actions: &str, mut ask: Ask, what: &str) -> Result<Answer, Error> {
        let known = format!("{repository} {actions}");
        if let Some(proof) = self.proofs.lock().await.get(&known) {
            ask.headers.insert(AUTHORIZATION, proof.clone());
        }
        let answer = self.answer(self.http.ask(&ask).await, what, ask.bytes_max)?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let challenges = answer.headers.get_all(WWW_AUTHENTICATE);
        let challenge = challenge::parse(challenges.iter().filter_map(|value| value.to_str().ok()));
        let Some(proof) = self.prove(challenge, repository, actions).await? else { return Ok(answer) };
        ask.headers.insert(AUTHORIZATION, proof.clone());
        let answer = self.answer(self.http.ask(&ask).await, what, ask.bytes_max)?;
        if answer.status != StatusCode::UNAUTHORIZED {
            self.proofs.lock().await.insert(known, proof);
        }
        Ok(answer)
    }

    async fn prove(&self, challenge: Option<Challenge>, repository: &str, actions: &str) -> Result<Option<HeaderValue>, Error> {
        let credential = self.credential()?;
        let proof = match challenge {
            None => return Ok(None),
            Some(Challenge::Basic) => match credential {
                Some(credential) => credential.basic(),
                None => return Ok(None),
            },
            Some(Challenge::Bearer { realm, service, scope }) => {
                let scope = scope.unwrap_or_else(|| format!("repository:{}{repository}:{actions}", self.prefix));
                format!("Bearer {}", self.token(&realm, service, &scope, credential).await?)
            }
        };
        let mut proof = HeaderValue::from_str(&proof).map_err(|_| self.unreachable("a token", &"it is no word for a header"))?;
        proof.set_sensitive(true);
        Ok(Some(proof))
    }

    async fn token(&self, realm: &str, service: Option<String>, scope: &str, who: Option<Credential>) -> Result<String, Error> {
        /// The two names that registries use.
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let what = format!("a token from {realm}");
        let mut url = format!("{realm}{}scope={}", if realm.contains('?') { '&' } else { '?' }, challenge::escaped(scope));
        if let Some(service) = service {
            url.push_str(&format!("&service={}", challenge::escaped(&service)));
        }
        let url = url.parse::<Uri>().map_err(|error| self.unreachable(&what, &error))?;
        let url = self.may_follow(url).map_err(|why| self.unreachable(&what, &why))?;
        let mut ask = Ask::get(url, WORDS_BYTES_MAX);
        if let Some(who) = who {
            let mut proof = HeaderValue::from_str(&who.basic()).expect("BUG: base64 is fit for a header");
            proof.set_sensitive(true);
            ask.headers.insert(AUTHORIZATION, proof);
        }
        let answer = self.answer(self.http.ask(&ask).await, &what, WORDS_BYTES_MAX)?;
        self.accepted(&answer, &what)?;
        let read: Option<Token> = serde_json::from_slice(&answer.body).ok();
        read.and_then(|read| read.token.or(read.access_token)).ok_or_else(|| self.unreachable(&what, &"the answer holds none"))
    }

    fn credential(&self) -> Result<Option<Credential>, Error> {
        self.credentials_file.as_deref().map_or(Ok(None), |file| credentials::of(file, &self.host))
    }

    fn url(&self, repository: &str, rest: &str, what: &str) -> Result<Uri, Error> {
        // The one registry whose API lives on another host than its name.
        let host = if self.host == "docker.io" { "registry-1.docker.io" } else { &self.host };
        let url = format!("{}://{host}/v2/{}{repository}/{rest}", self.scheme, self.prefix);
        url.parse().map_err(|error| self.unreachable(what, &error))
    }

    /// What is encrypted stays so, except to hosts that are spoken to in the open anyway.
    fn may_follow(&self, url: Uri) -> Result<Uri, String> {
        let host = url.authority().map_or("", |authority| authority.as_str());
        match url.scheme_str() {
            Some("https") => Ok(url),
            Some("http") if self.plain_hosts.plain(host) => Ok(url),
            _ => Err(format!("it points to {}://{host}, which is not encrypted", url.scheme_str().unwrap_or_default())),
        }
    }

    fn answer(&self, answer: Result<Answer, Failed>, what: &str, bytes_max: usize) -> Result<Answer, Error> {
        answer.map_err(|failed| match failed {
            Failed::Broken(why) => self.unreachable(what, &why),
            Failed::TooLarge => Error::TooLarge {
                place: self.host.clone(),
                what: what.to_owned(),
                limit: u64::try_from(bytes_max).unwrap_or(u64::MAX),
            },
        })
    }

    fn found(&self, answer: Answer, what: &str) -> Result<Option<Bytes>, Error> {
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            _ => self.accepted(&answer, what).map(|()| Some(answer.body)),
        }
    }

    fn accepted(&self, answer: &Answer, what: &str) -> Result<(), Error> {
        let status = answer.status;
        if status.is_success() {
            return Ok(());
        }
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            let words = words_of(&answer.body);
            return Err(self.unreachable(what, &format!("it answers {status}{words}")));
        }
        let why = match (&self.credentials_file, self.credential()?) {
            (_, Some(credential)) => format!("{what} may not be reached with the {credential:?}"),
            (Some(file), None) => format!("{what} needs credentials, and {} has none for {}", file.display(), self.host),
            (None, None) => format!("{what} needs credentials: name a `credentialsFile` whose `auths` have {}", self.host),
        };
        Err(Error::Denied { place: self.host.clone(), status: status.as_u16(), why })
    }

    fn unreachable(&self, what: &str, why: &dyn std::fmt::Display) -> Error {
        Error::Unreachable { what: what.to_owned(), tried: vec![format!("{}: {why}", self.host)] }
    }
}

/// Returns what a registry says about an error, cut short.
fn words_of(body: &[u8]) -> String {
    let words: String = String::from_utf8_lossy(body).chars().filter(|word| !word.is_control()).take(200).collect();
    if words.is_empty() { words } else { format!(": {words}") }
}

/// So that no header is shown by accident.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client of {}", self.host)
    }
}
