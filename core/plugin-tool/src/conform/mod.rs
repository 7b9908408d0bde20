//! `towpath plugin test`: what every plugin of a kind owes, asked of a component in any language.
//!
//! The component runs in the sandbox that a server has. Its world is one of the SDK's: documents with versions under `/documents/` of a
//! server on this machine or a local runtime, scripted answers, metrics and programs, and faults at chosen moments. A case file says what
//! the plugin needs to know of that world; in its settings, `{world}` stands for the world's address.
//!
//! What it is not: a test of what the plugin is for. That, only its author knows.

mod backends;
mod case;
mod common;
mod gate;
mod health;
mod programs;
mod script;
mod target;
mod world;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use plugin_host::{CallContext, CallError, CallErrorKind, Grants, HttpGrant, HttpRule, Kind, Limits, Plugin, Scheme};
use serde::Serialize;

use crate::ToolError;
pub use case::{
    AspectForm, Case, CommandForm, GateCase, HealthCase, Keeper, MeasuredForm, ScriptedAnswer, SeriesForm, TargetCase, UsualForm,
    WorldForm,
};
use world::World;

/// How long an ordinary call may take. Far more than one needs: what is asked is whether it ends well, not how soon.
const CALL_MS: u32 = 30_000;

/// How long a call may take in a world that does not answer.
const SHORT_MS: u32 = 1_500;

/// How long a watch has gone on when a health check looks for the first time, in milliseconds.
const WATCHED_MS: i64 = 60_000;

/// How much later than its deadline a call may end and still be said to have kept it.
const SLACK: Duration = Duration::from_secs(2);

/// What is proven, and how.
#[derive(Clone, Debug, Default)]
pub struct TestOptions {
    /// The component.
    pub component: Vec<u8>,
    /// The case; without one, what can be asked of every plugin is asked.
    pub case: Option<Vec<u8>>,
    /// The folder of the case's file: those that it names are looked for there.
    pub folder: PathBuf,
    /// Where compiled components are kept; `None` compiles it anew.
    pub cache_dir: Option<PathBuf>,
}

/// One thing that was asked of the plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Proof {
    /// Of which of its kinds.
    pub kind: Kind,
    /// What must hold.
    pub check: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It holds.
    Holds,
    /// It does not: what was seen.
    Broken(String),
    /// It could not be asked: what the case lacks.
    NotAsked(String),
}

/// Has the plugin prove itself. `now_ms` gives the time: deadlines are absolute.
pub async fn test(options: &TestOptions, now_ms: fn() -> i64) -> Result<Vec<Proof>, ToolError> {
    let case = options.case.as_deref().map_or_else(|| Ok(Case::default()), Case::read)?;
    let started_ms = now_ms().saturating_sub(WATCHED_MS);
    let world = World::start(started_ms).await.map_err(|source| ToolError::World { source })?;
    let host = crate::host::start_in(options.cache_dir.as_deref(), &Arc::new(world.stage()))?;
    let plugin = host.load(&options.component)?;
    let bench = Bench { plugin, case, world, folder: options.folder.clone(), now_ms, started_ms };
    let mut proofs = Vec::new();
    for kind in bench.plugin.manifest().kinds.clone() {
        let mut list = List { kind, proofs: Vec::new() };
        match kind {
            Kind::Gate => gate::prove(&bench, &mut list).await?,
            Kind::Health => health::prove(&bench, &mut list).await?,
            Kind::Target => target::prove(&bench, &mut list).await?,
        }
        proofs.append(&mut list.proofs);
    }
    Ok(proofs)
}

/// The plugin, and the world that it is put into.
struct Bench {
    plugin: Plugin,
    case: Case,
    world: World,
    folder: PathBuf,
    now_ms: fn() -> i64,
    /// When the watch of the health check's looks began, in Unix milliseconds.
    started_ms: i64,
}

/// What was asked so far.
struct List {
    kind: Kind,
    proofs: Vec<Proof>,
}

impl List {
    /// Notes what came of a question: an error is the sentence that says what was seen.
    fn note(&mut self, check: &'static str, came_of_it: Result<(), String>) {
        let outcome = came_of_it.map_or_else(Outcome::Broken, |()| Outcome::Holds);
        self.proofs.push(Proof { kind: self.kind, check, outcome });
    }

    fn not_asked(&mut self, check: &'static str, why: &str) {
        self.proofs.push(Proof { kind: self.kind, check, outcome: Outcome::NotAsked(why.to_owned()) });
    }
}

impl Bench {
    /// Returns the case's settings, with the world's address in them.
    fn settings(&self) -> String {
        self.case.settings.to_string().replace("{world}", self.world.address())
    }

    /// Returns a context with these settings and this much time.
    fn context(&self, settings: String, time_ms: u32) -> CallContext {
        CallContext {
            service: "web".to_owned(),
            environment: "test".to_owned(),
            settings,
            deployment: "d-1".to_owned(),
            operation_key: "d-1/step/1".to_owned(),
            fence: 1,
            attempt: 1,
            deadline_ms: (self.now_ms)().saturating_add(i64::from(time_ms)),
            ..CallContext::default()
        }
    }

    /// Returns the case's grants, and the world.
    fn grants(&self) -> Grants {
        let (host, port) = self.world.address().split_once(':').expect("BUG: an address has a port");
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].map(str::to_owned).to_vec();
        let rule = HttpRule {
            scheme: Scheme::Http,
            host: host.to_owned(),
            port: port.parse().ok(),
            methods,
            path: "/".to_owned(),
            private: true,
            response_bytes_max: None,
            timeout_ms: None,
            credentials: None,
        };
        let http = Some(HttpGrant { subjects: true, allow: vec![rule] });
        let world = Grants { http, runtime: true, telemetry: true, ..Grants::default() };
        self.case.grants.merged(&world).merged(&self.world.program_grants())
    }

    /// Waits until a call has ended that had little time, and returns a sentence when it took more than that.
    async fn within_its_time<T>(&self, call: impl Future<Output = T>) -> (T, Result<(), String>) {
        let begun = (self.now_ms)();
        let said = call.await;
        let took = (self.now_ms)().saturating_sub(begun);
        let slack = i64::from(SHORT_MS) + i64::try_from(SLACK.as_millis()).unwrap_or(i64::MAX);
        (said, if took <= slack { Ok(()) } else { Err(format!("it took {took} ms of {SHORT_MS}")) })
    }
}

/// Returns a sentence when a call ended in a crash, or in more than a call may have: a plugin says what is wrong.
fn civil<T>(came_of_it: &Result<T, CallError>) -> Result<(), String> {
    match came_of_it {
        Ok(_) => Ok(()),
        Err(error) => match error.kind {
            CallErrorKind::Refused { .. } | CallErrorKind::Forbidden { .. } | CallErrorKind::Deadline { .. } => Ok(()),
            CallErrorKind::Trap { .. }
            | CallErrorKind::Limit { .. }
            | CallErrorKind::Malformed { .. }
            | CallErrorKind::Kind { .. }
            | CallErrorKind::NotAsked { .. }
            | CallErrorKind::Busy { .. }
            | CallErrorKind::Host { .. } => Err(format!("{error}{}", last_line(error))),
        },
    }
}

/// Returns what the plugin logged last: the reason for most crashes.
fn last_line(error: &CallError) -> String {
    error.log.last().map(|line| format!(" (it logged: {})", line.message)).unwrap_or_default()
}

/// Returns how many bytes of state may be kept.
fn state_bytes_max() -> usize {
    Limits::default().state_bytes
}
