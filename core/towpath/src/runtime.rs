//! `towpath runtime`: the process that owns the services of this machine, so that the server can die without dropping a request.

use std::io::Write;
use std::path::Path;

use ::runtime::{Options, Runtime};

use crate::args::RuntimeArgs;
use crate::data::{Announcement, DataDir};
use crate::failure::{self, Failure};
use crate::signals;

/// Runs the local runtime until it is told to stop.
pub(crate) async fn run(data_dir: &Path, args: &RuntimeArgs) -> Result<(), Failure> {
    let data = DataDir::open(data_dir)?;
    let options = Options {
        metrics_listen: args.watched.metrics_listen,
        otlp_endpoint: args.watched.otlp_endpoint.clone(),
        ..Options::new(&data.runtime(), &data.artifacts())
    };
    let running = Runtime::start(options).await.map_err(|error| cannot_start(&error))?;
    // There is one runtime on a folder, so whatever an earlier one said there is over.
    data.withdraw_metrics();
    if let Some(address) = running.metrics_address() {
        data.announce_metrics(&Announcement { address: address.to_string(), pid: std::process::id() })?;
        tracing::info!(%address, "metrics can be read");
    }
    let socket = running.control_socket().display().to_string();
    // The one line that says that it is ready; whoever reads it may be gone.
    let _ = writeln!(std::io::stderr(), "towpath runtime ready on {socket}");
    signals::stop(args.stop_with_stdin).await?;
    data.withdraw_metrics();
    running.shutdown().await;
    Ok(())
}

fn cannot_start(error: &::runtime::StartError) -> Failure {
    let said = format!("the runtime cannot start: {}", failure::chain(error));
    match error {
        ::runtime::StartError::Running { .. } => {
            Failure::new("TP0304", said).hint("stop the other one, or name another folder with --data-dir")
        }
        ::runtime::StartError::Metrics { .. } => {
            Failure::new("TP0302", said).hint("choose another address with --metrics-listen HOST:PORT")
        }
        ::runtime::StartError::SocketPath { .. } => Failure::new("TP0404", said).hint("name a data folder with a shorter path"),
        _ => Failure::new("TP0404", said),
    }
}
