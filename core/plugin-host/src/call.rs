//! One call: a fresh store, its limits, its deadline, and what became of it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime::{Store, Trap};
use wasmtime_wasi::WasiCtx;

use crate::error::{CallErrorKind, Limited};
use crate::host::Shared;
use crate::limits::{Limiter, Limits};
use crate::pace::{Effort, Spent};
use crate::schedule::Turn;
use crate::transcript::{self, Transcript};
use crate::types::Words;
use crate::usage::{Asker, Caller, PowerUse, Refusable, UseOutcome};
use crate::{CallContext, CallError, Called, GrantsInForce, RuntimeScope, clock};

/// How wasmtime says that a guest handed over more than its allowance.
const TOO_MUCH_DATA: &str = "too much data is being copied";

/// How wasmtime says that an export has the right name and another type; it was not called.
const OTHER_TYPE: &str = "failed to convert function to given type";

/// What a call is for; it decides what the powers may do beyond what was granted.
pub(crate) enum Purpose {
    /// To find something out.
    Look,
    /// To judge what runs at these endpoints.
    Judge(Vec<String>),
    /// To change the world.
    Change,
}

/// What a call runs with.
pub(crate) struct Setting<'a> {
    pub(crate) host: &'a Arc<Shared>,
    /// The plugin's digest: calls of one plugin share its turns.
    pub(crate) plugin: &'a str,
    /// What its calls have computed lately.
    pub(crate) spent: &'a Arc<Spent>,
    /// Whose call it is: what it asks for, and where its uses are counted.
    pub(crate) asker: &'a Arc<Asker>,
    pub(crate) context: &'a CallContext,
    pub(crate) grants: GrantsInForce,
    pub(crate) purpose: Purpose,
    /// The digests of the artifacts that the call is about.
    pub(crate) artifacts: Vec<String>,
}

/// The data of one store: everything that host functions see.
pub(crate) struct CallState {
    pub(crate) grants: GrantsInForce,
    pub(crate) asker: Arc<Asker>,
    pub(crate) purpose: Purpose,
    pub(crate) scope: RuntimeScope,
    pub(crate) operation_key: String,
    pub(crate) fence: u64,
    pub(crate) artifacts: Vec<String>,
    pub(crate) deadline: Instant,
    pub(crate) transcript: transcript::Shared,
    pub(crate) host: Arc<Shared>,
    pub(crate) wasi: Option<WasiCtx>,
    pub(crate) table: ResourceTable,
    /// What came of the use that is going on, in a few words, where there is more to say than that it was done.
    pub(crate) told: String,
    witness: Arc<Witness>,
    limiter: Limiter,
}

/// Writes down what powers are used for: in the call's trace, and for the plugin's page.
struct Witness {
    transcript: transcript::Shared,
    asker: Arc<Asker>,
    caller: Caller,
}

/// A use that is going on; written down when it is dropped, also where the call ends in the middle of it.
struct Going {
    witness: Arc<Witness>,
    used: PowerUse,
    begun: Instant,
}

/// Why a lifted answer is not taken, or what stopped the guest.
pub(crate) enum Failure {
    /// The guest was stopped, or stopped by itself.
    Guest(wasmtime::Error),
    /// Its answer breaks the contract.
    Malformed(String),
    /// It did not begin: too many others wait.
    Busy(String),
}

impl From<wasmtime::Error> for Failure {
    fn from(error: wasmtime::Error) -> Self {
        Self::Guest(error)
    }
}

/// Runs one call. Dropping the future ends the call and closes its connections.
pub(crate) async fn run<T, F>(setting: Setting<'_>, work: impl FnOnce(Store<CallState>) -> F) -> Result<Called<T>, CallError>
where
    T: Words,
    F: Future<Output = Result<T, Failure>>,
{
    let begun = Instant::now();
    let (host, asker) = (setting.host, Arc::clone(setting.asker));
    let allowed = allowed(setting.context, &host.limits);
    let transcript = Arc::new(Transcript::new(&host.limits));
    let deadline = begun + allowed;
    let attempt = async {
        let _turn = turn(&setting, deadline).await?;
        let _ticking = host.ticker.begin();
        work(store(setting, deadline, &transcript)).await
    };
    let ended = tokio::time::timeout_at(deadline, attempt).await;
    // A refused power fails the call even when the guest went on without it: an answer made without it cannot be trusted.
    let outcome = match (transcript.stopped(), ended) {
        (Some(stopped), _) => Err(stopped),
        (None, Err(_)) => Err(CallErrorKind::Deadline { milliseconds: u64::try_from(allowed.as_millis()).unwrap_or(u64::MAX) }),
        (None, Ok(Err(failure))) => Err(printable(kind_of(failure, &host.limits), &transcript)),
        (None, Ok(Ok(mut answer))) => {
            let hidden = transcript.revealed.hide_in(&mut answer);
            hidden.map(|()| answer).map_err(|message| CallErrorKind::Malformed { message })
        }
    };
    let (log, uses, measurements) = (transcript.take_log(), transcript.take_uses(), transcript.take_measurements());
    let elapsed_us = micros(begun.elapsed());
    asker.ended(outcome.is_ok());
    match outcome {
        Ok(answer) => Ok(Called { answer, log, uses, measurements, elapsed_us }),
        Err(kind) => Err(CallError { kind, outcome_unknown: transcript.sent(), log, measurements, uses, elapsed_us }),
    }
}

/// Waits for the call's turn, at most until its deadline. Calls of one deployment stand in one line; where there is none, those of
/// one service and environment.
async fn turn(setting: &Setting<'_>, deadline: Instant) -> Result<Turn, Failure> {
    let Setting { host, plugin, context, .. } = setting;
    let line = match context.deployment.as_str() {
        "" => format!("{}/{}", context.service, context.environment),
        deployment => deployment.to_owned(),
    };
    match tokio::time::timeout_at(deadline, host.calls.turn(&line, plugin)).await {
        Ok(turn) => turn.map_err(|crowded| Failure::Busy(crowded.to_string())),
        Err(_) => Err(Failure::Busy("its turn did not come before its deadline, too many others run".to_owned())),
    }
}

/// Returns how long the call may take.
fn allowed(context: &CallContext, limits: &Limits) -> Duration {
    let left = context.deadline_ms.saturating_sub(clock::now_ms());
    Duration::from_millis(u64::try_from(left).unwrap_or(0).min(limits.call_ms))
}

fn store(setting: Setting<'_>, deadline: Instant, transcript: &transcript::Shared) -> Store<CallState> {
    let host = setting.host;
    let mut effort = Effort::new(&host.pace, setting.spent);
    let mut store = Store::new(&host.engine, state(setting, deadline, transcript));
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(host.limits.output_bytes);
    // A guest that computes gives way at every tick; the time limit around the call then ends it.
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |_| Ok(effort.tick()));
    store
}

fn state(setting: Setting<'_>, deadline: Instant, transcript: &transcript::Shared) -> CallState {
    let Setting { host, asker, context, grants, purpose, artifacts, .. } = setting;
    let mut table = ResourceTable::new();
    table.set_max_capacity(host.limits.resources);
    CallState {
        grants,
        asker: Arc::clone(asker),
        purpose,
        scope: RuntimeScope { service: context.service.clone(), environment: context.environment.clone() },
        operation_key: context.operation_key.clone(),
        fence: context.fence,
        artifacts,
        deadline,
        transcript: Arc::clone(transcript),
        host: Arc::clone(host),
        wasi: None,
        table,
        told: String::new(),
        witness: Arc::new(Witness { transcript: Arc::clone(transcript), asker: Arc::clone(asker), caller: caller(context) }),
        limiter: Limiter {
            memory_bytes: host.limits.memory_bytes,
            table_elements: host.limits.table_elements,
            memory_used: 0,
            transcript: Arc::clone(transcript),
        },
    }
}

fn caller(context: &CallContext) -> Caller {
    let CallContext { deployment, service, environment, .. } = context;
    Caller { deployment: deployment.clone(), service: service.clone(), environment: environment.clone() }
}

/// Returns a time in whole microseconds.
fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn kind_of(failure: Failure, limits: &Limits) -> CallErrorKind {
    let error = match failure {
        Failure::Malformed(message) => return CallErrorKind::Malformed { message },
        Failure::Busy(message) => return CallErrorKind::Busy { message },
        Failure::Guest(error) => error,
    };
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::StackOverflow => CallErrorKind::Limit { what: Limited::Stack, limit: limits.stack_bytes as u64 },
            trap => CallErrorKind::Trap { message: trap.to_string() },
        };
    }
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return CallErrorKind::Host { message: error.to_string() };
    }
    let cause = error.root_cause().to_string();
    if format!("{error}").contains(OTHER_TYPE) {
        return CallErrorKind::Malformed { message: format!("it does not export what towpath:plugin has: {error:#}") };
    }
    if cause.contains(TOO_MUCH_DATA) {
        return CallErrorKind::Limit { what: Limited::Output, limit: limits.output_bytes as u64 };
    }
    CallErrorKind::Trap { message: cause }
}

/// Returns an error as it may be kept: its message may hold words of the guest, as the name of a measurement that is no number does.
fn printable(mut kind: CallErrorKind, transcript: &Transcript) -> CallErrorKind {
    match &mut kind {
        CallErrorKind::Malformed { message } | CallErrorKind::Trap { message } => *message = transcript.printable(message),
        CallErrorKind::Deadline { .. }
        | CallErrorKind::Limit { .. }
        | CallErrorKind::Refused { .. }
        | CallErrorKind::Forbidden { .. }
        | CallErrorKind::NotAsked { .. }
        | CallErrorKind::Kind { .. }
        | CallErrorKind::Busy { .. }
        | CallErrorKind::Host { .. } => {}
    }
    kind
}

impl Witness {
    fn note(&self, used: PowerUse) {
        let used = self.transcript.cleaned(used);
        tracing::debug!(target: "plugin", power = used.power, what = used.what, outcome = ?used.outcome, "used");
        self.asker.used(&used, &self.caller);
        self.transcript.used(used);
    }
}

impl Going {
    fn begin(witness: Arc<Witness>, power: &'static str, what: String) -> Self {
        let outcome = UseOutcome::Failed("the call ended before it did".to_owned());
        let used = PowerUse { power, what, outcome, told: String::new(), times: 1, at_ms: clock::now_ms(), elapsed_us: 0 };
        Self { witness, used, begun: Instant::now() }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.used.elapsed_us = micros(self.begun.elapsed());
        self.witness.note(self.used.clone());
    }
}

impl CallState {
    /// Counts a host call; every host function begins with it.
    pub(crate) fn enter(&self) -> wasmtime::Result<()> {
        let limit = self.host.limits.host_calls;
        if self.transcript.count_host_call() > limit {
            return Err(self.transcript.limited(Limited::HostCalls, u64::from(limit)));
        }
        Ok(())
    }

    /// Runs one use of a power and writes down what it was, when it was, how long it took and what came of it.
    ///
    /// `what` names what was asked, without anything secret.
    pub(crate) async fn using<T, E>(
        &mut self,
        power: &'static str,
        what: String,
        use_it: impl AsyncFnOnce(&mut Self) -> wasmtime::Result<Result<T, E>>,
    ) -> wasmtime::Result<Result<T, E>>
    where
        E: Refusable,
    {
        self.enter()?;
        self.told.clear();
        let mut going = Going::begin(self.witness.clone(), power, what);
        let came_of_it = use_it(self).await?;
        going.used.outcome = match &came_of_it {
            Ok(_) => UseOutcome::Done,
            Err(error) if error.is_refusal() => UseOutcome::Refused(error.sentence()),
            Err(error) => UseOutcome::Failed(error.sentence()),
        };
        going.used.told = std::mem::take(&mut self.told);
        Ok(came_of_it)
    }

    /// Writes down the use of a power that reaches nothing outside and began so long ago.
    pub(crate) fn used_quietly(&self, power: &'static str, what: String, granted: bool, elapsed: Duration) {
        let outcome = if granted { UseOutcome::Done } else { UseOutcome::Refused("it was taken away".to_owned()) };
        let at_ms = clock::now_ms().saturating_sub(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX));
        self.witness.note(PowerUse { power, what, outcome, told: String::new(), times: 1, at_ms, elapsed_us: micros(elapsed) });
    }

    /// Notes the use of a power that was not granted and returns the sentence that the guest is told.
    pub(crate) fn refuse(&self, power: &'static str, mut reason: String, mut line: String) -> String {
        // Both hold words of the guest, and the call's error is read by many.
        self.transcript.revealed.hide(&mut reason);
        self.transcript.revealed.hide(&mut line);
        let kind = CallErrorKind::Refused { power, reason, line };
        let sentence = kind.to_string();
        self.transcript.stop(kind);
        sentence
    }

    /// The same for what no line to copy should open.
    pub(crate) fn forbid(&self, power: &'static str, mut reason: String) -> String {
        self.transcript.revealed.hide(&mut reason);
        let kind = CallErrorKind::Forbidden { power, reason };
        let sentence = kind.to_string();
        self.transcript.stop(kind);
        sentence
    }

    /// Notes the use of a power that the manifest does not ask for and returns the sentence that the guest is told.
    pub(crate) fn not_asked_for(&self, power: &'static str) -> String {
        let kind = CallErrorKind::NotAsked { power };
        let sentence = kind.to_string();
        self.transcript.stop(kind);
        sentence
    }

    /// Returns how much of a wish for time the call's deadline leaves.
    pub(crate) fn time_left(&self, wanted_ms: u32) -> Duration {
        Duration::from_millis(u64::from(wanted_ms)).min(self.deadline.saturating_duration_since(Instant::now()))
    }
}

/// States for the tests of powers: service `web` in `test`, fence 7, to find something out.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::{Grants, Options, PluginHost, RuntimeBackend};

    /// How long the call may take.
    pub(crate) const ALLOWED: Duration = Duration::from_secs(10);

    pub(crate) fn state(grants: Grants, limits: Limits) -> CallState {
        state_with(grants, limits, None)
    }

    pub(crate) fn state_with(grants: Grants, limits: Limits, runtime: Option<Arc<dyn RuntimeBackend>>) -> CallState {
        state_on(grants, Options { limits, runtime, ..Options::default() })
    }

    pub(crate) fn state_on(grants: Grants, options: Options) -> CallState {
        let transcript = Arc::new(Transcript::new(&options.limits));
        let host = PluginHost::new(options).expect("a host").shared();
        let context = CallContext {
            service: "web".to_owned(),
            environment: "test".to_owned(),
            operation_key: "key".to_owned(),
            fence: 7,
            ..CallContext::default()
        };
        let asker = Arc::new(Asker::new(crate::powers::NAMES));
        let setting = Setting {
            host: &host,
            plugin: "sha256:0",
            spent: &Arc::default(),
            asker: &asker,
            context: &context,
            grants: grants.into(),
            purpose: Purpose::Look,
            artifacts: Vec::new(),
        };
        super::state(setting, Instant::now() + ALLOWED, &transcript)
    }
}
