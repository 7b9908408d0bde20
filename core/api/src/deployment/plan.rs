//! What a start would do.

use model::Plan;
use towpath_proto::v1;

use crate::Api;
use crate::compile::{self, Compiled};
use crate::error::ApiError;
use crate::{request, view};

/// Returns the plan that a start would follow now.
pub(super) async fn plan(api: &Api, asked: &v1::PlanRequest) -> Result<v1::PlanResponse, ApiError> {
    let scope = request::scope(asked.scope.as_ref())?;
    let compiled = compile::plan(api, scope, &asked.release).await?;
    Ok(response(&compiled))
}

fn response(compiled: &Compiled) -> v1::PlanResponse {
    let Compiled { plan, stable } = compiled;
    v1::PlanResponse {
        hash: plan.hash.to_string(),
        strategy: plan.strategy.to_string(),
        path: plan.path.clone(),
        release: plan.release.id.to_string(),
        release_label: plan.release.label.clone(),
        first: plan.first,
        steps: steps(plan),
        text: path::render_plan(plan),
        scope: Some(view::deployment::scope(&plan.scope)),
        stable_release: stable.as_ref().map(|stable| stable.id.to_string()).unwrap_or_default(),
        stable_label: stable.as_ref().map(|stable| stable.label.clone()).unwrap_or_default(),
    }
}

fn steps(plan: &Plan) -> Vec<v1::PlanStep> {
    let explained = path::explain(plan);
    let step = |(step, explained): (&model::Step, path::ExplainedStep)| v1::PlanStep {
        id: step.id.to_string(),
        phase: step.phase.as_str().to_owned(),
        does: explained.does,
        why: explained.why,
        waits_for: explained.waits_for,
        deadline_ms: step.deadline.0,
        extra_capacity_percent: step.extra_capacity.get().into(),
        point_of_no_return: step.point_of_no_return,
        watch: view::watch::planned(&step.kind),
    };
    plan.steps.iter().zip(explained).map(step).collect()
}
