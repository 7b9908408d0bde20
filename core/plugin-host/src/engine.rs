//! The engine: how components are compiled and where their instances live, and the clock that makes loops yield.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::HostError;
use crate::limits::Limits;

/// How often a guest that computes gives way, so that its deadline can end it and the calls beside it get on: what they wait for a
/// thread at most. A tick is one atomic increment.
pub(crate) const TICK: Duration = Duration::from_millis(2);

/// Core modules in one component: the guest, the shims of the canonical ABI, and adapters of other languages.
const CORE_INSTANCES_PER_CALL: u32 = 16;

/// Memories and tables in one component: ours use one, components of other languages bring those of their adapters.
const MEMORIES_PER_CALL: u32 = 4;

/// Bytes of a guest's memory that stay resident between calls, cleared by hand: cheaper than giving pages back for so few.
const KEPT_RESIDENT_BYTES: usize = 64 << 10;

/// Returns an engine with a pool of instances, or one without where the address space for a pool cannot be had.
pub(crate) fn new(limits: &Limits) -> Result<Engine, HostError> {
    let mut pooled = base(limits);
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&pooled).or_else(|error| {
        tracing::warn!("plugins run without a pool of instances: {error:#}");
        Engine::new(&base(limits)).map_err(HostError::Engine)
    })
}

fn base(limits: &Limits) -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .memory_init_cow(true)
        .max_wasm_stack(limits.stack_bytes)
        .async_stack_size(limits.stack_bytes * 4)
        .concurrency_support(false)
        .wasm_backtrace_max_frames(None);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let calls = limits.calls_at_once;
    pool.total_component_instances(calls)
        .total_core_instances(calls * CORE_INSTANCES_PER_CALL)
        .max_core_instances_per_component(CORE_INSTANCES_PER_CALL)
        .total_memories(calls * MEMORIES_PER_CALL)
        .max_memories_per_component(MEMORIES_PER_CALL)
        .total_tables(calls * MEMORIES_PER_CALL)
        .max_tables_per_component(MEMORIES_PER_CALL)
        .table_elements(limits.table_elements)
        .max_memory_size(limits.memory_bytes)
        .total_stacks(calls)
        .linear_memory_keep_resident(KEPT_RESIDENT_BYTES)
        .table_keep_resident(KEPT_RESIDENT_BYTES);
    pool
}

/// Advances the engine's epoch while calls run, and sleeps while none does.
pub(crate) struct Ticker {
    shared: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Default)]
struct State {
    running: u32,
    stopped: bool,
}

/// A running call: the epoch advances until it is dropped.
pub(crate) struct Ticking<'a>(&'a Ticker);

impl Ticker {
    pub(crate) fn start(engine: Engine) -> Result<Self, HostError> {
        let shared = Arc::new((Mutex::<State>::default(), Condvar::new()));
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("plugin-epochs".to_owned())
            .spawn(move || tick(&engine, &theirs.0, &theirs.1))
            .map_err(|error| HostError::Engine(error.into()))?;
        Ok(Self { shared })
    }

    pub(crate) fn begin(&self) -> Ticking<'_> {
        let mut state = lock(&self.shared.0);
        state.running += 1;
        if state.running == 1 {
            self.shared.1.notify_one();
        }
        Ticking(self)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        lock(&self.0.shared.0).running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        lock(&self.shared.0).stopped = true;
        self.shared.1.notify_one();
    }
}

fn tick(engine: &Engine, state: &Mutex<State>, changed: &Condvar) {
    let mut guard = lock(state);
    while !guard.stopped {
        if guard.running == 0 {
            guard = changed.wait(guard).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        guard = changed.wait_timeout(guard, TICK).unwrap_or_else(PoisonError::into_inner).0;
        engine.increment_epoch();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
