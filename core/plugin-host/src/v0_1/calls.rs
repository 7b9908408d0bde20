//! The questions: lower what is asked, run the guest in its fresh store, lift what it answers.

use wasmtime::Store;

use super::bindings::gate::GatePluginPre;
use super::bindings::health::HealthPluginPre;
use super::bindings::target::TargetPluginPre;
use super::{lift, lower};
use crate::call::{CallState, Failure};
use crate::{
    Answer, Assessment, CallContext, Change, Descriptor, Desired, Evidence, Fault, Observation, Progress, Subjects, Window,
};

pub(crate) async fn describe(
    pre: &TargetPluginPre<CallState>,
    mut store: Store<CallState>,
    settings: &str,
) -> Result<Result<Descriptor, Fault>, Failure> {
    let plugin = pre.instantiate_async(&mut store).await?;
    let answer = plugin.towpath_plugin_target().call_describe(&mut store, settings).await?;
    Ok(answer.map(lift::descriptor).map_err(lift::fault))
}

pub(crate) async fn observe(
    pre: &TargetPluginPre<CallState>,
    mut store: Store<CallState>,
    context: &CallContext,
) -> Result<Result<Observation, Fault>, Failure> {
    let plugin = pre.instantiate_async(&mut store).await?;
    let answer = plugin.towpath_plugin_target().call_observe(&mut store, &lower::context(context)).await?;
    let limits = &store.data().host.limits;
    answer.map_err(lift::fault).map(|seen| lift::observation(seen, limits)).transpose_answer()
}

pub(crate) async fn reconcile(
    pre: &TargetPluginPre<CallState>,
    mut store: Store<CallState>,
    context: &CallContext,
    desired: &Desired,
) -> Result<Progress, Failure> {
    let plugin = pre.instantiate_async(&mut store).await?;
    let (context, desired) = (lower::context(context), lower::desired(desired));
    let answer = plugin.towpath_plugin_target().call_reconcile(&mut store, &context, &desired).await?;
    lift::progress(answer, &store.data().host.limits)
}

pub(crate) async fn preview(
    pre: &TargetPluginPre<CallState>,
    mut store: Store<CallState>,
    context: &CallContext,
    desired: &Desired,
) -> Result<Result<Vec<Change>, Fault>, Failure> {
    let plugin = pre.instantiate_async(&mut store).await?;
    let (context, desired) = (lower::context(context), lower::desired(desired));
    let answer = plugin.towpath_plugin_target().call_preview(&mut store, &context, &desired).await?;
    Ok(answer.map_err(lift::fault))
}

pub(crate) async fn evaluate(
    pre: &GatePluginPre<CallState>,
    mut store: Store<CallState>,
    context: &CallContext,
    evidence: &[Evidence],
) -> Result<Answer, Failure> {
    let plugin = pre.instantiate_async(&mut store).await?;
    let (context, evidence) = (lower::context(context), lower::evidence(evidence));
    let answer = plugin.towpath_plugin_gate().call_evaluate(&mut store, &context, &evidence).await?;
    lift::answer(answer)
}

pub(crate) async fn assess(
    pre: &HealthPluginPre<CallState>,
    mut store: Store<CallState>,
    context: &CallContext,
    subjects: &Subjects,
    window: &Window,
) -> Result<Assessment, Failure> {
    let plugin = pre.instantiate_async(&mut store).await?;
    let (context, subjects) = (lower::context(context), lower::subjects(subjects));
    let answer = plugin.towpath_plugin_health().call_assess(&mut store, &context, &subjects, lower::window(window)).await?;
    lift::assessment(answer, &store.data().host.limits)
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
