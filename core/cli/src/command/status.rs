//! What runs where.

use towpath_proto::v1;

use super::{answer, list};
use crate::args::StatusArgs;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;

/// Shows what runs where.
pub(super) async fn status(client: &Client, args: &StatusArgs, output: &mut Output) -> Result<Exit, Error> {
    let request = v1::StatusRequest {
        service: args.service.clone().unwrap_or_default(),
        environment: args.environment.clone().unwrap_or_default(),
    };
    let status = client.deployments().status(request).await?.into_inner();
    answer(output, &status, |output| {
        let rows: Vec<_> = status.scopes.iter().map(row).collect();
        let paint = output.paint();
        table::write(
            &mut *output.out,
            paint,
            &["SERVICE", "ENVIRONMENT", "STABLE", "PREVIOUS", "DEPLOYMENT", "RELEASE", "PHASE"],
            &rows,
        )?;
        Ok(())
    })
}

fn row(scope: &v1::ScopeStatus) -> Vec<String> {
    let place = scope.scope.clone().unwrap_or_default();
    let deployment = scope.deployment.clone().unwrap_or_default();
    let or_none = |label: &String| if label.is_empty() { "-".to_owned() } else { label.clone() };
    let queued = if scope.queued > 0 { format!(", {} queued", scope.queued) } else { String::new() };
    vec![
        place.service,
        place.environment,
        or_none(&scope.stable_label),
        or_none(&scope.previous_label),
        deployment.id.clone(),
        deployment.release_label.clone(),
        list::phase(&deployment) + &queued,
    ]
}
