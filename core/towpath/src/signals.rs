//! When to stop: a signal, or the end of whoever started us.

use std::io::Read;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::failure::Failure;

/// Returns once the process shall stop.
pub(crate) async fn stop(with_stdin: bool) -> Result<(), Failure> {
    let broken = |error: std::io::Error| Failure::new("", format!("cannot listen for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    let orphaned = async {
        match with_stdin {
            true => end_of_stdin().await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("asked to stop"),
        _ = interrupt.recv() => tracing::info!("interrupted"),
        () = orphaned => tracing::info!("whoever started this process is gone"),
    }
    Ok(())
}

/// Waits on a thread of its own: a read of standard input cannot be broken off, and must not hold up the end of the process.
async fn end_of_stdin() {
    let (ended, end) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        let mut stdin = std::io::stdin();
        while stdin.read(&mut buffer).is_ok_and(|read| read > 0) {}
        drop(ended);
    });
    let _ = end.await;
}
