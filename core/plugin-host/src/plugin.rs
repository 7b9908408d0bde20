//! A loaded plugin: one method per question of the contract.

use std::sync::Arc;

use wasmtime::component::InstancePre;

use crate::call::{self, CallState, Purpose, Setting};
use crate::error::CallErrorKind;
use crate::host::Shared;
use crate::pace::Spent;
use crate::usage::{Asker, Usage};
use crate::words::Exports;
use crate::{
    Answer, Assessment, CallContext, CallError, Called, Change, Descriptor, Desired, Evidence, Fault, GrantsInForce, Kind,
    Manifest, Observation, Progress, Subjects, Window,
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
    asker: Arc<Asker>,
    spent: Arc<Spent>,
    shared: Arc<Shared>,
}

impl Plugin {
    pub(crate) fn new(
        digest: String,
        manifest: Manifest,
        pre: &InstancePre<CallState>,
        shared: Arc<Shared>,
    ) -> wasmtime::Result<Self> {
        let exports = Exports::of(pre, &manifest)?;
        let asker = Arc::new(Asker::new(manifest.powers.keys()));
        Ok(Self { inner: Arc::new(Inner { digest, manifest, exports, asker, spent: Arc::default(), shared }) })
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
    pub async fn describe(
        &self,
        context: &CallContext,
        grants: impl Into<GrantsInForce>,
    ) -> Result<Called<Result<Descriptor, Fault>>, CallError> {
        let setting = self.setting(Kind::Target, context, grants, Purpose::Look).map_err(CallError::before_it_began)?;
        call::run(setting, |store| self.inner.exports.describe(store, &context.settings)).await
    }

    /// Asks a target what really runs. No effect.
    pub async fn observe(
        &self,
        context: &CallContext,
        grants: impl Into<GrantsInForce>,
    ) -> Result<Called<Result<Observation, Fault>>, CallError> {
        let setting = self.setting(Kind::Target, context, grants, Purpose::Look).map_err(CallError::before_it_began)?;
        call::run(setting, |store| self.inner.exports.observe(store, context)).await
    }

    /// Has a target move the world toward the desired state. The only call with an effect.
    pub async fn reconcile(
        &self,
        context: &CallContext,
        desired: &Desired,
        grants: impl Into<GrantsInForce>,
    ) -> Result<Called<Progress>, CallError> {
        let mut setting = self.setting(Kind::Target, context, grants, Purpose::Change).map_err(CallError::before_it_began)?;
        setting.artifacts.extend(artifacts(desired));
        call::run(setting, |store| self.inner.exports.reconcile(store, context, desired)).await
    }

    /// Asks a target what a reconcile would change. No effect.
    pub async fn preview(
        &self,
        context: &CallContext,
        desired: &Desired,
        grants: impl Into<GrantsInForce>,
    ) -> Result<Called<Result<Vec<Change>, Fault>>, CallError> {
        let mut setting = self.setting(Kind::Target, context, grants, Purpose::Look).map_err(CallError::before_it_began)?;
        setting.artifacts.extend(artifacts(desired));
        call::run(setting, |store| self.inner.exports.preview(store, context, desired)).await
    }

    /// Asks a gate. No effect.
    pub async fn evaluate(
        &self,
        context: &CallContext,
        evidence: &[Evidence],
        grants: impl Into<GrantsInForce>,
    ) -> Result<Called<Answer>, CallError> {
        let setting = self.setting(Kind::Gate, context, grants, Purpose::Look).map_err(CallError::before_it_began)?;
        call::run(setting, |store| self.inner.exports.evaluate(store, context, evidence)).await
    }

    /// Has a health check take a look. No effect on the service but its probes.
    pub async fn assess(
        &self,
        context: &CallContext,
        subjects: &Subjects,
        window: &Window,
        grants: impl Into<GrantsInForce>,
    ) -> Result<Called<Assessment>, CallError> {
        let setting = self
            .setting(Kind::Health, context, grants, Purpose::Judge(endpoints(subjects)))
            .map_err(CallError::before_it_began)?;
        call::run(setting, |store| self.inner.exports.assess(store, context, subjects, window)).await
    }

    /// Returns how often the plugin was called and what it used, since it was loaded.
    pub fn usage(&self) -> Usage {
        self.inner.asker.usage()
    }

    /// Returns what a call of this kind runs with.
    fn setting<'a>(
        &'a self,
        wanted: Kind,
        context: &'a CallContext,
        grants: impl Into<GrantsInForce>,
        purpose: Purpose,
    ) -> Result<Setting<'a>, CallErrorKind> {
        let Inner { digest, shared, asker, spent, manifest, .. } = &*self.inner;
        if !manifest.kinds.contains(&wanted) {
            return Err(CallErrorKind::Kind { wanted, found: manifest.kinds.clone() });
        }
        let artifacts = context.artifact_digest.iter().cloned().collect();
        Ok(Setting { host: shared, plugin: digest, spent, asker, context, grants: grants.into(), purpose, artifacts })
    }
}

/// Returns the places that a check of these subjects is about.
fn endpoints(subjects: &Subjects) -> Vec<String> {
    let sides = [&subjects.stable, &subjects.candidate].into_iter().flatten().filter_map(|subject| subject.endpoint.clone());
    sides.chain(subjects.public_endpoint.clone()).collect()
}

/// Returns the digests of the artifacts that shall run.
fn artifacts(desired: &Desired) -> impl Iterator<Item = String> {
    [&desired.stable, &desired.candidate].into_iter().flatten().map(|side| side.artifact_digest.clone())
}
