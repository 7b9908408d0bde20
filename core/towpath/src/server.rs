//! `towpath server`: opens the store, starts the engine, offers the services, and ends all that in the opposite order.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use api::{Api, ServerInfo, Tokens};
use cli::ServerFile;
use engine::{Clock, Engine, EngineOptions};
use journal::Owner;
use journal_sql::SqliteStore;
use model::Actor;
use tokio::net::TcpListener;

use crate::args::ServerArgs;
use crate::clock::SystemClock;
use crate::data_dir::DataDir;
use crate::fault::Fault;
use crate::signals;
use crate::wire::Wired;

/// The owner of the lease. The journal's file is locked while it is open, so an earlier process with this name is dead, and its lease
/// need not be waited out.
const OWNER: &str = "single";

/// Runs the server until it is told to stop.
pub(crate) async fn run(data_dir: &Path, args: &ServerArgs) -> Result<(), Fault> {
    if args.insecure_local && !args.listen.ip().is_loopback() {
        let message = format!("--insecure-local takes every caller, and {} is not a loopback address", args.listen);
        return Err(Fault::usage(message, "listen on 127.0.0.1, or leave --insecure-local out"));
    }
    let data = DataDir::open(data_dir)?;
    let store = open_store(&data).await?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| Fault::listen(args.listen, &error))?;
    let address = listener.local_addr().map_err(|error| Fault::listen(args.listen, &error))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wired = Wired::new(&data, Arc::clone(&store), Arc::clone(&clock)).await?;
    let options = EngineOptions {
        store: store.clone(),
        driver: wired.driver.clone(),
        clock: Arc::clone(&clock),
        owner: Owner(OWNER.to_owned()),
        lease_ttl: engine::limits::LEASE_TTL,
    };
    let engine = Engine::start(options).await.map_err(|error| Fault::broken("the engine cannot start", &error))?;
    let api = Api {
        handle: engine.handle(),
        plugins: wired.plugins.clone(),
        artifacts: wired.artifacts.clone(),
        clock: Arc::clone(&clock),
        info: Arc::new(ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: data.root().display().to_string(),
            started_at: clock.now(),
        }),
    };
    let served = offer(&data, args, listener, address, api).await;
    engine.shutdown().await;
    served
}

/// Offers the services, announced in the data folder, until the process shall stop.
async fn offer(data: &DataDir, args: &ServerArgs, listener: TcpListener, address: SocketAddr, api: Api) -> Result<(), Fault> {
    let tokens = tokens(data, args)?;
    let announced = ServerFile { address: address.to_string(), pid: std::process::id() };
    let cannot = |error: std::io::Error| Fault::broken("server.json cannot be written", &error);
    data.announce(&announced).map_err(cannot)?;
    // The one line that says that it is ready; whoever reads it may be gone.
    let _ = writeln!(std::io::stderr(), "towpath server ready on {address}, data in {}", data.root().display());
    let with_stdin = args.stop_with_stdin;
    let stop = async move {
        if let Err(fault) = signals::stop(with_stdin).await {
            tracing::error!(%fault, "stopping");
        }
    };
    let served = api::serve(listener, api, tokens, stop).await;
    data.withdraw(&announced);
    served.map_err(|error| Fault::broken("the server failed", &error))
}

async fn open_store(data: &DataDir) -> Result<Arc<SqliteStore>, Fault> {
    let path = data.journal();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &journal_sql::Options::default())).await;
    match opened {
        Ok(Ok(store)) => Ok(Arc::new(store)),
        Ok(Err(error)) => Err(Fault::store(data.root(), &error)),
        Err(error) => Err(Fault::broken("the journal cannot be opened", &error)),
    }
}

fn tokens(data: &DataDir, args: &ServerArgs) -> Result<Tokens, Fault> {
    let owner = Actor { name: "user:owner".to_owned(), groups: args.groups.clone() };
    if args.insecure_local {
        tracing::warn!("every caller on this machine is taken for its one user");
        return Ok(Tokens::anybody(owner));
    }
    let token = data.token().map_err(|error| Fault::broken("the token file cannot be used", &error))?;
    Ok(Tokens::single(&token, owner))
}
