//! `towpath server`: opens the store, starts the engine, offers the services, and ends all that in the opposite order.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{Api, ServerInfo, Tokens};
use engine::{Clock, Engine, EngineError, EngineOptions};
use model::{Actor, Millis};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::args::ServerArgs;
use crate::clock::SystemClock;
use crate::data::{Announcement, DataDir};
use crate::failure::Failure;
use crate::signals;
use crate::store::{self, Opened};
use crate::wire::{Measuring, Wired};

const HOURS_PER_DAY: u64 = 24;

/// How often it is looked whether clients still find a server.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(2);

/// Runs the server until it is told to stop.
pub(crate) async fn run(data_dir: &Path, args: &ServerArgs) -> Result<(), Failure> {
    if args.insecure_local && !args.listen.ip().is_loopback() {
        let message = format!("--insecure-local takes every caller, and {} is not a loopback address", args.listen);
        return Err(Failure::new("TP0302", message).usage().hint("listen on 127.0.0.1, or leave --insecure-local out"));
    }
    let data = DataDir::open(data_dir)?;
    let opened = store::open(&data, args).await?;
    let listener = TcpListener::bind(args.listen).await.map_err(|error| cannot_listen(args.listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(args.listen, &error))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let wired = Wired::new(&data, args, Arc::clone(&opened.store), Arc::clone(&clock)).await?;
    let options = EngineOptions {
        store: Arc::clone(&opened.store),
        driver: wired.driver.clone(),
        clock: Arc::clone(&clock),
        owner: opened.owner.clone(),
        lease_ttl: engine::limits::LEASE_TTL,
        replicated: opened.shared,
        pack_after: Millis::hours(HOURS_PER_DAY * u64::from(args.pack_after_days)),
    };
    let engine = Engine::start(options).await.map_err(|error| engine_failed(&opened, &error))?;
    let api = Api {
        handle: engine.handle(),
        plugins: wired.plugins.clone(),
        artifacts: wired.artifacts.clone(),
        measured: wired.measuring.as_ref().map(Measuring::listed),
        clock: Arc::clone(&clock),
        info: Arc::new(ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: data.path().display().to_string(),
            started_at: clock.now(),
        }),
    };
    let place = opened.place.clone();
    let broken = engine.broken();
    let broken = async move { format!("the journal in {place} can be used no more by this process: {}", broken.await) };
    let served = offer(&data, args, listener, address, api, broken).await;
    engine.shutdown().await;
    if let Some(measuring) = wired.measuring {
        measuring.stop(&data).await;
    }
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
    let ours = Announcement { address: address.to_string(), pid: std::process::id() };
    data.announce(&ours)?;
    let announcing = tokio::spawn(stay_announced(data.clone(), ours.clone()));
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
    announcing.abort();
    data.withdraw(ours.pid);
    // Dropped without a word by a stop that was asked for.
    if let Ok(why) = why.await {
        return Err(Failure::new("TP0405", why).start_again().hint("start it again; `towpath up` does so by itself"));
    }
    served.map_err(|error| Failure::of("TP0405", &error))
}

/// Announces this server again when the one that was announced is gone, for ever.
async fn stay_announced(data: DataDir, ours: Announcement) {
    loop {
        tokio::time::sleep(ANNOUNCE_EVERY).await;
        if let Err(failure) = data.announce_if_alone(&ours) {
            tracing::warn!(%failure, "clients may not find this server");
        }
    }
}

fn tokens(data: &DataDir, args: &ServerArgs) -> Result<Tokens, Failure> {
    let owner = Actor { name: "user:owner".to_owned(), groups: args.groups.clone(), from: String::new() };
    if args.insecure_local {
        tracing::warn!("every caller on this machine is taken for its one user");
        return Ok(Tokens::anybody(owner));
    }
    Ok(Tokens::single(&data.token()?, owner))
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::new("TP0302", format!("cannot listen on {address}: {error}")).hint("choose another address with --listen HOST:PORT")
}

fn engine_failed(opened: &Opened, error: &EngineError) -> Failure {
    match error {
        EngineError::Store(error) => store::failed(&opened.place, error),
        other => Failure::of("TP0405", other),
    }
}
