//! Commands to running deployments.

use towpath_proto::v1;

use super::{answer, request_id, which};
use crate::args::{ApproveArgs, RollbackArgs, SteerArgs};
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::text::line;
use crate::watch;

/// What a deployment can be told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    Pause,
    Resume,
    Promote,
    Abort,
    Rollback,
    Reject,
}

impl Verb {
    fn done(self) -> &'static str {
        match self {
            Self::Pause => "paused",
            Self::Resume => "resumed",
            Self::Promote => "promoted",
            Self::Abort => "is being aborted",
            Self::Rollback => "is being rolled back",
            Self::Reject => "rejected",
        }
    }
}

/// Tells a deployment what to do.
pub(super) async fn steer(client: &Client, verb: Verb, args: &SteerArgs, output: &mut Output) -> Result<Exit, Error> {
    let id = which::running(client, &args.which).await?;
    let response = tell(client, verb, args, &id).await?;
    said(output, &id, verb.done(), &response)
}

async fn tell(client: &Client, verb: Verb, args: &SteerArgs, id: &str) -> Result<v1::CommandResponse, Error> {
    let request = v1::CommandRequest {
        deployment_id: id.to_owned(),
        reason: args.reason.clone(),
        request_id: request_id(args.retry.request_id.as_ref()),
        expected_version: args.expected_version.unwrap_or(0),
    };
    let mut stub = client.deployments();
    let response = match verb {
        Verb::Pause => stub.pause(request).await,
        Verb::Resume => stub.resume(request).await,
        Verb::Promote => stub.promote(request).await,
        Verb::Abort => stub.abort(request).await,
        Verb::Rollback => stub.rollback(request).await,
        Verb::Reject => stub.reject(request).await,
    };
    Ok(response?.into_inner())
}

fn said(output: &mut Output, id: &str, done: &str, response: &v1::CommandResponse) -> Result<Exit, Error> {
    answer(output, response, |output| Ok(writeln!(output.out, "deployment {} {done} (version {})", line(id), response.version)?))
}

/// Says yes to a plan.
pub(super) async fn approve(client: &Client, args: &ApproveArgs, output: &mut Output) -> Result<Exit, Error> {
    let id = which::running(client, &args.which).await?;
    let plan_hash = match &args.plan {
        Some(hash) => hash.clone(),
        None => client.deployments().get(v1::GetDeploymentRequest { deployment_id: id.clone() }).await?.into_inner().plan_hash,
    };
    let request = v1::ApproveRequest {
        deployment_id: id.clone(),
        plan_hash,
        request_id: request_id(args.retry.request_id.as_ref()),
        expected_version: 0,
    };
    let response = client.deployments().approve(request).await?.into_inner();
    said(output, &id, "approved", &response)
}

/// Takes back what runs, or goes to an earlier release where nothing runs.
pub(super) async fn rollback(client: Client, args: &RollbackArgs, output: &mut Output) -> Result<Exit, Error> {
    let (scope, running) = place(&client, args).await?;
    // A program that follows gets updates, one per line, and nothing else.
    let updates_only = args.watch && output.context.json;
    let id = match running {
        Some(id) if args.to.is_none() => {
            let response = tell(&client, Verb::Rollback, &args.steer, &id).await?;
            if !updates_only {
                said(output, &id, Verb::Rollback.done(), &response)?;
            }
            id
        }
        _ => {
            let request = v1::RestoreRequest {
                scope: Some(scope),
                release: args.to.clone().unwrap_or_default(),
                request_id: request_id(args.steer.retry.request_id.as_ref()),
            };
            let started = client.deployments().restore(request).await?.into_inner();
            if !updates_only {
                answer(output, &started, |output| Ok(writeln!(output.out, "deployment {}", line(&started.deployment_id))?))?;
            }
            started.deployment_id
        }
    };
    match args.watch {
        true => watch::watch(client, &id, output).await,
        false => Ok(Exit::Done),
    }
}

/// Returns where to go back, and the deployment that runs there.
async fn place(client: &Client, args: &RollbackArgs) -> Result<(v1::Scope, Option<String>), Error> {
    let which = &args.steer.which;
    let (scope, last) = match &which.environment {
        Some(environment) => {
            let request = v1::StatusRequest { service: which.first.clone(), environment: environment.clone() };
            let status = client.deployments().status(request).await?.into_inner();
            let last = status.scopes.into_iter().find_map(|scope| scope.deployment);
            let scope = v1::Scope { service: which.first.clone(), environment: environment.clone() };
            (scope, last.map(|last| (last.id, last.ended)))
        }
        None => {
            let request = v1::GetDeploymentRequest { deployment_id: which.first.clone() };
            let deployment = client.deployments().get(request).await?.into_inner();
            (deployment.scope.unwrap_or_default(), Some((deployment.id, deployment.ended)))
        }
    };
    Ok((scope, last.filter(|(_, ended)| !ended).map(|(id, _)| id)))
}
