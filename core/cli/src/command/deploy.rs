//! Deploying: show the plan, ask, start, follow.

use towpath_proto::v1;

use super::{answer, plan, request_id};
use crate::args::DeployArgs;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::text::line;
use crate::watch;

/// Deploys a release.
pub(super) async fn deploy(client: &Client, args: &DeployArgs, output: &mut Output) -> Result<Exit, Error> {
    let shown = plan::fetch(client, &args.service, &args.environment, &args.release).await?;
    if !output.context.json {
        plan::print(output, &shown)?;
    }
    if !args.yes && output.context.can_ask && !agreed(output, &shown)? {
        return Err(Error::Declined);
    }
    let request_id = request_id(args.retry.request_id.as_ref());
    let request = v1::StartRequest {
        scope: shown.scope.clone(),
        release: args.release.clone(),
        request_id: request_id.clone(),
        plan_hash: shown.hash.clone(),
    };
    let started = client.deployments().start(request).await.map_err(|status| unsure(status, &request_id))?.into_inner();
    if !(args.watch && output.context.json) {
        answer(output, &started, |output| {
            let again = if started.repeated { " (it was started by an earlier request)" } else { "" };
            Ok(writeln!(output.out, "deployment {}{again}", line(&started.deployment_id))?)
        })?;
    }
    match args.watch {
        true => watch::watch(client.clone(), &started.deployment_id, output).await,
        false => Ok(Exit::Done),
    }
}

/// A call that broke off may have been done: the same request id makes sure that it is not done twice.
fn unsure(status: tonic::Status, request_id: &str) -> Error {
    match Error::from(status) {
        Error::Server { status: status @ tonic::Code::Unavailable, message, code, .. } => Error::Server {
            status,
            message,
            code,
            hint: format!("it may have been started; repeat the command with --request-id {request_id}"),
        },
        other => other,
    }
}

fn agreed(output: &mut Output, plan: &v1::PlanResponse) -> Result<bool, Error> {
    let scope = plan.scope.clone().unwrap_or_default();
    write!(
        output.err,
        "\nDeploy {} of {} to {}? [y/N] ",
        line(&plan.release_label),
        line(&scope.service),
        line(&scope.environment)
    )?;
    output.err.flush()?;
    let mut said = String::new();
    std::io::stdin().read_line(&mut said)?;
    Ok(matches!(said.trim(), "y" | "Y" | "yes"))
}
