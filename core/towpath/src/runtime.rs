//! `towpath runtime`: the process that owns the services of this machine, so that the server can die without dropping a request.

use std::io::Write;
use std::path::Path;

use ::runtime::{Options, Runtime};

use crate::args::RuntimeArgs;
use crate::data::DataDir;
use crate::failure::{self, Failure};
use crate::signals;

/// Runs the local runtime until it is told to stop.
pub(crate) async fn run(data_dir: &Path, args: &RuntimeArgs) -> Result<(), Failure> {
    let data = DataDir::open(data_dir)?;
    let running = Runtime::start(Options::new(&data.runtime(), &data.artifacts())).await.map_err(|error| cannot_start(&error))?;
    let socket = running.control_socket().display().to_string();
    // The one line that says that it is ready; whoever reads it may be gone.
    let _ = writeln!(std::io::stderr(), "towpath runtime ready on {socket}");
    signals::stop(args.stop_with_stdin).await?;
    running.shutdown().await;
    Ok(())
}

fn cannot_start(error: &::runtime::StartError) -> Failure {
    let said = format!("the runtime cannot start: {}", failure::chain(error));
    match error {
        ::runtime::StartError::Running { .. } => {
            Failure::new("TP0304", said).hint("stop the other one, or name another folder with --data-dir")
        }
        ::runtime::StartError::SocketPath { .. } => Failure::new("TP0404", said).hint("name a data folder with a shorter path"),
        _ => Failure::new("TP0404", said),
    }
}
