//! A loaded plugin: one method per question of the contract.

use std::sync::Arc;

use wasmtime::component::InstancePre;

use crate::call::{self, CallState, Purpose};
use crate::error::CallErrorKind;
use crate::host::Shared;
use crate::v0_1::{self, Exports};
use crate::{
    Answer, Assessment, CallContext, CallError, Called, Change, Descriptor, Desired, Evidence, Fault, Grants, Kind, Manifest,
    Observation, Progress, Subjects, Window,
};

/// A loaded plugin. Cheap to clone; every call runs in a fresh instance.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
}

struct Inner {
    digest: String,
    manifest: Manifest,
    exports: Exports,
    shared: Arc<Shared>,
}

impl Plugin {
    pub(crate) fn new(
        digest: String,
        manifest: Manifest,
        pre: &InstancePre<CallState>,
        shared: Arc<Shared>,
    ) -> wasmtime::Result<Self> {
        let exports = Exports::of(pre, &manifest.kinds)?;
        Ok(Self { inner: Arc::new(Inner { digest, manifest, exports, shared }) })
    }

    /// Returns the component's digest: "sha256:" and 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// Returns what the component says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.inner.manifest
    }

    /// Asks a target what it can do with the settings in the context. No effect.
    pub async fn describe(&self, context: &CallContext, grants: &Grants) -> Result<Called<Result<Descriptor, Fault>>, CallError> {
        let pre = self.inner.exports.target.as_ref().ok_or_else(|| self.no(Kind::Target))?;
        let work = |store| v0_1::calls::describe(pre, store, &context.settings);
        call::run(&self.inner.shared, context, grants, Purpose::Look, work).await
    }

    /// Asks a target what really runs. No effect.
    pub async fn observe(&self, context: &CallContext, grants: &Grants) -> Result<Called<Result<Observation, Fault>>, CallError> {
        let pre = self.inner.exports.target.as_ref().ok_or_else(|| self.no(Kind::Target))?;
        let work = |store| v0_1::calls::observe(pre, store, context);
        call::run(&self.inner.shared, context, grants, Purpose::Look, work).await
    }

    /// Has a target move the world toward the desired state. The only call with an effect.
    pub async fn reconcile(
        &self,
        context: &CallContext,
        desired: &Desired,
        grants: &Grants,
    ) -> Result<Called<Progress>, CallError> {
        let pre = self.inner.exports.target.as_ref().ok_or_else(|| self.no(Kind::Target))?;
        let work = |store| v0_1::calls::reconcile(pre, store, context, desired);
        call::run(&self.inner.shared, context, grants, Purpose::Change, work).await
    }

    /// Asks a target what a reconcile would change. No effect.
    pub async fn preview(
        &self,
        context: &CallContext,
        desired: &Desired,
        grants: &Grants,
    ) -> Result<Called<Result<Vec<Change>, Fault>>, CallError> {
        let pre = self.inner.exports.target.as_ref().ok_or_else(|| self.no(Kind::Target))?;
        let work = |store| v0_1::calls::preview(pre, store, context, desired);
        call::run(&self.inner.shared, context, grants, Purpose::Look, work).await
    }

    /// Asks a gate. No effect.
    pub async fn evaluate(
        &self,
        context: &CallContext,
        evidence: &[Evidence],
        grants: &Grants,
    ) -> Result<Called<Answer>, CallError> {
        let pre = self.inner.exports.gate.as_ref().ok_or_else(|| self.no(Kind::Gate))?;
        let work = |store| v0_1::calls::evaluate(pre, store, context, evidence);
        call::run(&self.inner.shared, context, grants, Purpose::Look, work).await
    }

    /// Has a health check take a look. No effect on the service but its probes.
    pub async fn assess(
        &self,
        context: &CallContext,
        subjects: &Subjects,
        window: &Window,
        grants: &Grants,
    ) -> Result<Called<Assessment>, CallError> {
        let pre = self.inner.exports.health.as_ref().ok_or_else(|| self.no(Kind::Health))?;
        let work = |store| v0_1::calls::assess(pre, store, context, subjects, window);
        call::run(&self.inner.shared, context, grants, Purpose::Judge(endpoints(subjects)), work).await
    }

    fn no(&self, wanted: Kind) -> CallError {
        let kind = CallErrorKind::Kind { wanted, found: self.inner.manifest.kinds.clone() };
        CallError { kind, outcome_unknown: false, log: Vec::new() }
    }
}

/// Returns the places that a check of these subjects is about.
fn endpoints(subjects: &Subjects) -> Vec<String> {
    let sides = [&subjects.stable, &subjects.candidate].into_iter().flatten().filter_map(|subject| subject.endpoint.clone());
    sides.chain(subjects.public_endpoint.clone()).collect()
}
