//! Deployments, newest first.

use towpath_proto::v1;

use super::answer;
use crate::args::ListArgs;
use crate::client::Client;
use crate::clock;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;
use crate::text::duration;

/// Lists deployments.
pub(super) async fn list(client: &Client, args: &ListArgs, output: &mut Output) -> Result<Exit, Error> {
    let request = v1::ListDeploymentsRequest {
        service: args.service.clone().unwrap_or_default(),
        environment: args.environment.clone().unwrap_or_default(),
        unfinished_only: args.unfinished,
        page_size: args.limit,
        page_token: String::new(),
    };
    let page = client.deployments().list(request).await?.into_inner();
    answer(output, &page, |output| {
        let now = clock::now_millis();
        let rows: Vec<_> = page.deployments.iter().map(|deployment| row(deployment, now)).collect();
        let paint = output.paint();
        table::write(
            &mut *output.out,
            paint,
            &["DEPLOYMENT", "SERVICE", "ENVIRONMENT", "RELEASE", "PHASE", "AGE", "TOOK"],
            &rows,
        )?;
        if !page.next_page_token.is_empty() {
            writeln!(output.err, "there are more; --limit shows them")?;
        }
        Ok(())
    })
}

fn row(deployment: &v1::DeploymentSummary, now: i64) -> Vec<String> {
    let scope = deployment.scope.clone().unwrap_or_default();
    let until = if deployment.ended { deployment.ended_at_ms } else { now };
    vec![
        deployment.id.clone(),
        scope.service,
        scope.environment,
        deployment.release_label.clone(),
        phase(deployment),
        format!("{} ago", duration(now - deployment.requested_at_ms)),
        duration(until - deployment.requested_at_ms),
    ]
}

/// Returns the phase with a mark when it stands still.
pub(super) fn phase(deployment: &v1::DeploymentSummary) -> String {
    match deployment.paused && !deployment.ended {
        true => format!("{} (paused)", deployment.phase),
        false => deployment.phase.clone(),
    }
}
