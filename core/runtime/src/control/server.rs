//! Accepting control connections and finding the scope that a request is about.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use model::Scope;
use nix::unistd::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use crate::control::answer::answer;
use crate::limits::{ACCEPT_PAUSE, CONTROL_CONNECTIONS_MAX, SCOPES_MAX};
use crate::scope::{ScopeHandle, Shared};
use crate::store::Stored;

/// All scopes by name.
#[derive(Clone)]
pub(crate) struct Directory {
    shared: Arc<Shared>,
    scopes: Arc<Mutex<BTreeMap<Scope, ScopeHandle>>>,
}

impl Directory {
    /// Starts a task for every stored scope.
    pub(crate) fn start(shared: Arc<Shared>, stored: Vec<(Scope, Stored)>) -> Self {
        let handle = |(scope, stored): (Scope, Stored)| {
            let started = ScopeHandle::start(scope.clone(), Some(stored), shared.clone());
            (scope, started)
        };
        let scopes = stored.into_iter().map(handle).collect();
        Self { shared, scopes: Arc::new(Mutex::new(scopes)) }
    }

    /// Returns a scope's task, if there is one.
    pub(crate) fn find(&self, scope: &Scope) -> Option<ScopeHandle> {
        self.lock().get(scope).cloned()
    }

    /// Returns a scope's task, a new one if there was none, or `None` when there are too many.
    pub(crate) fn find_or_start(&self, scope: &Scope) -> Option<ScopeHandle> {
        let mut scopes = self.lock();
        if !scopes.contains_key(scope) && scopes.len() >= SCOPES_MAX {
            return None;
        }
        let started = || ScopeHandle::start(scope.clone(), None, self.shared.clone());
        Some(scopes.entry(scope.clone()).or_insert_with(started).clone())
    }

    /// Returns all of them, in the order of their names.
    pub(crate) fn all(&self) -> Vec<(Scope, ScopeHandle)> {
        self.lock().iter().map(|(scope, handle)| (scope.clone(), handle.clone())).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Scope, ScopeHandle>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The control interface; runs until it is dropped.
pub(crate) struct Control {
    task: tokio::task::JoinHandle<()>,
}

impl Control {
    pub(crate) fn start(listener: UnixListener, directory: Directory) -> Self {
        Self { task: tokio::spawn(accept(listener, directory)) }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, directory: Directory) {
    let permits = Arc::new(Semaphore::new(CONTROL_CONNECTIONS_MAX));
    loop {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) if is_ours(&stream) => {
                let directory = directory.clone();
                tokio::spawn(async move {
                    serve(stream, directory).await;
                    drop(permit);
                });
            }
            Ok((_, peer)) => tracing::warn!(?peer, "a control connection of another user was refused"),
            Err(error) => {
                tracing::warn!(%error, "cannot accept a control connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether the kernel says that the other end belongs to our user.
fn is_ours(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == geteuid().as_raw())
}

async fn serve(stream: UnixStream, directory: Directory) {
    let service = service_fn(move |request| {
        let directory = directory.clone();
        async move { Ok::<_, Infallible>(answer(&directory, request).await) }
    });
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a control connection ended early");
    }
}
