//! A plugin that misbehaves on demand: its settings say how. The sandbox's tests run it; nothing else does.

use schemars::JsonSchema;
use serde::Deserialize;
use towpath_sdk::health::Look;
use towpath_sdk::powers::{artifact, clock, command, http, log, measure, runtime, secret, ssh};
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
    /// Writes so many lines and a number, then crashes.
    LogThenTrap(u32),
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
    /// Asks this address and follows five redirects, and answers with what came of it.
    Follow(String),
    /// Runs a program, and answers with its output.
    Run(Run),
    /// Runs a command on a host.
    Ssh {
        /// The host's name.
        host: String,
        /// The command.
        command: String,
    },
    /// Reads the beginning of a file of an artifact.
    ReadArtifact {
        /// The artifact's digest.
        digest: String,
        /// The file.
        path: String,
    },
    /// Tells a secret to everybody who listens: log, traces, answer.
    Tell(String),
    /// Answers with a secret, spelled from its end: what nobody can take out of its words.
    Backwards(String),
    /// Keeps a secret for its next look.
    Keep(String),
    /// Answers with a number that is none, and is called like a secret.
    MeasureNothing(String),
    /// Sends a secret to this host.
    Send {
        /// The secret's name.
        secret: String,
        /// The host.
        host: String,
    },
}

/// What is run.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Run {
    /// What the operator called it.
    program: String,
    /// The arguments.
    arguments: Vec<String>,
    /// Files to lay down.
    files: Vec<String>,
    /// Files to bring back.
    collect: Vec<String>,
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
            Settings::Keep(ref name) => {
                let state = secret::reveal(name).unwrap_or_default().into_bytes();
                Assessment { state: Some(state), ..Assessment::healthy(sentence) }
            }
            Settings::MeasureNothing(ref name) => {
                let value = secret::reveal(name).unwrap_or_default();
                Assessment::healthy(sentence).measured([Measurement::new(&format!("{value}\u{1b}[2J"), f64::NAN, "1")])
            }
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
        Settings::Behave | Settings::Remember(_) | Settings::NotANumber | Settings::Keep(_) | Settings::MeasureNothing(_) => {
            "well".to_owned()
        }
        Settings::Loop => forever(),
        Settings::Trap => panic!("told to"),
        Settings::Recurse => deep(1).to_string(),
        Settings::EatMemory => eat().to_string(),
        Settings::Log(lines) => flood(*lines),
        Settings::LogThenTrap(lines) => panic!("{}", flood(*lines)),
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
        Settings::Follow(url) => came_of(&http::Request::get(url).redirects(5)),
        Settings::Run(wanted) => run(wanted),
        Settings::Ssh { host, command } => ssh(host, command),
        Settings::ReadArtifact { digest, path } => match artifact::read(digest, path, 0, 100) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => error.sentence(),
        },
        Settings::Tell(name) => tell(name),
        Settings::Backwards(name) => match secret::reveal(name) {
            Ok(value) => value.chars().rev().collect(),
            Err(error) => error.sentence(),
        },
        Settings::Send { secret, host } => {
            let value = secret::reveal(secret).unwrap_or_else(|error| error.sentence());
            fetch(&format!("http://{host}/{value}"))
        }
    }
}

fn run(wanted: &Run) -> String {
    let mut request = command::Request::new(&wanted.program);
    request.arguments.clone_from(&wanted.arguments);
    for path in &wanted.files {
        request = request.file(path, "from a guest");
    }
    for path in &wanted.collect {
        request = request.collect(path);
    }
    match command::run(&request) {
        Ok(outcome) => {
            let said = [&outcome.stdout, &outcome.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let files: Vec<_> = outcome.files.iter().map(|file| file.path.as_str()).collect();
            format!("exit {}: {}; {} files {}", outcome.exit_code, said.concat(), files.len(), files.join(" "))
        }
        Err(error) => error.sentence(),
    }
}

fn ssh(host: &str, command: &str) -> String {
    let request = ssh::Request { host: host.to_owned(), command: command.to_owned(), stdin: Vec::new(), timeout_ms: 5_000 };
    match ssh::run(&request) {
        Ok(outcome) => format!("exit {}", outcome.exit_code),
        Err(error) => error.sentence(),
    }
}

fn tell(name: &str) -> String {
    let value = secret::reveal(name).unwrap_or_else(|error| error.sentence());
    log::info(&format!("it is {value}"));
    measure::record(&value, 1.0, &value);
    // A use that fails is written down with what was asked.
    fetch(&format!("http://127.0.0.1:1/{value}"));
    format!("it is {value}")
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
    came_of(&http::Request::get(url))
}

fn came_of(request: &http::Request) -> String {
    match request.send() {
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
