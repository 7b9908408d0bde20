//! Storms: two engines on one store, which die, lose their lease and come back, on machines whose clocks jump; a store that fails,
//! forgets to answer and is slow; a target that is slow, lags, lies once, loses answers, takes a call twice and does late what was
//! given up; people who say anything. Then everything heals, and every deployment must have come to its end, with every invariant of
//! its journal and of the target.
//!
//! A storm is made from its seed and can be had again, line by line.

mod transcript;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::{Clock, CommandRequest, Engine, EngineOptions, Handle, limits};
use futures_util::StreamExt;
use journal::{DeploymentFilter, RequestId, Store};
use machine::invariants::{check_end, check_history};
use model::{Command, DeploymentId, Plan};
use test_world::rng::Rng;
use tokio::time::Instant;

use crate::support::bench::{ask_to_start, end, events, start};
use crate::support::clock::PausedClock;
use crate::support::driver::Answer;
use crate::support::plans::Builder;
use crate::support::store::Fault;
use crate::support::{Bench, actor};

use transcript::Transcript;

/// Storms in each run of the tests.
const STORMS: u64 = 60;

/// Names other storms to have instead.
const SEEDS: &str = "SEEDS";

/// Moves of the weather in a storm.
const MOVES: usize = 60;

/// Deployments that are asked for in a storm.
const DEPLOYMENTS_MAX: usize = 6;

/// What they are deployments of. Their scopes fall into shards of their own, so that two engines share them.
const SERVICES: [&str; 3] = ["web", "api", "shop"];

/// The most that a clock is set wrong, in milliseconds: minutes, as a machine without time service may be.
const CLOCK_WRONG_MAX: usize = 10 * 60 * 1_000;

/// The longest that a deployment may take once everything is healed: longer than every deadline of its plan.
const PATIENCE: Duration = Duration::from_secs(24 * 3_600);

/// By when everything has landed that is done late, and every letter is too old to be read.
const LATE_MAX: Duration = Duration::from_millis(1 << 16);

/// How often a request is made again, a second apart: many lifetimes of a lease.
const TRIES_MAX: u32 = 120;

/// An engine, with the clock of the machine that it runs on.
struct Running {
    engine: Engine,
    clock: PausedClock,
}

struct Storm {
    rng: Rng,
    bench: Bench,
    engines: Vec<Running>,
    started: usize,
    requested: Vec<(String, DeploymentId)>,
}

impl Storm {
    async fn gather(seed: u64) -> Self {
        let (bench, engine) = Bench::with_stable().await;
        for service in &SERVICES[1..] {
            let first = start(&engine.handle(), Builder::new(1).service(service).straight()).await;
            assert_eq!(end(&engine.handle(), &first).await.phase().as_str(), "succeeded");
        }
        engine.shutdown().await;
        let mut storm = Self { rng: Rng::new(seed), bench, engines: Vec::new(), started: 0, requested: Vec::new() };
        storm.start_engine().await;
        storm.start_engine().await;
        let trouble = *storm.rng.pick(&[5, 20, 40]);
        let (weather, raging) = (std::sync::Mutex::new(Rng::new(!seed)), AtomicBool::new(true));
        let raging = Arc::new(raging);
        storm.bench.driver.follow(move |_| {
            let mut rng = weather.lock().unwrap();
            let time = Duration::from_millis(1 << rng.below(16));
            match (raging.load(Ordering::Relaxed) && rng.chance(trouble), rng.below(8)) {
                (false, _) => Answer::Truth,
                (true, 0) => Answer::Slow(time),
                (true, 1) => Answer::Forget,
                (true, 2) => Answer::FailBefore,
                (true, 3) => Answer::Late(time),
                (true, 4) => Answer::Twice,
                (true, 5) => Answer::Lie,
                (true, 6) => Answer::Lag(time),
                (true, _) => Answer::Silence,
            }
        });
        let healthy = storm.rng.chance(60);
        storm.bench.driver.set_healthy(healthy);
        storm
    }

    /// Starts one more engine, if the store lets it.
    async fn start_engine(&mut self) {
        let name = format!("engine-{}", self.started);
        tracing::info!("the storm starts {name}");
        self.started += 1;
        let clock = self.bench.clock.another();
        let options = EngineOptions { replicated: true, clock: Arc::new(clock.clone()), ..self.bench.options(&name) };
        if let Ok(engine) = Engine::start(options).await {
            self.engines.push(Running { engine, clock });
        }
    }

    fn handle(&mut self) -> Option<Handle> {
        if self.engines.is_empty() {
            return None;
        }
        let index = self.rng.below(self.engines.len());
        Some(self.engines[index].engine.handle())
    }

    async fn rage(&mut self) {
        for _ in 0..MOVES {
            match self.rng.below(13) {
                0..3 => self.request().await,
                3..5 => self.say_something().await,
                5 => self.kill_an_engine().await,
                6 => self.start_engine().await,
                7 => self.disturb_appends(),
                8 => self.bench.store.fail_loads(self.rng.below(6) as u64),
                9 => self.bench.store.fail_renewals(self.rng.below(30) as u64),
                10 => {
                    self.bench.store.slow_down(Duration::from_millis(1 << self.rng.below(12)));
                    self.bench.store.slow_down_loads(Duration::from_millis(1 << self.rng.below(12)));
                }
                11 => self.set_a_clock(),
                _ => self.bench.store.heal(),
            }
            tokio::time::sleep(Duration::from_millis(1 << self.rng.below(15))).await; // tidy: the storm's own pace
        }
    }

    /// Sets the clock of an engine's machine, or the store's: it jumps, and is wrong from then on.
    fn set_a_clock(&mut self) {
        let wrong_by = i64::try_from(self.rng.below(2 * CLOCK_WRONG_MAX)).unwrap() - i64::try_from(CLOCK_WRONG_MAX).unwrap();
        let index = self.rng.below(self.engines.len() + 1);
        tracing::info!(index, wrong_by, "the storm sets a clock");
        self.engines.get(index).map_or(&self.bench.clock, |running| &running.clock).set_wrong_by(wrong_by);
    }

    fn disturb_appends(&mut self) {
        let from = self.bench.store.appends() + 1 + self.rng.below(4) as u64;
        let faults = [Fault::UnknownWritten, Fault::UnknownUnwritten, Fault::Full];
        let (fault, count) = (*self.rng.pick(&faults), 1 + self.rng.below(5) as u64);
        tracing::info!(?fault, count, "the storm disturbs what is appended");
        self.bench.store.fail(from..from + count, fault);
    }

    /// Asks for one more deployment; a client that gets no answer asks again later, with the same id.
    async fn request(&mut self) {
        let Some(handle) = self.handle() else { return };
        if self.requested.len() >= DEPLOYMENTS_MAX {
            return;
        }
        let (request, number) = (format!("request-{}", self.requested.len()), 2 + self.requested.len() as u8);
        let asked = ask_to_start(&handle, Some(&request), plan(number));
        if let Ok(Ok(accepted)) = tokio::time::timeout(limits::STOP_PATIENCE, asked).await {
            tracing::info!(deployment = %accepted.deployment, "the storm asked for it");
            self.requested.push((request, accepted.deployment));
        }
    }

    async fn say_something(&mut self) {
        let (Some(handle), false) = (self.handle(), self.requested.is_empty()) else { return };
        let deployment = self.rng.pick(&self.requested).1.clone();
        let (by, reason) = (actor("user:ada"), String::from("they say so"));
        let command = match self.rng.below(6) {
            0 => Command::Pause { by: by.clone(), reason },
            1 | 2 => Command::Resume { by: by.clone() },
            3 => Command::Promote { by: by.clone() },
            4 => Command::Rollback { by: by.clone(), reason },
            _ => Command::Abort { by: by.clone(), reason },
        };
        let request = self.rng.chance(50).then(|| RequestId(format!("word-{}", self.rng.below(1_000))));
        tracing::info!(%deployment, ?command, "the storm speaks");
        let asked = CommandRequest { request, expected_version: None, deployment, by, command };
        // Any answer will do, and none; what it did must be sound.
        let _ = tokio::time::timeout(limits::STOP_PATIENCE, handle.command(asked)).await;
    }

    async fn kill_an_engine(&mut self) {
        if self.engines.is_empty() {
            return;
        }
        let index = self.rng.below(self.engines.len());
        let Running { engine, .. } = self.engines.swap_remove(index);
        let killed = self.rng.chance(50);
        tracing::info!(index, killed, "the storm ends an engine");
        match killed {
            true => drop(engine),
            false => engine.shutdown().await,
        }
    }

    /// Heals everything, and asks whether all is well.
    async fn settle(mut self) {
        self.bench.driver.follow(|_| Answer::Truth);
        self.bench.store.heal();
        self.bench.clock.set_wrong_by(0);
        if self.engines.is_empty() {
            self.start_engine().await;
        }
        self.engines.iter().for_each(|running| running.clock.set_wrong_by(0));
        tracing::info!("the storm is over");
        // One is left, which may have stood by until now.
        self.engines.truncate(1);
        let handle = self.engines[0].engine.handle();
        // What was given up in the storm has landed by then, or was refused; and no letter is read any more that was not answered.
        tokio::time::sleep(LATE_MAX).await; // tidy: on the paused clock
        for (request, id) in &self.requested {
            self.settled(&handle, request, id).await;
        }
        self.wait_for_all().await;
        let all = DeploymentFilter { limit: u32::MAX, ..DeploymentFilter::default() };
        let rows = self.bench.store.inner.deployments(&all).await.unwrap();
        let mut states = Vec::new();
        for row in &rows {
            let state = handle.state(&row.id).await.unwrap();
            assert!(state.is_terminal(), "{} is {} and waits for {:?}", row.id, state.phase(), machine::waiting(&state));
            check_history(&events(&handle, &row.id).await, &state).unwrap();
            states.push(state);
        }
        for service in SERVICES {
            let of_it = states.iter().filter(|state| state.plan.scope.service.as_str() == service);
            let last = of_it.filter(|state| state.activated_at.is_some()).max_by_key(|state| state.fence).unwrap();
            check_end(last, &self.bench.driver.world(&last.plan.scope).sample()).unwrap();
        }
    }

    /// Waits until nothing is under way: what was asked for in vain may have been written all the same.
    async fn wait_for_all(&self) {
        let ended = async {
            while !self.bench.store.inner.unfinished().await.unwrap().is_empty() {
                tokio::time::sleep(limits::SWEEP).await; // tidy: on the paused clock
            }
        };
        // What is left is told below, with all that is known of it.
        let _ = tokio::time::timeout(PATIENCE, ended).await;
    }

    /// Whoever asks again gets the first answer, and it comes to its end.
    async fn settled(&self, handle: &Handle, request: &str, id: &DeploymentId) {
        let number = 2 + request.rsplit('-').next().unwrap().parse::<u8>().unwrap();
        let mut tries = 0;
        let again = loop {
            match ask_to_start(handle, Some(request), plan(number)).await {
                Ok(again) => break again,
                // The lease of an engine that died has to run out first.
                Err(error) => assert!(tries < TRIES_MAX, "it is still refused: {error}"),
            }
            tries += 1;
            tokio::time::sleep(limits::SWEEP).await; // tidy: on the paused clock
        };
        assert!(again.repeated && again.deployment == *id, "{again:?} is not the first answer about {id}");
        let ended = async {
            let mut updates = handle.watch(id, 0);
            while let Some(update) = updates.next().await {
                update.unwrap();
            }
        };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            let state = handle.state(id).await.unwrap();
            let (stage, pause, open) = (&state.stage, &state.pause, &state.operations);
            panic!("{id} did not end: {stage:?}, paused {pause:?}, open {open:?}, now {:?}", self.bench.clock.now());
        }
    }
}

/// Returns what a request of a storm asks for: each service in turn, every other time with checks that only run dry.
fn plan(number: u8) -> Plan {
    let builder = Builder::new(number).service(SERVICES[usize::from(number) % SERVICES.len()]);
    if number.is_multiple_of(2) { builder.drilled() } else { builder.canary() }
}

/// Lets a storm rage and settle, and returns its transcript.
fn storm(seed: u64) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let transcript = Transcript::default();
    let raged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let began = runtime.block_on(async { Instant::now() });
        tracing::subscriber::with_default(transcript.subscriber(began), || {
            runtime.block_on(async {
                let mut storm = Storm::gather(seed).await;
                storm.rage().await;
                storm.settle().await;
            });
        });
    }));
    let told = transcript.told();
    if raged.is_err() {
        panic!(
            "{told}\nstorm {seed} left something broken: the reason is above what happened. Again: make sim SEEDS={seed}..{}",
            seed + 1
        );
    }
    told
}

/// Returns which storms to have: as many as were asked for from seed 0 on, or from one seed up to another.
fn seeds() -> Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "how a person asks for other storms")]
    let Ok(asked) = std::env::var(SEEDS) else { return 0..STORMS };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("{SEEDS} is {asked:?}; wanted are 500 or 100..200"));
    match asked.split_once("..") {
        Some((from, to)) => number(from)..number(to),
        None => 0..number(&asked),
    }
}

#[test]
fn whatever_a_storm_does_everything_comes_to_a_sound_end() {
    let seeds = seeds();
    let count = seeds.clone().count();
    let lines: usize = seeds.map(|seed| storm(seed).lines().count()).sum();
    println!("{count} storms, {lines} lines of what happened, nothing left broken");
}

#[test]
fn a_storm_can_be_had_again() {
    for seed in [3, 101] {
        let (first, second) = (storm(seed), storm(seed));
        assert!(first.contains("the storm is over"), "it is told what happened:\n{first}");
        assert!(first == second, "storm {seed} is another the second time:\n{first}\n{second}");
    }
}
