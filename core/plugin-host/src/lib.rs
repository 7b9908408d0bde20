//! The sandbox that plugins run in: compile, cache, instantiate, limit, grant.
//!
//! What it is: the only room that knows wasmtime. A [`PluginHost`] loads components; a [`Plugin`] answers calls, each in a
//! fresh instance, under [`Limits`], with the powers in [`Grants`] and no others. A call gives a [`Called`] (the answer and what
//! was logged and measured on the way) or a [`CallError`] that says what stopped it and whether the world may have changed.
//!
//! What it is not: it does not retry, does not know deployments, and keeps nothing between calls but compiled code.
//!
//! ```no_run
//! # async fn example(component: &[u8], context: plugin_host::CallContext) -> Result<(), Box<dyn std::error::Error>> {
//! use plugin_host::{Desired, Grants, Options, PluginHost, Progress};
//!
//! let host = PluginHost::new(Options::default())?;
//! let plugin = host.load(component)?;
//! let grants = Grants { runtime: true, ..Grants::default() };
//! let called = plugin.reconcile(&context, &Desired::default(), &grants).await?;
//! assert!(matches!(called.answer, Progress::Converged(_)));
//! # Ok(())
//! # }
//! ```

#![expect(
    clippy::duplicate_mod,
    reason = "what the versions of the contract say alike is written once and compiled over the bindings of each"
)]

mod host;
mod plugin;

mod error;
mod grants;
mod limits;
mod manifest;
mod types;
mod usage;

pub use error::{CallError, CallErrorKind, HostError, Limited, LoadError};
pub use grants::{GrantView, Grants, GrantsInForce};
pub use host::{Options, PluginHost, check_shape};
pub use limits::Limits;
pub use manifest::{Kind, Manifest, ManifestError};
pub use plugin::Plugin;
pub use powers::NAMES as POWERS;
pub use powers::artifact::{ArtifactBackend, ArtifactFault, ArtifactFile};
pub use powers::command::grant::{CommandGrant, CommandRule};
pub use powers::http::backend::{HttpAnswer, HttpAsked, HttpBackend, HttpFault};
pub use powers::http::credentials::{AwsCredentials, BasicCredentials, CertificateCredentials, HttpCredentials};
pub use powers::http::grant::{HttpGrant, HttpRule, Scheme};
pub use powers::http::tls::client_config;
pub use powers::runtime::{RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, RuntimeScope};
pub use powers::secret::grant::{SecretGrant, SecretRule};
pub use powers::ssh::grant::{SshGrant, SshHost};
pub use powers::telemetry::{
    TelemetryAspect, TelemetryBackend, TelemetryExpectation, TelemetryFault, TelemetryFilter, TelemetryQuery, TelemetryReading,
    TelemetryWindow,
};
pub use secrets::{AwsKeys, LocalSecret, ManagedSecret, SecretFrom, ServerEnvironment};
pub use transcript::is_deceptive;
pub use types::{
    Answer, Assessment, CallContext, Called, Change, Descriptor, Desired, Evidence, Fault, Fencing, GateVerdict, HealthVerdict,
    LogLevel, LogLine, Measurement, Observation, Pending, Progress, RequestKey, RouteMatch, Side, SideDesired, SideObservation,
    Subject, Subjects, Traffic, Window,
};

pub use usage::{Caller, LatestUse, PowerCounts, PowerUse, Usage, UseOutcome, Uses};

mod cache;
mod call;
mod clock;
mod compile;
mod engine;
mod pace;
mod powers;
mod revealed;
mod schedule;
mod secrets;
mod shape;
mod transcript;
mod v0_1;
mod v0_2;
mod v0_3;
mod wasi;
mod words;
