//! The versions of the contract, and the one place that knows which of them a component speaks.
//!
//! `calls`, `lift` and `lower` beside this file are compiled into the module of each version; they are not modules of this one.

use semver::Version;
use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker};

use crate::call::{CallState, Failure};
use crate::{
    Answer, Assessment, CallContext, Change, Descriptor, Desired, Evidence, Fault, Manifest, Observation, Progress, Subjects,
    Window, powers, v0_1, v0_2, v0_3,
};

/// The versions that this host speaks, for messages.
pub(crate) const KNOWN: &str = "0.1, 0.2, 0.3";

/// Which version a component was built against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    V0_1,
    V0_2,
    V0_3,
}

impl Spoken {
    /// Returns the version of the host that answers a component of this one; `None` when there is none.
    ///
    /// Patch versions add nothing that a guest could miss, so any patch of a known minor version is taken.
    pub(crate) fn of(version: &Version) -> Option<Self> {
        match (version.major, version.minor) {
            (0, 1) => Some(Self::V0_1),
            (0, 2) => Some(Self::V0_2),
            (0, 3) => Some(Self::V0_3),
            _ => None,
        }
    }
}

/// Links the powers of all versions: a component names the version it imports.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    v0_1::link(linker)?;
    v0_2::link(linker)?;
    powers::link(linker)
}

/// What a plugin exports, in the version that it speaks.
pub(crate) enum Exports {
    V0_1(v0_1::Exports),
    V0_2(v0_2::Exports),
    V0_3(v0_3::Exports),
}

/// Asks whichever version it is.
macro_rules! ask {
    ($exports:expr, $question:ident ( $($argument:expr),* )) => {
        match $exports {
            Exports::V0_1(exports) => exports.$question($($argument),*).await,
            Exports::V0_2(exports) => exports.$question($($argument),*).await,
            Exports::V0_3(exports) => exports.$question($($argument),*).await,
        }
    };
}

impl Exports {
    /// Looks up what the manifest says is there.
    pub(crate) fn of(pre: &InstancePre<CallState>, manifest: &Manifest) -> wasmtime::Result<Self> {
        match Spoken::of(&manifest.wit).expect("BUG: a manifest of another version is not read") {
            Spoken::V0_1 => v0_1::Exports::of(pre, &manifest.kinds).map(Self::V0_1),
            Spoken::V0_2 => v0_2::Exports::of(pre, &manifest.kinds).map(Self::V0_2),
            Spoken::V0_3 => v0_3::Exports::of(pre, &manifest.kinds).map(Self::V0_3),
        }
    }

    pub(crate) async fn describe(&self, store: Store<CallState>, settings: &str) -> Result<Result<Descriptor, Fault>, Failure> {
        ask!(self, describe(store, settings))
    }

    pub(crate) async fn observe(
        &self,
        store: Store<CallState>,
        context: &CallContext,
    ) -> Result<Result<Observation, Fault>, Failure> {
        ask!(self, observe(store, context))
    }

    pub(crate) async fn reconcile(
        &self,
        store: Store<CallState>,
        context: &CallContext,
        desired: &Desired,
    ) -> Result<Progress, Failure> {
        ask!(self, reconcile(store, context, desired))
    }

    pub(crate) async fn preview(
        &self,
        store: Store<CallState>,
        context: &CallContext,
        desired: &Desired,
    ) -> Result<Result<Vec<Change>, Fault>, Failure> {
        ask!(self, preview(store, context, desired))
    }

    pub(crate) async fn evaluate(
        &self,
        store: Store<CallState>,
        context: &CallContext,
        evidence: &[Evidence],
    ) -> Result<Answer, Failure> {
        ask!(self, evaluate(store, context, evidence))
    }

    pub(crate) async fn assess(
        &self,
        store: Store<CallState>,
        context: &CallContext,
        subjects: &Subjects,
        window: &Window,
    ) -> Result<Assessment, Failure> {
        ask!(self, assess(store, context, subjects, window))
    }
}
