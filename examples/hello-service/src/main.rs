//! A small HTTP server with knobs for errors and delay, to deploy.
//!
//! It stands for any service: it listens where `HOST` and `PORT` say, answers `GET /` with `{"version":"…"}`, tells on `/healthz` whether
//! it is ready, and finishes what it began when it is asked to stop. The other variables make it misbehave, always in the same way, so
//! that what a deployment does about it can be shown and tested. `GET /metrics` says in Prometheus' text format what it answered;
//! `GET /events` is a stream of events without an end. A release may carry its own: lines `NAME=VALUE` in `hello.env`, beside
//! the program; what the environment says wins. It uses no part of Towpath and knows nothing of it.

mod events;
mod knobs;
mod metrics;
mod server;

use std::io::{self, Write};
use std::process::ExitCode;

use knobs::Knobs;

#[tokio::main]
async fn main() -> ExitCode {
    // No file is no knobs; a release need not carry any.
    let carried = std::fs::read_to_string("hello.env").unwrap_or_default();
    let knobs = match Knobs::read(|name| variable(name).or_else(|| line_of(&carried, name))) {
        Ok(knobs) => knobs,
        Err(error) => return fail(&error),
    };
    match server::run(knobs).await {
        Ok(code) => code,
        Err(error) => fail(&format!("cannot serve: {error}")),
    }
}

fn line_of(carried: &str, name: &str) -> Option<String> {
    let value = |line: &str| line.split_once('=').filter(|(found, _)| *found == name).map(|(_, value)| value.to_owned());
    carried.lines().find_map(value)
}

fn fail(error: &str) -> ExitCode {
    // Nobody reading standard error is no reason to end differently.
    let _ = writeln!(io::stderr(), "error: {error}");
    ExitCode::from(2)
}

#[expect(clippy::disallowed_methods, reason = "a service is configured by its environment; this is the one place that reads it")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
