//! What can go wrong, sorted by fault: one match gives the code, the gRPC status and the hint.

use engine::EngineError;
use journal::{AppendError, StoreError};
use model::InvalidName;
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};
use towpath_proto::v1::ErrorDetail;

use crate::ports::{ArtifactsError, FetchError, PluginsError};
use crate::{codes, limits};

/// Why a call was refused or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// A field holds what it may not.
    #[error("{field} {found:?} is not valid: expected {expected}")]
    Field { field: &'static str, found: String, expected: String },
    /// A name breaks its rule.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A field is too large.
    #[error("{field} has {found} bytes, at most {limit} are taken")]
    TooLarge { field: &'static str, found: usize, limit: usize },
    /// A file has faults; the text shows each with its place.
    #[error("{0}")]
    File(String),
    /// There is no such thing.
    #[error("there is no {what} {name:?}; known: {}", known_names(known))]
    NotKnown { what: &'static str, name: String, known: Vec<String> },
    /// There is a published version with other content.
    #[error("{path}@{version} was published with digest {published}, this file has {given}")]
    VersionTaken { path: String, version: String, published: String, given: String },
    /// There is a release of that label with other content.
    #[error("label {label} of {service} names release {existing} already, this one would be {given}")]
    LabelTaken { service: String, label: String, existing: String, given: String },
    /// The same thing has another label.
    #[error("this is release {release} of {service}, which is called {label} already")]
    SameContent { release: String, label: String, service: String },
    /// A reference may mean something else tomorrow.
    #[error("{reference:?} names a tag that can move; a release needs a digest")]
    MutableTag { reference: String },
    /// The artifact store refused.
    #[error("the artifact cannot be taken: {0}")]
    Artifacts(#[from] ArtifactsError),
    /// A plugin could not answer.
    #[error(transparent)]
    Plugins(#[from] PluginsError),
    /// A component could not be had.
    #[error("the plugin cannot be installed: {0}")]
    Fetch(#[from] FetchError),
    /// It is another component than the caller wanted.
    #[error("{reference} is {found}, wanted is {wanted}")]
    OtherComponent { reference: String, found: String, wanted: String },
    /// The name belongs to a plugin that is part of the server.
    #[error("{name} is part of this server")]
    OwnPlugin { name: String },
    /// A plugin is needed where it is to be removed.
    #[error("plugin {name} at {digest} is used by {}", users.join(", "))]
    PluginUsed { name: String, digest: String, users: Vec<String> },
    /// A grant is not of the form that is known.
    #[error("the grant cannot be used: {0}")]
    Grant(String),
    /// A digest was removed, or is being removed, while something was about to use it.
    #[error("plugin {name} at {digest} was removed, or is being removed, a moment ago")]
    PluginLeaves { name: String, digest: String },
    /// A release's plugin is not there any more.
    #[error("release {release} was made with plugin {plugin} at {pinned}, which is not installed here; the server has {found}")]
    PluginGone { release: String, plugin: String, pinned: String, found: String },
    /// The release is there already.
    #[error("release {label} ({release}) is already what is stable in {scope}")]
    SameRelease { scope: String, release: String, label: String },
    /// There is nothing to go back to.
    #[error("nothing was stable in {scope} before what is there now")]
    NothingToRestore { scope: String },
    /// A deployment runs where none may.
    #[error("deployment {active} is active in {scope}")]
    Active { scope: String, active: String },
    /// The plan is not the one that was shown.
    #[error("the plan is now {now}, the one shown was {seen}")]
    PlanMoved { seen: String, now: String },
    /// Nobody said who they are.
    #[error("the call has no bearer token")]
    NoToken,
    /// Nobody knows who that is.
    #[error("the bearer token is not known to this server")]
    WrongToken,
    /// A document in the catalog is not of a form that we know.
    #[error("{kind} {key:?} cannot be read: {message}")]
    Document { kind: &'static str, key: String, message: String },
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server stops.
    #[error("the server is stopping")]
    Stopping,
    /// A call of ours broke off.
    #[error("the call broke off: {0}")]
    Broken(String),
}

fn known_names(known: &[String]) -> String {
    let shown = known.iter().take(limits::KNOWN_NAMES_SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match known.len() {
        0 => "none".to_owned(),
        n if n > limits::KNOWN_NAMES_SHOWN => format!("{shown} and {} more", n - limits::KNOWN_NAMES_SHOWN),
        _ => shown,
    }
}

/// The outside of an error: what a client is told.
struct Outside {
    status: Code,
    code: &'static str,
    hint: &'static str,
}

const fn outside(status: Code, code: &'static str, hint: &'static str) -> Outside {
    Outside { status, code, hint }
}

impl ApiError {
    fn outside(&self) -> Outside {
        match self {
            Self::Field { .. } | Self::Name(_) => outside(Code::InvalidArgument, codes::REQUEST_INVALID, ""),
            Self::TooLarge { .. } => outside(Code::InvalidArgument, codes::REQUEST_INVALID, "send less of it"),
            Self::File(_) => outside(Code::InvalidArgument, codes::FILE_INVALID, "`towpath path lint FILE` checks a path file"),
            Self::NotKnown { .. } => outside(Code::NotFound, codes::NOT_KNOWN, ""),
            Self::VersionTaken { .. } => {
                outside(Code::AlreadyExists, codes::VERSION_TAKEN, "a published version never changes: raise metadata.version")
            }
            Self::LabelTaken { .. } => {
                outside(Code::AlreadyExists, codes::VERSION_TAKEN, "a release never changes: choose another label")
            }
            Self::SameContent { .. } => outside(Code::AlreadyExists, codes::VERSION_TAKEN, "use the label that it has"),
            Self::MutableTag { .. } => {
                outside(Code::InvalidArgument, codes::MUTABLE_TAG, "write name@sha256:… or give a folder or file")
            }
            Self::Artifacts(error) => artifacts_outside(error),
            Self::Plugins(_) => {
                outside(Code::FailedPrecondition, codes::PLUGIN_FAILED, "see the settings in the environment file")
            }
            Self::PluginGone { .. } | Self::PluginLeaves { .. } => outside(
                Code::FailedPrecondition,
                codes::PLUGIN_MOVED,
                "install that digest again, or make the release again with `towpath release create`",
            ),
            Self::Fetch(FetchError::NotFound(_)) => {
                outside(Code::NotFound, codes::PLUGIN_NOT_INSTALLED, "the server must be able to read it")
            }
            Self::Fetch(FetchError::Unusable(_)) | Self::OtherComponent { .. } => {
                outside(Code::InvalidArgument, codes::PLUGIN_NOT_INSTALLED, "")
            }
            Self::Fetch(FetchError::NotKept(_)) => outside(Code::Internal, codes::STORE_FAILED, "the server's log says more"),
            Self::OwnPlugin { .. } => outside(
                Code::FailedPrecondition,
                codes::PLUGIN_NOT_INSTALLED,
                "install another under another name with --name; what the server's own plugins may do is said with `--grants`",
            ),
            Self::PluginUsed { .. } => {
                outside(Code::FailedPrecondition, codes::PLUGIN_USED, "wait until it is used no more; --force gives up releases")
            }
            Self::Grant(_) => outside(Code::InvalidArgument, codes::GRANT_INVALID, "a refusal shows the JSON that grants it"),
            Self::SameRelease { .. } => outside(Code::FailedPrecondition, codes::SAME_RELEASE, "there is nothing to do"),
            Self::NothingToRestore { .. } => {
                outside(Code::FailedPrecondition, codes::NOTHING_TO_RESTORE, "name a release with --to")
            }
            Self::Active { .. } => outside(Code::FailedPrecondition, codes::REFUSED, "roll that deployment back instead"),
            Self::PlanMoved { .. } => outside(Code::FailedPrecondition, codes::PLAN_MOVED, "look at the plan again"),
            Self::NoToken | Self::WrongToken => outside(
                Code::Unauthenticated,
                codes::UNAUTHENTICATED,
                "the token is in the file `token` of the server's data folder",
            ),
            Self::Document { .. } | Self::Broken(_) => outside(Code::Internal, codes::STORE_FAILED, "the server's log says more"),
            Self::Engine(error) => engine_outside(error),
            Self::Store(error) => store_outside(error),
            Self::Stopping => outside(Code::Unavailable, codes::STOPPING, "try again when it is back"),
        }
    }
}

fn artifacts_outside(error: &ArtifactsError) -> Outside {
    match error {
        ArtifactsError::NotFound(_) => outside(Code::NotFound, codes::ARTIFACT_NOT_FOUND, "the server must be able to read it"),
        ArtifactsError::Unusable(_) => outside(Code::InvalidArgument, codes::ARTIFACT_UNUSABLE, ""),
        ArtifactsError::Changed(_) => outside(Code::DataLoss, codes::ARTIFACT_CHANGED, "import it again from its source"),
        ArtifactsError::Full(_) => outside(Code::ResourceExhausted, codes::STORE_FULL, "make room in the data folder"),
        ArtifactsError::Failed(_) => outside(Code::Internal, codes::STORE_FAILED, "the server's log says more"),
    }
}

fn engine_outside(error: &EngineError) -> Outside {
    match error {
        EngineError::NotFound(_) => outside(Code::NotFound, codes::NOT_KNOWN, "`towpath list` shows the deployments"),
        EngineError::Plan(_) => outside(Code::InvalidArgument, codes::REFUSED, "the path compiles to steps that are not safe"),
        EngineError::Refused(_) | EngineError::RefusedThere(_) => {
            outside(Code::FailedPrecondition, codes::REFUSED, "`towpath watch` shows where it stands")
        }
        EngineError::VersionMoved { .. } => outside(Code::Aborted, codes::DEPLOYMENT_MOVED, "look again, then decide again"),
        EngineError::RequestReused { .. } => outside(Code::AlreadyExists, codes::REQUEST_REUSED, "use a new request id"),
        EngineError::TooMany { .. } => outside(Code::ResourceExhausted, codes::BUSY, "try again later"),
        EngineError::NotOwner | EngineError::Unattended(_) | EngineError::TooLate => {
            outside(Code::Unavailable, codes::BUSY, "try again")
        }
        EngineError::FailedThere(_) => {
            outside(Code::Unavailable, codes::BUSY, "try again with the same request id: it is not done twice")
        }
        EngineError::Stopping => outside(Code::Unavailable, codes::STOPPING, "try again when it is back"),
        EngineError::Append(AppendError::Store(error)) | EngineError::Store(error) => store_outside(error),
        EngineError::Append(_) => outside(Code::Aborted, codes::DEPLOYMENT_MOVED, "try again"),
    }
}

fn store_outside(error: &StoreError) -> Outside {
    match error {
        StoreError::OutcomeUnknown(_) => {
            outside(Code::Unavailable, codes::STORE_FAILED, "try again with the same request id: it is not done twice")
        }
        StoreError::Full(_) => {
            outside(Code::ResourceExhausted, codes::STORE_FULL, "make room in the data folder; it goes on by itself")
        }
        StoreError::ReadOnly(_) => outside(Code::FailedPrecondition, codes::STORE_READ_ONLY, "see who may write the data folder"),
        StoreError::Damaged(_) | StoreError::BrokenChain { .. } | StoreError::UnreadableRecord { .. } => {
            outside(Code::DataLoss, codes::STORE_DAMAGED, "stop the server and restore a backup")
        }
        StoreError::NewerVersion { .. } => outside(Code::FailedPrecondition, codes::STORE_NEWER, "use the newer program"),
        StoreError::RevisionMoved { .. } => outside(Code::Aborted, codes::REVISION_MOVED, "look again, then decide again"),
        StoreError::Broken(_) => outside(Code::Unavailable, codes::STOPPING, "try again when the server is back"),
        StoreError::Unreachable(_) => {
            outside(Code::Unavailable, codes::STORE_FAILED, "try again; the server asks its database again")
        }
        StoreError::InUse(_) | StoreError::Unfit(_) | StoreError::Failed(_) => {
            outside(Code::Internal, codes::STORE_FAILED, "the server's log says more")
        }
    }
}

impl From<ApiError> for Status {
    fn from(error: ApiError) -> Self {
        let Outside { status, code, hint } = error.outside();
        let message = match status {
            // What broke inside is for the log; the client learns that it was not their fault.
            Code::Internal => {
                tracing::error!(error = %error, code, "a call failed");
                "the server failed; its log says why".to_owned()
            }
            _ => error.to_string(),
        };
        let detail = ErrorDetail { code: code.to_owned(), hint: hint.to_owned() };
        let mut metadata = MetadataMap::new();
        metadata.insert_bin(towpath_proto::ERROR_TRAILER, MetadataValue::from_bytes(&detail.encode_to_vec()));
        Self::with_metadata(status, message, metadata)
    }
}
