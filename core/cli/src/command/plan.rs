//! Plans.

use towpath_proto::v1;

use super::answer;
use crate::args::PlanArgs;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::text::clean;

/// Shows what a deployment would do.
pub(super) async fn plan(client: &Client, args: &PlanArgs, output: &mut Output) -> Result<Exit, Error> {
    let plan = fetch(client, &args.service, &args.environment, &args.release).await?;
    answer(output, &plan, |output| print(output, &plan))
}

/// Asks for a plan.
pub(super) async fn fetch(client: &Client, service: &str, environment: &str, release: &str) -> Result<v1::PlanResponse, Error> {
    let scope = v1::Scope { service: service.to_owned(), environment: environment.to_owned() };
    let request = v1::PlanRequest { scope: Some(scope), release: release.to_owned() };
    Ok(client.deployments().plan(request).await?.into_inner())
}

/// Prints a plan for people.
pub(super) fn print(output: &mut Output, plan: &v1::PlanResponse) -> Result<(), Error> {
    Ok(writeln!(output.out, "{}", clean(plan.text.trim_end()))?)
}
