//! A plugin that misbehaves on demand: its settings say how. The sandbox's tests run it; nothing else does.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::health::Look;
use towpath_sdk::powers::{clock, http, log, measure, runtime};
use towpath_sdk::prelude::*;
use towpath_sdk::target::Fencing;

/// How it misbehaves.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Settings {
    /// Does nothing and answers well.
    Behave,
    /// Never returns.
    Loop,
    /// Crashes.
    Trap,
    /// Calls itself until the stack ends.
    Recurse,
    /// Takes memory until there is none.
    EatMemory,
    /// Writes so many lines.
    Log(u32),
    /// Answers with a sentence of so many bytes.
    Talk(usize),
    /// Leaves a state of so many bytes.
    Remember(usize),
    /// Answers with a number that is none.
    NotANumber,
    /// Waits so many milliseconds in the host.
    Wait(u32),
    /// Asks this address, and answers with what came of it.
    Fetch(String),
    /// Asks this address two times, and answers with what came of the second.
    FetchTwice(String),
    /// Asks this address, then crashes.
    FetchThenTrap(String),
    /// Gives the runtime this desired state, and answers with what came of it.
    Apply(String),
    /// Gives the runtime this desired state, then never returns.
    ApplyThenLoop(String),
    /// Counts how often this instance was called.
    Count,
}

/// A plugin that misbehaves on demand.
pub struct Hostile;

impl HealthCheck for Hostile {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        let sentence = misbehave(&look.settings);
        match look.settings {
            Settings::Remember(bytes) => Assessment { state: Some(vec![b'x'; bytes]), ..Assessment::healthy(sentence) },
            Settings::NotANumber => Assessment::healthy(sentence).measured([Measurement::new("nothing", f64::NAN, "1")]),
            _ => Assessment::healthy(sentence),
        }
    }
}

impl Target for Hostile {
    type Settings = Settings;

    fn describe(_: &Settings) -> Descriptor {
        Descriptor {
            weights: false,
            weight_granularity_basis_points: 1,
            header_match: false,
            cookie_match: false,
            sticky: false,
            mirror: false,
            instant_switch: false,
            fencing: Fencing::Quiesce,
        }
    }

    fn observe(call: &Call<Settings>) -> Result<Observation, Fault> {
        Err(Fault::permanent(misbehave(&call.settings)))
    }

    fn reconcile(call: &Call<Settings>, _: &Desired) -> Progress {
        Progress::Failed(Fault::permanent(misbehave(&call.settings)))
    }

    fn preview(call: &Call<Settings>, _: &Desired) -> Result<Vec<String>, Fault> {
        Ok(vec![misbehave(&call.settings)])
    }
}

/// Does what it is told and returns what came of it.
fn misbehave(settings: &Settings) -> String {
    match settings {
        Settings::Behave | Settings::Remember(_) | Settings::NotANumber => "well".to_owned(),
        Settings::Loop => forever(),
        Settings::Trap => panic!("told to"),
        Settings::Recurse => deep(1).to_string(),
        Settings::EatMemory => eat().to_string(),
        Settings::Log(lines) => flood(*lines),
        Settings::Talk(bytes) => "x".repeat(*bytes),
        Settings::Wait(milliseconds) => {
            clock::pause_ms(*milliseconds);
            "waited".to_owned()
        }
        Settings::Fetch(url) => fetch(url),
        Settings::FetchTwice(url) => {
            fetch(url);
            fetch(url)
        }
        Settings::FetchThenTrap(url) => panic!("{}", fetch(url)),
        Settings::Apply(desired) => runtime::apply(desired).unwrap_or_else(|error| error.sentence()),
        Settings::ApplyThenLoop(desired) => {
            // What came of it does not matter to somebody who never returns.
            let _ = runtime::apply(desired);
            forever()
        }
        Settings::Count => count(),
    }
}

fn forever() -> ! {
    loop {
        std::hint::black_box(0);
    }
}

fn deep(depth: u64) -> u64 {
    if std::hint::black_box(depth) == 0 { 0 } else { deep(depth + 1) + depth }
}

fn eat() -> usize {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(vec![1; 1 << 20]);
        std::hint::black_box(&eaten);
    }
}

fn flood(lines: u32) -> String {
    for number in 0..lines {
        log::info(&format!("line {number}"));
    }
    measure::record("lines", f64::from(lines), "1");
    "flooded".to_owned()
}

fn fetch(url: &str) -> String {
    match http::get(url) {
        Ok(answer) => format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body)),
        Err(error) => error.sentence(),
    }
}

/// Returns 1 if nothing is left of earlier calls.
fn count() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static CALLS: AtomicU32 = AtomicU32::new(0);
    (CALLS.fetch_add(1, Ordering::Relaxed) + 1).to_string()
}

towpath_sdk::export_health_check!(Hostile);
towpath_sdk::export_target!(Hostile);
