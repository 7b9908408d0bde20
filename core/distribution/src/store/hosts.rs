//! A registry and its mirrors, as one place.
//!
//! Which digest a tag has is the registry's to say; a mirror is asked only when the registry is out of reach. What has a digest
//! is taken from the first that gives the right bytes, mirrors first: a mirror that lies or is behind costs a question, and no more.

use bytes::Bytes;

use crate::client::Client;
use crate::config::Registries;
use crate::digest::{check, digest_of};
use crate::error::Error;
use crate::manifest::{Descriptor, MANIFEST_BYTES_MAX, Manifest};
use crate::reference::Reference;

/// The registry first, then its mirrors.
pub(crate) struct Hosts {
    clients: Vec<Client>,
}

impl Hosts {
    pub(crate) fn of(registries: &Registries, reference: &Reference) -> Self {
        Self { clients: Client::all(registries, reference.host()) }
    }

    fn registry(&self) -> &Client {
        &self.clients[0]
    }

    fn mirrors_first(&self) -> impl Iterator<Item = &Client> {
        self.clients[1..].iter().chain(&self.clients[..1])
    }

    pub(super) async fn resolve(&self, reference: &Reference) -> Result<String, Error> {
        let tag = reference.tag().unwrap_or("latest");
        let (mut tried, mut answered) = (Vec::new(), false);
        for client in &self.clients {
            match client.manifest(reference.repository(), tag).await {
                Ok(Some(bytes)) => return Ok(digest_of(&bytes)),
                // The registry knows best what it has.
                Ok(None) if tried.is_empty() => return Err(not_found(reference.to_string(), [client])),
                Ok(None) => {
                    tried.push(format!("{} (it is not there)", client.place()));
                    answered = true;
                }
                Err(Error::Unreachable { tried: told, .. }) => tried.extend(told),
                Err(error) => return Err(error),
            }
        }
        let what = reference.to_string();
        Err(if answered { Error::NotFound { what, asked: tried } } else { Error::Unreachable { what, tried } })
    }

    pub(super) async fn manifest(&self, reference: &Reference, digest: &str) -> Result<Bytes, Error> {
        let what = format!("the manifest {digest} of {}", reference.name());
        let mut asked = Asked::new(&what);
        for client in self.mirrors_first() {
            let given = client.manifest(reference.repository(), digest).await;
            if let Some(bytes) = asked.proper(client, digest, given) {
                return Ok(bytes);
            }
        }
        Err(asked.in_vain(self))
    }

    pub(super) async fn blob(&self, reference: &Reference, digest: &str, bytes_max: usize) -> Result<Bytes, Error> {
        let what = format!("the blob {digest} of {}", reference.name());
        let mut asked = Asked::new(&what);
        for client in self.mirrors_first() {
            let given = client.blob(reference.repository(), digest, bytes_max).await;
            if let Some(bytes) = asked.proper(client, digest, given) {
                return Ok(bytes);
            }
        }
        Err(asked.in_vain(self))
    }

    pub(super) async fn referrers(&self, reference: &Reference, digest: &str) -> Result<Vec<Descriptor>, Error> {
        let mut tried = Vec::new();
        for client in &self.clients {
            match client.referrers(reference.repository(), digest).await {
                Ok(found) => {
                    let what = format!("the referrers of {digest} from {}", client.place());
                    let index = found.map(|bytes| Manifest::read(&what, &bytes)).transpose()?;
                    return Ok(index.and_then(|index| index.manifests).unwrap_or_default());
                }
                Err(Error::Unreachable { tried: told, .. }) => tried.extend(told),
                Err(error) => return Err(error),
            }
        }
        Err(Error::Unreachable { what: format!("the referrers of {digest} in {}", reference.name()), tried })
    }

    pub(super) async fn put_blob(&self, reference: &Reference, bytes: &[u8]) -> Result<(), Error> {
        self.registry().put_blob(reference.repository(), &digest_of(bytes), bytes).await
    }

    pub(super) async fn put_manifest(&self, reference: &Reference, kind: &str, bytes: &[u8]) -> Result<bool, Error> {
        let digest = digest_of(bytes);
        if bytes.len() > MANIFEST_BYTES_MAX {
            let what = format!("the manifest {digest}");
            return Err(Error::TooLarge { place: reference.name(), what, limit: MANIFEST_BYTES_MAX as u64 });
        }
        self.registry().put_manifest(reference.repository(), reference.tag().unwrap_or(&digest), kind, bytes).await
    }
}

/// What came of asking for something with a digest.
struct Asked<'a> {
    what: &'a str,
    /// The last thing that went wrong, other than that it is not there.
    wrong: Vec<Error>,
}

impl<'a> Asked<'a> {
    fn new(what: &'a str) -> Self {
        Self { what, wrong: Vec::new() }
    }

    fn proper(&mut self, client: &Client, digest: &str, given: Result<Option<Bytes>, Error>) -> Option<Bytes> {
        let checked = given.and_then(|given| match given {
            Some(bytes) => check(self.what, client.place(), digest, &bytes).map(|()| Some(bytes)),
            None => Ok(None),
        });
        match checked {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, place = client.place(), "a registry could not be used");
                self.wrong.push(error);
                None
            }
        }
    }

    /// One reason is told as it is; of several, each in a word.
    fn in_vain(mut self, hosts: &Hosts) -> Error {
        match self.wrong.len() {
            0 => not_found(self.what.to_owned(), &hosts.clients),
            1 => self.wrong.remove(0),
            _ => Error::Unreachable { what: self.what.to_owned(), tried: self.wrong.iter().map(ToString::to_string).collect() },
        }
    }
}

fn not_found<'a>(what: String, asked: impl IntoIterator<Item = &'a Client>) -> Error {
    Error::NotFound { what, asked: asked.into_iter().map(|client| client.place().to_owned()).collect() }
}
