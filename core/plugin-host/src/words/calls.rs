//! The questions: lower what is asked, run the guest in its fresh store, lift what it answers.
//!
//! Written once and compiled into the module of each version, over that version's bindings.

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::bindings::gate::GatePluginPre;
use super::bindings::health::HealthPluginPre;
use super::bindings::target::TargetPluginPre;
use super::{context, lift, lower};
use crate::call::{CallState, Failure};
use crate::{
    Answer, Assessment, CallContext, Change, Descriptor, Desired, Evidence, Fault, Kind, Observation, Progress, Subjects, Window,
};

/// What a plugin exports, looked up once.
pub(crate) struct Exports {
    target: Option<TargetPluginPre<CallState>>,
    gate: Option<GatePluginPre<CallState>>,
    health: Option<HealthPluginPre<CallState>>,
}

/// Returns what the manifest said is there; whoever calls has asked the manifest.
fn exported<T>(pre: Option<&T>) -> &T {
    pre.expect("BUG: only the kinds of the manifest are called")
}

impl Exports {
    pub(crate) fn of(pre: &InstancePre<CallState>, kinds: &[Kind]) -> wasmtime::Result<Self> {
        let is = |kind| kinds.contains(&kind);
        Ok(Self {
            target: is(Kind::Target).then(|| TargetPluginPre::new(pre.clone())).transpose()?,
            gate: is(Kind::Gate).then(|| GatePluginPre::new(pre.clone())).transpose()?,
            health: is(Kind::Health).then(|| HealthPluginPre::new(pre.clone())).transpose()?,
        })
    }

    pub(crate) async fn describe(
        &self,
        mut store: Store<CallState>,
        settings: &str,
    ) -> Result<Result<Descriptor, Fault>, Failure> {
        let plugin = exported(self.target.as_ref()).instantiate_async(&mut store).await?;
        let answer = plugin.towpath_plugin_target().call_describe(&mut store, settings).await?;
        Ok(answer.map(lift::descriptor).map_err(lift::fault))
    }

    pub(crate) async fn observe(
        &self,
        mut store: Store<CallState>,
        context: &CallContext,
    ) -> Result<Result<Observation, Fault>, Failure> {
        let plugin = exported(self.target.as_ref()).instantiate_async(&mut store).await?;
        let answer = plugin.towpath_plugin_target().call_observe(&mut store, &context::lowered(context)).await?;
        let limits = &store.data().host.limits;
        answer.map_err(lift::fault).map(|seen| lift::observation(seen, limits)).transpose_answer()
    }

    pub(crate) async fn reconcile(
        &self,
        mut store: Store<CallState>,
        context: &CallContext,
        desired: &Desired,
    ) -> Result<Progress, Failure> {
        let plugin = exported(self.target.as_ref()).instantiate_async(&mut store).await?;
        let (context, desired) = (context::lowered(context), lower::desired(desired));
        let answer = plugin.towpath_plugin_target().call_reconcile(&mut store, &context, &desired).await?;
        lift::progress(answer, &store.data().host.limits)
    }

    pub(crate) async fn preview(
        &self,
        mut store: Store<CallState>,
        context: &CallContext,
        desired: &Desired,
    ) -> Result<Result<Vec<Change>, Fault>, Failure> {
        let plugin = exported(self.target.as_ref()).instantiate_async(&mut store).await?;
        let (context, desired) = (context::lowered(context), lower::desired(desired));
        let answer = plugin.towpath_plugin_target().call_preview(&mut store, &context, &desired).await?;
        Ok(answer.map_err(lift::fault))
    }

    pub(crate) async fn evaluate(
        &self,
        mut store: Store<CallState>,
        context: &CallContext,
        evidence: &[Evidence],
    ) -> Result<Answer, Failure> {
        let plugin = exported(self.gate.as_ref()).instantiate_async(&mut store).await?;
        let (context, evidence) = (context::lowered(context), lower::evidence(evidence));
        let answer = plugin.towpath_plugin_gate().call_evaluate(&mut store, &context, &evidence).await?;
        lift::answer(answer)
    }

    pub(crate) async fn assess(
        &self,
        mut store: Store<CallState>,
        context: &CallContext,
        subjects: &Subjects,
        window: &Window,
    ) -> Result<Assessment, Failure> {
        let plugin = exported(self.health.as_ref()).instantiate_async(&mut store).await?;
        let (context, subjects) = (context::lowered(context), lower::subjects(subjects));
        let answer = plugin.towpath_plugin_health().call_assess(&mut store, &context, &subjects, lower::window(window)).await?;
        lift::assessment(answer, &store.data().host.limits)
    }
}

/// Turns "an answer that may break the contract, or the plugin's own fault" inside out.
trait TransposeAnswer<T> {
    fn transpose_answer(self) -> Result<Result<T, Fault>, Failure>;
}

impl<T> TransposeAnswer<T> for Result<Result<T, Failure>, Fault> {
    fn transpose_answer(self) -> Result<Result<T, Fault>, Failure> {
        match self {
            Ok(answer) => answer.map(Ok),
            Err(fault) => Ok(Err(fault)),
        }
    }
}
