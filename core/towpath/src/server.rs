//! `towpath server`: opens the store, starts the engine, offers the services, and ends all that in the opposite order.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use api::{Api, ServerInfo, Tokens};
use engine::{Clock, Engine, EngineError, EngineOptions};
use journal::{Owner, Store, StoreError};
use journal_sql::SqliteStore;
use model::Actor;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::args::ServerArgs;
use crate::clock::SystemClock;
use crate::data::{DataDir, ServerFile};
use crate::failure::{self, Failure};
use crate::signals;
use crate::wire::Wired;

/// The owner of the lease. The journal's file is locked while it is open, so an earlier process with this name is dead, and its lease
/// need not be waited out.
const OWNER: &str = "single";

/// Runs the server until it is told to stop.
pub(crate) async fn run(data_dir: &Path, args: &ServerArgs) -> Result<(), Failure> {
    if args.insecure_local && !args.listen.ip().is_loopback() {
        let message = format!("--insecure-local takes every caller, and {} is not a loopback address", args.listen);
        return Err(Failure::new("TP0302", message).usage().hint("listen on 127.0.0.1, or leave --insecure-local out"));
    }
    let data = DataDir::open(data_dir)?;
    let store: Arc<dyn Store> = open_store(&data).await?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| cannot_listen(args.listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(args.listen, &error))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wired = Wired::new(&data, args, Arc::clone(&store), Arc::clone(&clock)).await?;
    let options = EngineOptions {
        store: store.clone(),
        driver: wired.driver.clone(),
        clock: Arc::clone(&clock),
        owner: Owner(OWNER.to_owned()),
        lease_ttl: engine::limits::LEASE_TTL,
    };
    let engine = Engine::start(options).await.map_err(|error| engine_failed(&data, &error))?;
    let api = Api {
        handle: engine.handle(),
        plugins: wired.plugins.clone(),
        artifacts: wired.artifacts.clone(),
        clock: Arc::clone(&clock),
        info: Arc::new(ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: data.path().display().to_string(),
            started_at: clock.now(),
        }),
    };
    let broken = engine.broken();
    let served = offer(&data, args, listener, address, api, broken).await;
    engine.shutdown().await;
    served
}

/// Offers the services, announced in the data folder, until the process shall stop or can use its journal no more.
async fn offer(
    data: &DataDir,
    args: &ServerArgs,
    listener: TcpListener,
    address: SocketAddr,
    api: Api,
    broken: impl Future<Output = String> + Send + 'static,
) -> Result<(), Failure> {
    let tokens = tokens(data, args)?;
    data.announce(&ServerFile { address: address.to_string(), pid: std::process::id() })?;
    // The one line that says that it is ready; whoever reads it may be gone.
    let _ = writeln!(std::io::stderr(), "towpath server ready on {address}, data in {}", data.path().display());
    let with_stdin = args.stop_with_stdin;
    let (say_why, why) = oneshot::channel();
    let stop = async move {
        tokio::select! {
            stopped = signals::stop(with_stdin) => {
                if let Err(failure) = stopped {
                    tracing::error!(%failure, "stopping");
                }
            }
            why = broken => drop(say_why.send(why)),
        }
    };
    let served = api::serve(listener, api, tokens, stop).await;
    data.withdraw();
    // Dropped without a word by a stop that was asked for.
    if let Ok(why) = why.await {
        let message = format!("the journal in {} can be used no more by this process: {why}", data.path().display());
        return Err(Failure::new("TP0405", message).start_again().hint("start it again; `towpath up` does so by itself"));
    }
    served.map_err(|error| Failure::of("TP0405", &error))
}

async fn open_store(data: &DataDir) -> Result<Arc<SqliteStore>, Failure> {
    let path = data.journal();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &journal_sql::Options::default())).await;
    match opened {
        Ok(Ok(store)) => Ok(Arc::new(store)),
        Ok(Err(error)) => Err(store_failed(data, &error)),
        Err(error) => Err(Failure::of("TP0405", &error)),
    }
}

fn tokens(data: &DataDir, args: &ServerArgs) -> Result<Tokens, Failure> {
    let owner = Actor { name: "user:owner".to_owned(), groups: args.groups.clone() };
    if args.insecure_local {
        tracing::warn!("every caller on this machine is taken for its one user");
        return Ok(Tokens::anybody(owner));
    }
    Ok(Tokens::single(&data.token()?, owner))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::new("TP0302", format!("cannot listen on {address}: {error}")).hint("choose another address with --listen HOST:PORT")
}

fn engine_failed(data: &DataDir, error: &EngineError) -> Failure {
    match error {
        EngineError::Store(error) => store_failed(data, error),
        other => Failure::of("TP0405", other),
    }
}

fn store_failed(data: &DataDir, error: &StoreError) -> Failure {
    let said = format!("the journal in {} cannot be used: {}", data.path().display(), failure::chain(error));
    match error {
        StoreError::InUse(_) => {
            Failure::new("TP0304", said).hint("stop the other server, or name another data folder with --data-dir")
        }
        StoreError::Full(_) => Failure::new("TP0401", said).hint("make room on the disk of the data folder"),
        StoreError::Damaged(_) | StoreError::UnreadableRecord { .. } | StoreError::BrokenChain { .. } => {
            Failure::new("TP0402", said).hint("restore a backup of journal.db, or start anew with another data folder")
        }
        StoreError::NewerVersion { .. } => Failure::new("TP0403", said).hint("use the newer program that wrote it"),
        StoreError::ReadOnly(_) => Failure::new("TP0404", said).hint("see who may write the data folder"),
        StoreError::OutcomeUnknown(_) | StoreError::Broken(_) => Failure::new("TP0405", said).start_again(),
        StoreError::Failed(_) | StoreError::RevisionMoved { .. } => Failure::new("TP0405", said),
    }
}
