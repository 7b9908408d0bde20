//! What every target owes: it converges, from wherever it was stopped, and never goes back behind what it has seen.

use plugin_host::{CallContext, Desired, Fencing, Observation, Progress};
use towpath_sdk::testing::worlds::Fault;

use super::{Bench, CALL_MS, List, SHORT_MS, WorldForm, common};
use crate::ToolError;

/// Calls until a target must have converged: none of the waits that it asks for are made.
const CALLS_MAX: u32 = 40;

/// Writes after which the world fails, one after the other: a target that writes more often is stopped in some of its middle.
const STOPS: u32 = 8;

/// The fence of the first state.
const FENCE: u64 = 10;

/// What only a target with native fencing can do.
const OLDER: &str = "an older generation changes nothing";
const LATE: &str = "a write that arrives late changes nothing";

pub(super) async fn prove(bench: &Bench, list: &mut List) -> Result<(), ToolError> {
    let settings = bench.settings();
    let described = bench.plugin.describe(&bench.context(settings.clone(), CALL_MS), &bench.grants()).await;
    let descriptor = match described.map(|called| called.answer) {
        Ok(Ok(descriptor)) => Ok(descriptor),
        Ok(Err(fault)) => Err(fault.message),
        Err(error) => Err(error.to_string()),
    };
    list.note("it says what it can do", descriptor.clone().map(drop));
    list.note("settings that nobody knows are a fault", bad_settings(bench, &common::with_unknown(&settings)).await);
    let mut broken = Ok(());
    for text in common::NO_SETTINGS {
        let said = bad_settings(bench, text).await;
        broken = broken.and(said.map_err(|why| format!("with the settings {text}: {why}")));
    }
    list.note("what is no settings is a fault", broken);
    let desired: Vec<_> = bench.case.target.desired.iter().map(Desired::from).collect();
    let [first, second] = &desired[..] else {
        list.not_asked("it converges", "the case names no states in `target.desired`");
        return Ok(());
    };
    list.note("it converges, and observes what it brought about", converges(bench, first).await);
    list.note("to be asked again changes nothing", idempotent(bench, first).await);
    list.note("a look has no effect", looks(bench, first, second).await);
    list.note("what is gone is not observed", truth(bench, first).await);
    list.note("it goes on from a lost answer", lost_answer(bench, first, second).await);
    list.note("it goes on from wherever it was stopped", half_done(bench, first, second).await);
    list.note("nothing is a state, too", nothing(bench, first).await);
    match descriptor.map(|descriptor| descriptor.fencing) {
        Ok(Fencing::Native) => {
            list.note(OLDER, older(bench, first, second).await);
            list.note(LATE, late(bench, first, second).await);
        }
        Ok(Fencing::Quiesce) => {
            for check in [OLDER, LATE] {
                list.not_asked(check, "it says that it cannot: its fencing is `quiesce`");
            }
        }
        Err(_) => {}
    }
    list.note("it ends by its deadline in a world that is silent, and is not converged", silent(bench, first).await);
    Ok(())
}

/// One call.
#[derive(Clone, Copy)]
struct Call<'a> {
    desired: &'a Desired,
    fence: u64,
    attempt: u32,
    unknown: bool,
    time_ms: u32,
}

impl<'a> Call<'a> {
    fn new(desired: &'a Desired, fence: u64) -> Self {
        Self { desired, fence, attempt: 1, unknown: false, time_ms: CALL_MS }
    }

    fn context(&self, bench: &Bench) -> CallContext {
        CallContext {
            operation_key: format!("d-1/step/{}", self.fence),
            fence: self.fence,
            attempt: self.attempt,
            outcome_unknown: self.unknown,
            ..bench.context(bench.settings(), self.time_ms)
        }
    }

    async fn reconcile(&self, bench: &Bench) -> Result<Progress, String> {
        let called = bench.plugin.reconcile(&self.context(bench), self.desired, &bench.grants()).await;
        called.map(|called| called.answer).map_err(|error| error.to_string())
    }

    /// Asks until it is no longer on its way; faults that may pass are tried again, as the engine does.
    async fn settle(mut self, bench: &Bench) -> Result<Progress, String> {
        let mut last = String::new();
        for _ in 0..CALLS_MAX {
            match self.reconcile(bench).await {
                Ok(Progress::InProgress(pending)) => last = pending.message,
                Ok(Progress::Failed(fault)) if fault.retryable => last = fault.message,
                Ok(progress) => return Ok(progress),
                Err(error) => {
                    last = error;
                    self.unknown = true;
                }
            }
            self.attempt += 1;
        }
        Err(format!("it is still on its way after {CALLS_MAX} calls: {last}"))
    }

    async fn converge(self, bench: &Bench) -> Result<Observation, String> {
        match self.settle(bench).await? {
            Progress::Converged(seen) => Ok(seen),
            Progress::InProgress(pending) => Err(pending.message),
            Progress::Failed(fault) => Err(format!("it failed: {}", fault.message)),
            Progress::Superseded { highest_fence } => {
                Err(format!("it says that it has seen fence {highest_fence}, this is {}", self.fence))
            }
        }
    }
}

async fn observe(bench: &Bench) -> Result<Observation, String> {
    let context = CallContext { operation_key: String::new(), fence: 0, ..bench.context(bench.settings(), CALL_MS) };
    let called = bench.plugin.observe(&context, &bench.grants()).await.map_err(|error| error.to_string())?;
    called.answer.map_err(|fault| fault.message)
}

/// Returns a sentence unless exactly the releases of the state were seen.
fn shows(seen: &Observation, desired: &Desired) -> Result<(), String> {
    let found: Vec<_> = seen.sides.iter().map(|side| (side.side.as_str(), side.release.as_str())).collect();
    let sides = [("stable", &desired.stable), ("candidate", &desired.candidate)];
    let wanted: Vec<_> = sides.iter().filter_map(|(name, side)| Some((*name, side.as_ref()?.release.as_str()))).collect();
    let all = wanted.iter().all(|one| found.contains(one)) && found.iter().all(|one| wanted.contains(one));
    if all { Ok(()) } else { Err(format!("it shows {found:?}, wanted were {wanted:?}")) }
}

fn begin_anew(bench: &Bench) {
    bench.world.reset(bench.case.target.keeps, &WorldForm::default());
}

async fn bad_settings(bench: &Bench, settings: &str) -> Result<(), String> {
    begin_anew(bench);
    let context = bench.context(settings.to_owned(), CALL_MS);
    let described = bench.plugin.describe(&context, &bench.grants()).await.map_err(|error| error.to_string())?;
    if described.answer.is_ok() {
        return Err("it described itself".to_owned());
    }
    let called =
        bench.plugin.reconcile(&context, &Desired::default(), &bench.grants()).await.map_err(|error| error.to_string())?;
    match called.answer {
        Progress::Failed(_) if bench.world.writes() == 0 => Ok(()),
        other => Err(format!("it answered {other:?} after {} writes", bench.world.writes())),
    }
}

async fn converges(bench: &Bench, desired: &Desired) -> Result<(), String> {
    begin_anew(bench);
    shows(&Call::new(desired, FENCE).converge(bench).await?, desired)?;
    shows(&observe(bench).await?, desired)
}

async fn idempotent(bench: &Bench, desired: &Desired) -> Result<(), String> {
    begin_anew(bench);
    Call::new(desired, FENCE).converge(bench).await?;
    let before = bench.world.kept();
    for attempt in 2..5 {
        Call { attempt, ..Call::new(desired, FENCE) }.converge(bench).await?;
    }
    if before == bench.world.kept() { Ok(()) } else { Err("the world is another one".to_owned()) }
}

async fn looks(bench: &Bench, first: &Desired, second: &Desired) -> Result<(), String> {
    begin_anew(bench);
    Call::new(first, FENCE).converge(bench).await?;
    let before = bench.world.writes();
    observe(bench).await?;
    let context = Call::new(second, FENCE + 1).context(bench);
    let preview = bench.plugin.preview(&context, second, &bench.grants()).await.map_err(|error| error.to_string())?;
    let changes = preview.answer.map_err(|fault| fault.message)?;
    match bench.world.writes() - before {
        0 if changes.is_empty() => Err("its preview of another state is empty".to_owned()),
        0 => Ok(()),
        writes => Err(format!("it wrote {writes} times")),
    }
}

async fn truth(bench: &Bench, desired: &Desired) -> Result<(), String> {
    begin_anew(bench);
    Call::new(desired, FENCE).converge(bench).await?;
    bench.world.forget();
    shows(&observe(bench).await?, &Desired::default())?;
    shows(&Call { attempt: 2, ..Call::new(desired, FENCE) }.converge(bench).await?, desired)
}

async fn lost_answer(bench: &Bench, first: &Desired, second: &Desired) -> Result<(), String> {
    begin_anew(bench);
    Call::new(first, FENCE).converge(bench).await?;
    bench.world.set_fault(Fault::LoseOneAnswer);
    shows(&Call::new(second, FENCE + 1).converge(bench).await?, second)?;
    if !bench.world.fault_happened() {
        return Err("it wrote nothing to the world, so no answer could be lost".to_owned());
    }
    shows(&observe(bench).await?, second)
}

async fn half_done(bench: &Bench, first: &Desired, second: &Desired) -> Result<(), String> {
    for stop in 0..STOPS {
        begin_anew(bench);
        Call::new(first, FENCE).converge(bench).await?;
        bench.world.set_fault(Fault::FailAfter(stop));
        for attempt in 1..4 {
            // It cannot come to an end; what is asked is that it goes on from there.
            let progress = Call { attempt, ..Call::new(second, FENCE + 1) }.reconcile(bench).await;
            if let Ok(Progress::Converged(_)) = progress {
                // It may have done all with fewer writes; whether it has, the world says.
                let seen = observe(bench).await?;
                shows(&seen, second).map_err(|why| format!("stopped after {stop} writes, it said converged, but {why}"))?;
            }
        }
        let happened = bench.world.fault_happened();
        bench.world.set_fault(Fault::None);
        let went_on = Call { attempt: 4, unknown: true, ..Call::new(second, FENCE + 1) };
        let seen = went_on.converge(bench).await.map_err(|why| format!("stopped after {stop} writes: {why}"))?;
        shows(&seen, second)?;
        if !happened {
            break;
        }
    }
    Ok(())
}

async fn nothing(bench: &Bench, first: &Desired) -> Result<(), String> {
    begin_anew(bench);
    Call::new(first, FENCE).converge(bench).await?;
    let nothing = Desired::default();
    shows(&Call::new(&nothing, FENCE + 1).converge(bench).await?, &nothing)?;
    shows(&observe(bench).await?, &nothing)
}

async fn older(bench: &Bench, first: &Desired, second: &Desired) -> Result<(), String> {
    begin_anew(bench);
    Call::new(first, FENCE).converge(bench).await?;
    let before = bench.world.kept();
    let said = Call::new(second, FENCE - 1).settle(bench).await;
    if before != bench.world.kept() {
        return Err("the world is another one".to_owned());
    }
    match said? {
        Progress::Superseded { highest_fence: FENCE } => Ok(()),
        other => Err(format!("it answered {other:?}, expected that it has seen fence {FENCE}")),
    }
}

/// A write of an older generation is on its way for so long that a newer one has come to its end.
async fn late(bench: &Bench, first: &Desired, second: &Desired) -> Result<(), String> {
    for writes in 0..STOPS {
        begin_anew(bench);
        Call::new(first, FENCE).converge(bench).await?;
        bench.world.set_fault(Fault::HoldAfter(writes));
        for attempt in 1..4 {
            // What the older one makes of it plays no part.
            let progress = Call { attempt, ..Call::new(second, FENCE + 1) }.reconcile(bench).await;
            if bench.world.fault_happened() || matches!(progress, Ok(Progress::Converged(_))) {
                break;
            }
        }
        if !bench.world.fault_happened() {
            break;
        }
        Call { unknown: true, ..Call::new(first, FENCE + 2) }.converge(bench).await?;
        let before = bench.world.kept();
        bench.world.deliver();
        if before != bench.world.kept() {
            return Err(format!("the write after {writes} others came when a newer generation was done, and was taken"));
        }
    }
    Ok(())
}

async fn silent(bench: &Bench, desired: &Desired) -> Result<(), String> {
    begin_anew(bench);
    bench.world.set_fault(Fault::Silent);
    let call = Call { time_ms: SHORT_MS, ..Call::new(desired, FENCE) };
    let (said, kept) = bench.within_its_time(call.reconcile(bench)).await;
    kept?;
    match said {
        Ok(Progress::Converged(_)) => Err("it says that it converged".to_owned()),
        Ok(_) | Err(_) => Ok(()),
    }
}
