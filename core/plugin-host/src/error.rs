//! What can go wrong, sorted by who has to act: whoever starts the host, whoever wrote the component, or whoever called it.

use std::path::PathBuf;

use crate::types::{LogLine, Measurement};
use crate::usage::Uses;
use crate::{Kind, ManifestError};

/// Why a host could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The machine cannot run components as configured.
    #[error("the component engine cannot be set up")]
    Engine(#[source] wasmtime::Error),
    /// The folder of compiled components cannot be used.
    #[error("the folder of compiled components {} cannot be used", .folder.display())]
    Cache {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The folder of compiled components belongs to somebody else, who could put code into it.
    #[error("the folder of compiled components {} belongs to user {found}, wanted {expected}", .folder.display())]
    CacheOwner {
        /// The folder.
        folder: PathBuf,
        /// Us.
        expected: u32,
        /// The owner.
        found: u32,
    },
}

/// Why a component was not loaded. Nothing of it was run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It does not say what it is, or says something else than it is.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It is larger than a plugin may be.
    #[error("the component has {found} bytes, at most {limit} are allowed")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// It has more parts than a plugin may have: what it costs to compile is bounded before it is compiled.
    #[error("the component has {found} {what}, at most {limit} are allowed")]
    TooComplex {
        /// What it has too many of.
        what: &'static str,
        /// How many.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// It takes longer to compile than a plugin may.
    #[error("the component was not compiled within {milliseconds} ms; a smaller one is")]
    CompileDeadline {
        /// How long it had.
        milliseconds: u64,
    },
    /// Other components are being compiled and did not get ready in time.
    #[error("no compiler was free within {milliseconds} ms; other components are being compiled, try again later")]
    CompilersBusy {
        /// How long it waited.
        milliseconds: u64,
    },
    /// The compiler crashed over it.
    #[error("the compiler crashed over the component")]
    CompilerCrashed,
    /// It is not valid, or not of a form that the engine runs.
    #[error("the component cannot be compiled")]
    Compile(#[source] wasmtime::Error),
    /// It wants something that no host function gives, or exports something of another shape.
    #[error("the component does not fit towpath:plugin@{version}")]
    Link {
        /// The version of the interface that it says it was built against.
        version: semver::Version,
        /// What does not fit.
        #[source]
        source: wasmtime::Error,
    },
}

/// Why a call gave no answer. It touched nothing else: the next call has a fresh instance.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{kind}")]
pub struct CallError {
    /// What stopped it.
    pub kind: CallErrorKind,
    /// Whether any byte that may have had an effect left the host in this call: then the world has to be observed.
    pub outcome_unknown: bool,
    /// What was logged until then.
    pub log: Vec<LogLine>,
    /// What was measured until then, beside the answer that there is not.
    pub measurements: Vec<Measurement>,
    /// What was asked of the host until then.
    pub uses: Uses,
    /// How long the call took, in microseconds; 0 for one that never began.
    pub elapsed_us: u64,
}

impl CallError {
    /// Returns the error of a call that never began.
    pub(crate) fn before_it_began(kind: CallErrorKind) -> Self {
        Self { kind, outcome_unknown: false, log: Vec::new(), measurements: Vec::new(), uses: Uses::default(), elapsed_us: 0 }
    }
}

/// What stopped a call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CallErrorKind {
    /// The plugin crashed.
    #[error("the plugin crashed: {message}")]
    Trap {
        /// The engine's words for it.
        message: String,
    },
    /// The plugin took too long.
    #[error("the plugin gave no answer within {milliseconds} ms")]
    Deadline {
        /// How long it had.
        milliseconds: u64,
    },
    /// The plugin wanted more than a call may have.
    #[error("the plugin wanted more than {limit} {what}")]
    Limit {
        /// Of what.
        what: Limited,
        /// How much a call may have.
        limit: u64,
    },
    /// The plugin used a power that the operator did not grant.
    #[error("the plugin may not use `{power}`: {reason}; the operator can grant it with `{line}`")]
    Refused {
        /// The power.
        power: &'static str,
        /// What it wanted.
        reason: String,
        /// The line of the grant that would allow it.
        line: String,
    },
    /// The plugin used a power for what no line to copy should open: an operator who wants it has to write it.
    #[error("the plugin may not use `{power}`: {reason}")]
    Forbidden {
        /// The power.
        power: &'static str,
        /// What it wanted, and what would have to be written.
        reason: String,
    },
    /// The plugin used a power that its manifest does not ask for, so no operator could have known of it.
    #[error(
        "the plugin may not use `{power}`: its manifest does not ask for it; its author adds `{power}` and the reason to the manifest's powers"
    )]
    NotAsked {
        /// The power.
        power: &'static str,
    },
    /// The answer breaks the contract.
    #[error("the plugin's answer breaks the contract: {message}")]
    Malformed {
        /// How.
        message: String,
    },
    /// The plugin is of another kind.
    #[error("the plugin is no {wanted}, it is of kind {}", kinds(.found))]
    Kind {
        /// What was called.
        wanted: Kind,
        /// What it is.
        found: Vec<Kind>,
    },
    /// The call did not begin: too many others run and wait.
    #[error("the call did not begin: {message}")]
    Busy {
        /// How many wait, and what may help.
        message: String,
    },
    /// The host could not run it.
    #[error("the plugin could not be started: {message}")]
    Host {
        /// Why.
        message: String,
    },
}

/// What a call may have only so much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limited {
    /// Linear memory, in bytes.
    #[error("bytes of memory")]
    Memory,
    /// Elements of tables.
    #[error("table elements")]
    Table,
    /// Calls of host functions.
    #[error("host calls")]
    HostCalls,
    /// Bytes handed to the host in one call or answer.
    #[error("bytes of output")]
    Output,
    /// Stack, in bytes.
    #[error("bytes of stack")]
    Stack,
}

fn kinds(kinds: &[Kind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}
