//! Everything an engine is made of, with short ways to say what the tests say often.

use std::sync::Arc;
use std::time::Duration;

use engine::{Accepted, Clock, CommandRequest, Engine, EngineError, EngineOptions, Handle, StartRequest, limits};
use futures_util::StreamExt;
use journal::{MemoryStore, Owner, RequestId};
use machine::invariants::{check_end, check_history};
use model::{Actor, Command, DeploymentId, Event, Fence, Millis, Plan, State};
use test_world::world::World;

use super::clock::PausedClock;
use super::driver::FakeDriver;
use super::plans::Builder;
use super::store::FaultyStore;

/// The longest any deployment of the tests takes, on the paused clock: longer than every deadline of the plans.
const PATIENCE: Duration = Duration::from_secs(24 * 3_600);

pub(crate) fn actor(name: &str) -> Actor {
    Actor { name: name.into(), groups: Vec::new(), from: String::new() }
}

pub(crate) struct Bench {
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) driver: Arc<FakeDriver>,
    pub(crate) clock: PausedClock,
}

impl Bench {
    /// A bench on which nothing was ever deployed.
    pub(crate) fn new() -> Self {
        let clock = PausedClock::new();
        let store_clock = clock.clone();
        let store = Arc::new(FaultyStore::new(MemoryStore::new(move || store_clock.now())));
        Self { store, driver: Arc::new(FakeDriver::new(World::new(None, Fence::default()))), clock }
    }

    /// A bench with a running engine, and release 1 stable for the service `web`.
    pub(crate) async fn with_stable() -> (Self, Engine) {
        let bench = Self::new();
        let engine = bench.engine().await;
        let handle = engine.handle();
        let first = start(&handle, Builder::new(1).straight()).await;
        assert_eq!(end(&handle, &first).await.phase().as_str(), "succeeded");
        (bench, engine)
    }

    pub(crate) async fn engine(&self) -> Engine {
        Engine::start(self.options("single")).await.unwrap()
    }

    pub(crate) fn options(&self, owner: &str) -> EngineOptions {
        EngineOptions {
            store: self.store.clone(),
            driver: self.driver.clone(),
            clock: Arc::new(self.clock.clone()),
            owner: Owner(owner.into()),
            lease_ttl: limits::LEASE_TTL,
            replicated: false,
            pack_after: Millis::hours(1),
        }
    }

    /// Waits for the end, and asks every invariant about the journal and the world that it left.
    pub(crate) async fn sound_end(&self, handle: &Handle, id: &DeploymentId) -> Arc<State> {
        let state = end(handle, id).await;
        check_history(&events(handle, id).await, &state).unwrap();
        check_end(&state, &self.driver.world(&state.plan.scope).sample()).unwrap();
        state
    }
}

pub(crate) async fn events(handle: &Handle, id: &DeploymentId) -> Vec<Event> {
    handle.history(id).await.unwrap().into_iter().map(|stamped| stamped.event).collect()
}

pub(crate) async fn start(handle: &Handle, plan: Plan) -> DeploymentId {
    ask_to_start(handle, None, plan).await.unwrap().deployment
}

pub(crate) async fn ask_to_start(handle: &Handle, request: Option<&str>, plan: Plan) -> Result<Accepted, EngineError> {
    let request = request.map(|id| RequestId(id.into()));
    handle.start(StartRequest { request, plan, by: actor("user:ada") }).await
}

pub(crate) fn pause(id: &DeploymentId, request: Option<&str>) -> CommandRequest {
    ask(id, request, |by| Command::Pause { by, reason: "lunch".into() })
}

pub(crate) fn abort(id: &DeploymentId, request: Option<&str>) -> CommandRequest {
    ask(id, request, |by| Command::Abort { by, reason: "a second thought".into() })
}

fn ask(id: &DeploymentId, request: Option<&str>, command: impl Fn(Actor) -> Command) -> CommandRequest {
    let by = actor("user:ada");
    let command = command(by.clone());
    let request = request.map(|id| RequestId(id.into()));
    CommandRequest { request, expected_version: None, deployment: id.clone(), by, command }
}

pub(crate) async fn end(handle: &Handle, id: &DeploymentId) -> Arc<State> {
    until(handle, id, State::is_terminal).await
}

/// Waits until the deployment has been in such a state.
pub(crate) async fn until(handle: &Handle, id: &DeploymentId, there: impl Fn(&State) -> bool) -> Arc<State> {
    let mut updates = handle.watch(id, 0);
    let found = async {
        while let Some(update) = updates.next().await {
            let state = update.unwrap().state;
            if there(&state) {
                return state;
            }
        }
        panic!("it ended before it got there");
    };
    tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{id} did not get there in {PATIENCE:?}"))
}
