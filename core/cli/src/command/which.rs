//! Which deployment is meant: by its id, or by where it runs.

use towpath_proto::v1;

use crate::args::Which;
use crate::client::Client;
use crate::error::Error;

/// Returns the deployment that is meant: the active one of a service and environment, or else the last one.
pub(super) async fn any(client: &Client, which: &Which) -> Result<String, Error> {
    match &which.environment {
        None => Ok(which.first.clone()),
        Some(environment) => Ok(last(client, &which.first, environment).await?.id),
    }
}

/// Returns the deployment that is meant; it must not be over.
pub(super) async fn running(client: &Client, which: &Which) -> Result<String, Error> {
    let Some(environment) = &which.environment else { return Ok(which.first.clone()) };
    let last = last(client, &which.first, environment).await?;
    match last.ended {
        false => Ok(last.id),
        true => Err(Error::Usage {
            message: format!("no deployment of {} runs in {environment}; the last one is {}", which.first, last.phase),
            hint: "`towpath status` shows what runs where".to_owned(),
        }),
    }
}

async fn last(client: &Client, service: &str, environment: &str) -> Result<v1::DeploymentSummary, Error> {
    let request = v1::StatusRequest { service: service.to_owned(), environment: environment.to_owned() };
    let status = client.deployments().status(request).await?.into_inner();
    let found = status.scopes.into_iter().find_map(|scope| scope.deployment);
    found.ok_or_else(|| Error::Usage {
        message: format!("{service} was never deployed to {environment}"),
        hint: "`towpath deploy` deploys it".to_owned(),
    })
}
