//! Starting the runtime and stopping it, in order.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::control;
use crate::control::{Control, Directory};
use crate::error::StartError;
use crate::metrics::{self, Metrics};
use crate::options::Options;
use crate::scope::Shared;
use crate::store::StateStore;
use crate::supervise::leftovers::Records;
use crate::supervise::ports::Ports;

/// The local runtime. See [`Runtime::start`].
#[derive(Debug)]
pub struct Runtime;

/// A runtime that was started. Dropping it without [`Running::shutdown`] cuts callers off and stops the services without a drain.
pub struct Running {
    control: Control,
    metrics: Option<Metrics>,
    directory: Directory,
    control_socket: PathBuf,
    // Held until the end: no second runtime may use the folder.
    _lock: File,
}

impl Runtime {
    /// Starts a runtime: ends what an earlier one left behind, brings back the stored states, and listens for control requests.
    ///
    /// Must be called inside a tokio runtime. Returns when control requests are answered; services may still be starting.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let (control_socket, metrics_listen) = (options.control_socket.clone(), options.metrics_listen);
        let prepared = tokio::task::spawn_blocking(move || prepare(options)).await;
        let (shared, stored, lock) = match prepared {
            Ok(prepared) => prepared?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        let listener = control::open(&control_socket)?;
        // Before anything is started: an address that cannot be had ends the start.
        let metrics_listener = match metrics_listen {
            Some(address) => Some(metrics::open(address).await?),
            None => None,
        };
        let directory = Directory::start(Arc::new(shared), stored);
        let metrics = metrics_listener.map(|listener| Metrics::start(listener, directory.clone()));
        Ok(Running { control: Control::start(listener, directory.clone()), metrics, directory, control_socket, _lock: lock })
    }
}

impl Running {
    /// Returns where the runtime is controlled.
    pub fn control_socket(&self) -> &Path {
        &self.control_socket
    }

    /// Returns where a Prometheus may read, if it may anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Metrics::address)
    }

    /// Stops in order: no new control requests, no new connections, requests in flight finish within their drain time-outs, processes
    /// are asked to stop and then killed. The desired states stay; the next start brings them back.
    pub async fn shutdown(self) {
        drop((self.control, self.metrics));
        let _ = fs::remove_file(&self.control_socket);
        let mut scopes: JoinSet<()> =
            self.directory.all().into_iter().map(|(_, handle)| async move { handle.shutdown().await }).collect();
        while scopes.join_next().await.is_some() {}
    }
}

type Prepared = (Shared, Vec<(model::Scope, crate::store::Stored)>, File);

fn prepare(mut options: Options) -> Result<Prepared, StartError> {
    fs::create_dir_all(&options.data_dir).map_err(StartError::io("create", &options.data_dir))?;
    // One spelling: it marks our processes.
    options.data_dir = fs::canonicalize(&options.data_dir).map_err(StartError::io("find", &options.data_dir))?;
    let lock = lock(&options.data_dir)?;
    let processes = options.data_dir.join("processes");
    let records = Records::open(&processes, &options.data_dir).map_err(StartError::io("create", &processes))?;
    let reaped = records.reap().map_err(StartError::io("read", &processes))?;
    if reaped > 0 {
        tracing::warn!(processes = reaped, "stopped what an earlier run left behind");
    }
    let artifacts = artifact::Store::open(&options.artifacts_dir).map_err(StartError::Artifacts)?;
    let states = StateStore::open(&options.data_dir.join("scopes"))?;
    let stored = states.load()?;
    Ok((Shared { options, artifacts, states, ports: Ports::default(), records }, stored, lock))
}

fn lock(data_dir: &Path) -> Result<File, StartError> {
    let path = data_dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(StartError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::Running { data_dir: data_dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(StartError::io("lock", &path)(error)),
    }
}
