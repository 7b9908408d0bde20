//! One deployment as it is now.

use towpath_proto::v1;

use super::{answer, which};
use crate::args::Which;
use crate::client::Client;
use crate::clock;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::watch::frame;

/// Wide enough for the longest step, narrow enough for a page.
const WIDTH: usize = 120;

/// Shows one deployment.
pub(super) async fn show(client: &Client, meant: &Which, output: &mut Output) -> Result<Exit, Error> {
    let deployment_id = which::any(client, meant).await?;
    let deployment = client.deployments().get(v1::GetDeploymentRequest { deployment_id }).await?.into_inner();
    answer(output, &deployment, |output| {
        let size = frame::Size { width: WIDTH, height: usize::MAX };
        for line in frame::draw(&deployment, "", clock::now_millis(), size, output.paint()) {
            writeln!(output.out, "{line}")?;
        }
        Ok(())
    })
}
