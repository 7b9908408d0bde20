//! Releases: immutable snapshots, named by their own hash.

use journal::{Store, StoreError};
use model::{Actor, ServiceName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::release_service_server::ReleaseService;

use super::file::digest;
use super::plugin::hold;
use crate::auth::caller;
use crate::compile::{self, Known};
use crate::document::{self, EvidenceDocument, EvidencePin, FileDocument, PathPin, PluginPin, ReleaseDocument};
use crate::error::ApiError;
use crate::serve::{Services, to_the_end};
use crate::{Api, artifact, limits, request};

/// How many hexadecimal digits of its hash name a release: short enough to say, long enough never to meet twice in one service.
const ID_DIGITS: usize = 12;

/// What a label stands for. Written once, and last: a release without it was never made.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LabelDocument {
    form: u32,
    release: String,
}

#[tonic::async_trait]
impl ReleaseService for Services {
    async fn create(&self, request: Request<v1::CreateReleaseRequest>) -> Result<Response<v1::Release>, Status> {
        let (api, by) = (self.api.clone(), caller(&request)?);
        Ok(Response::new(to_the_end(async move { create(&api, by, request.into_inner()).await }).await?))
    }

    async fn get(&self, request: Request<v1::GetReleaseRequest>) -> Result<Response<v1::Release>, Status> {
        caller(&request)?;
        let (store, asked) = (self.api.handle.store(), request.into_inner());
        ServiceName::new(&asked.service).map_err(ApiError::from)?;
        Ok(Response::new(view(find(&*store, &asked.service, &asked.release).await?)))
    }

    async fn list(&self, request: Request<v1::ListReleasesRequest>) -> Result<Response<v1::ListReleasesResponse>, Status> {
        caller(&request)?;
        let store = self.api.handle.store();
        let service = ServiceName::new(&request.into_inner().service).map_err(ApiError::from)?;
        let mut releases = Vec::new();
        for entry in store.list(document::LABEL, &format!("{service}/")).await.map_err(ApiError::from)? {
            let label: LabelDocument = document::read(document::LABEL, &entry)?;
            releases.push(view(by_id(&*store, service.as_str(), &label.release).await?));
        }
        releases.sort_by(|a, b| (b.created_at_ms, &b.label).cmp(&(a.created_at_ms, &a.label)));
        Ok(Response::new(v1::ListReleasesResponse { releases }))
    }
}

async fn create(api: &Api, by: Actor, asked: v1::CreateReleaseRequest) -> Result<v1::Release, ApiError> {
    let store = api.handle.store();
    let service = ServiceName::new(&asked.service)?;
    let label = request::label(&asked.label)?;
    let source_commit = request::text("source commit", &asked.source_commit)?;
    let reference = artifact::parse(&asked.artifact)?;
    let evidence = evidence(asked.evidence)?;
    let (service_file, _) = document::find::<FileDocument>(&*store, document::SERVICE, service.as_str()).await?;
    let parsed = path::parse_service(&service_file.text, &service_file.file_name).map_err(compile::faults)?;
    let golden = compile::newest_path(&*store, &parsed).await?;
    let plugins = pins(&golden, &Known::new(api.plugins.list()))?;
    let artifact = api.artifacts.import(&reference).await?;
    let mut release = ReleaseDocument {
        form: document::FORM,
        id: String::new(),
        service: service.to_string(),
        label,
        artifact_reference: artifact.reference,
        artifact_digest: artifact.digest.to_string(),
        source_commit,
        service_file: service_file.text,
        service_file_name: service_file.file_name,
        path: PathPin { name: golden.name.clone(), version: golden.version.to_string(), digest: golden.digest.to_string() },
        plugins,
        evidence: evidence.iter().map(pin).collect(),
        created_at_ms: api.clock.now().0,
        created_by: by.name,
    };
    release.id = id(&release);
    let by = format!("release {} of {}, which is being registered", release.label, release.service);
    let used = release.plugins.iter().map(|pin| Ok((pin.name.clone(), model::Digest::parse(&pin.digest)?)));
    let held = hold::hold(api, &by, &used.collect::<Result<Vec<_>, ApiError>>()?).await?;
    let written = write(api, release, &evidence).await;
    held.release(api).await?;
    written.map(view)
}

/// Writes a release down: evidence, release, and at last the label that makes it findable.
async fn write(api: &Api, release: ReleaseDocument, evidence: &[EvidenceDocument]) -> Result<ReleaseDocument, ApiError> {
    let (store, now) = (api.handle.store(), api.clock.now());
    let label_key = format!("{}/{}", release.service, release.label);
    if let Some(entry) = store.get(document::LABEL, &label_key).await? {
        return existing(&*store, &release, &document::read(document::LABEL, &entry)?).await;
    }
    for (index, piece) in evidence.iter().enumerate() {
        let key = document::evidence_key(&release.id, index);
        store.put(document::EVIDENCE, &key, &document::write(piece), None, now).await?;
    }
    let key = format!("{}/{}", release.service, release.id);
    match store.put(document::RELEASE, &key, &document::write(&release), Some(0), now).await {
        Ok(_) => {}
        // The same content under another label, or a call that broke off before the label was written.
        Err(StoreError::RevisionMoved { .. }) => {
            let there = by_id(&*store, &release.service, &release.id).await?;
            if there.label != release.label {
                return Err(ApiError::SameContent { release: release.id, label: there.label, service: release.service });
            }
        }
        Err(error) => return Err(error.into()),
    }
    let label = LabelDocument { form: document::FORM, release: release.id.clone() };
    match store.put(document::LABEL, &label_key, &document::write(&label), Some(0), now).await {
        Ok(_) => Ok(release),
        // Somebody else was faster by a moment.
        Err(StoreError::RevisionMoved { .. }) => {
            let (label, _) = document::find::<LabelDocument>(&*store, document::LABEL, &label_key).await?;
            existing(&*store, &release, &label).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns the release that has the label already, when it is the same.
async fn existing(store: &dyn Store, release: &ReleaseDocument, label: &LabelDocument) -> Result<ReleaseDocument, ApiError> {
    match label.release == release.id {
        true => by_id(store, &release.service, &release.id).await,
        false => Err(ApiError::LabelTaken {
            service: release.service.clone(),
            label: release.label.clone(),
            existing: label.release.clone(),
            given: release.id.clone(),
        }),
    }
}

/// Returns a release by its label, its id, or its id as a plan has it.
pub(crate) async fn find(store: &dyn Store, service: &str, release: &str) -> Result<ReleaseDocument, ApiError> {
    if release.starts_with("r-") {
        return by_id(store, service, release.split('.').next().unwrap_or_default()).await;
    }
    match store.get(document::LABEL, &format!("{service}/{release}")).await? {
        Some(entry) => {
            let label: LabelDocument = document::read(document::LABEL, &entry)?;
            by_id(store, service, &label.release).await
        }
        None => Err(unknown(store, service, release).await?),
    }
}

async fn by_id(store: &dyn Store, service: &str, id: &str) -> Result<ReleaseDocument, ApiError> {
    match store.get(document::RELEASE, &format!("{service}/{id}")).await? {
        Some(entry) => document::read(document::RELEASE, &entry),
        None => Err(unknown(store, service, id).await?),
    }
}

async fn unknown(store: &dyn Store, service: &str, name: &str) -> Result<ApiError, ApiError> {
    let prefix = format!("{service}/");
    let entries = store.list(document::LABEL, &prefix).await?;
    let known = entries.iter().map(|entry| entry.key.trim_start_matches(&prefix).to_owned()).collect();
    Ok(ApiError::NotKnown { what: "release", name: name.to_owned(), known })
}

/// Returns the pins of all plugins that the path uses.
fn pins(golden: &path::GoldenPath, known: &Known) -> Result<Vec<PluginPin>, ApiError> {
    use path::PluginCatalog;
    let pin = |name: &str| match known.find(name) {
        Some(facts) => Ok(PluginPin { name: name.to_owned(), digest: facts.digest.to_string() }),
        None => Err(known.unknown(name)),
    };
    golden.plugins().into_iter().map(pin).collect()
}

fn evidence(given: Vec<v1::Evidence>) -> Result<Vec<EvidenceDocument>, ApiError> {
    if given.len() > limits::EVIDENCE_FILES_MAX {
        let expected = format!("at most {} pieces", limits::EVIDENCE_FILES_MAX);
        return Err(ApiError::Field { field: "evidence", found: given.len().to_string(), expected });
    }
    given.into_iter().map(piece).collect()
}

fn piece(given: v1::Evidence) -> Result<EvidenceDocument, ApiError> {
    if given.content.len() > limits::EVIDENCE_BYTES_MAX {
        let (found, limit) = (given.content.len(), limits::EVIDENCE_BYTES_MAX);
        return Err(ApiError::TooLarge { field: "evidence", found, limit });
    }
    if given.kind.is_empty() {
        return Err(ApiError::Field { field: "evidence kind", found: given.kind, expected: "a word like junit".to_owned() });
    }
    Ok(EvidenceDocument {
        form: document::FORM,
        kind: request::text("evidence kind", &given.kind)?,
        name: request::text("evidence name", &given.name)?,
        media_type: request::text("evidence media type", &given.media_type)?,
        digest: digest(&given.content),
        content: given.content,
    })
}

fn pin(piece: &EvidenceDocument) -> EvidencePin {
    EvidencePin {
        kind: piece.kind.clone(),
        name: piece.name.clone(),
        media_type: piece.media_type.clone(),
        digest: piece.digest.clone(),
    }
}

/// Returns the name that follows from everything in a release except what people call it, who made it and when.
fn id(release: &ReleaseDocument) -> String {
    let mut hasher = Sha256::new();
    let mut field = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    };
    for text in ["towpath release document v1", &release.service, &release.artifact_digest, &release.service_file] {
        field(text);
    }
    for text in [&release.path.name, &release.path.version, &release.path.digest, &release.source_commit] {
        field(text);
    }
    for pin in &release.plugins {
        field(&pin.name);
        field(&pin.digest);
    }
    for pin in &release.evidence {
        field(&pin.kind);
        field(&pin.name);
        field(&pin.digest);
    }
    format!("r-{}", &hex::encode(hasher.finalize())[..ID_DIGITS])
}

fn view(release: ReleaseDocument) -> v1::Release {
    let evidence = |pin: EvidencePin| v1::Evidence {
        kind: pin.kind,
        name: pin.name,
        media_type: pin.media_type,
        content: Vec::new(),
        digest: pin.digest,
    };
    v1::Release {
        id: release.id,
        service: release.service,
        label: release.label,
        artifact: release.artifact_reference,
        artifact_digest: release.artifact_digest,
        source_commit: release.source_commit,
        evidence: release.evidence.into_iter().map(evidence).collect(),
        created_at_ms: release.created_at_ms,
        created_by: release.created_by,
        path: format!("{}@{}", release.path.name, release.path.version),
        path_digest: release.path.digest,
        plugins: release.plugins.into_iter().map(|pin| v1::PluginPin { name: pin.name, digest: pin.digest }).collect(),
    }
}
