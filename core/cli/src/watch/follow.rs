//! The stream of updates, resumed when it breaks.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tonic::{Code, Streaming};
use towpath_proto::v1;

use crate::client::Client;
use crate::error::Error;
use crate::output::Context;

/// How long to wait before a broken watch is tried again: a server that starts again needs about a second.
const PAUSE: Duration = Duration::from_millis(500);

/// How often a broken watch is tried again before it is given up: a minute, long enough for a restart or a new address.
const ATTEMPTS_MAX: u32 = 120;

/// What comes next.
pub(super) enum Followed {
    /// Something happened.
    Update(Box<v1::DeploymentUpdate>),
    /// The connection broke off and will be tried again.
    Lost { message: String },
}

/// A watch that survives broken connections.
pub(super) struct Following {
    client: Option<Client>,
    context: Context,
    deployment: String,
    seen: u64,
    ended: bool,
    failed: u32,
    stream: Option<Streaming<v1::DeploymentUpdate>>,
}

impl Following {
    pub(super) fn new(client: Client, context: Context, deployment: &str) -> Self {
        let deployment = deployment.to_owned();
        Self { client: Some(client), context, deployment, seen: 0, ended: false, failed: 0, stream: None }
    }

    /// Sends what comes to `to`, until the deployment is over, nobody listens, or there is no use in trying any longer.
    pub(super) async fn run(mut self, to: mpsc::Sender<Result<Followed, Error>>) {
        while !self.ended {
            let followed = match self.step().await {
                Ok(Some(update)) => {
                    (self.seen, self.failed) = (update.version, 0);
                    self.ended = update.deployment.as_ref().is_some_and(|deployment| deployment.ended);
                    Ok(Followed::Update(Box::new(update)))
                }
                Ok(None) => return,
                Err(error) if is_passing(&error) && self.failed < ATTEMPTS_MAX => {
                    self.failed += 1;
                    (self.stream, self.client) = (None, None);
                    if self.failed > 1 {
                        // Only the first break is news.
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                    Ok(Followed::Lost { message: error.to_string() })
                }
                Err(error) => {
                    self.ended = true;
                    Err(error)
                }
            };
            if to.send(followed).await.is_err() {
                return;
            }
        }
    }

    async fn step(&mut self) -> Result<Option<v1::DeploymentUpdate>, Error> {
        if self.client.is_none() {
            self.client = Some(Client::connect(&self.context).await?);
        }
        if let (None, Some(client)) = (&self.stream, &self.client) {
            let request = v1::WatchDeploymentRequest { deployment_id: self.deployment.clone(), after_version: self.seen };
            self.stream = Some(client.deployments().watch(request).await?.into_inner());
        }
        match &mut self.stream {
            Some(stream) => Ok(stream.next().await.transpose()?),
            None => Ok(None),
        }
    }
}

/// Whether the same call may go well a little later.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::NoAnswer { .. } | Error::NotRunning { .. } => true,
        Error::Server { status, .. } => matches!(status, Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal),
        Error::File(_) | Error::Unreadable { .. } | Error::Usage { .. } | Error::Declined | Error::Output(_) => false,
    }
}
