//! A driver that does what the world does, unless the test says otherwise.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use engine::Driver;
use model::{Call, Lost, OperationKey, OperationKind, PluginUse, Progress, Report, ReportOutcome, Scope, State};
use test_world::world::{Candidate, World};

/// How long every call takes; what it does is done at once, what it answers comes after this.
const CALL_TAKES: Duration = Duration::from_millis(10);

/// What the driver makes of a call.
pub(crate) enum Answer {
    /// What the world says.
    Truth,
    /// It is done, and nobody ever hears of it.
    Silence,
    /// The driver itself breaks.
    Break,
    /// What the world says, after a time.
    Slow(Duration),
    /// It is done, and only that something went wrong is heard.
    Forget,
    /// It never leaves, and that is heard.
    FailBefore,
    /// It arrives twice, and the second answer is heard.
    Twice,
    /// Nothing is done, and it is called done; what is shown is what is there.
    Lie,
    /// It is said to be on its way, and lands after a time.
    Lag(Duration),
    /// It is given up and lands after a time, whatever was done meanwhile.
    Late(Duration),
}

type Script = dyn Fn(&Call) -> Answer + Send + Sync;

/// One performance of an operation, as the driver saw it.
#[derive(Clone, Debug)]
pub(crate) struct Performed {
    pub(crate) key: OperationKey,
    pub(crate) attempt: u32,
    pub(crate) outcome_unknown: bool,
}

/// Every scope has a target of its own.
struct Worlds {
    /// What one looks like that nobody has touched.
    fresh: World,
    found: BTreeMap<Scope, World>,
}

impl Worlds {
    fn of(&mut self, scope: &Scope) -> &mut World {
        self.found.entry(scope.clone()).or_insert_with(|| self.fresh.clone())
    }
}

pub(crate) struct FakeDriver {
    worlds: Arc<Mutex<Worlds>>,
    script: Mutex<Arc<Script>>,
    performed: Mutex<Vec<Performed>>,
}

impl FakeDriver {
    pub(crate) fn new(world: World) -> Self {
        let worlds = Worlds { fresh: world, found: BTreeMap::new() };
        Self {
            worlds: Arc::new(Mutex::new(worlds)),
            script: Mutex::new(Arc::new(|_| Answer::Truth)),
            performed: Mutex::default(),
        }
    }

    /// Has candidates be healthy everywhere from now on, or nowhere.
    pub(crate) fn set_healthy(&self, healthy: bool) {
        let mut worlds = self.worlds.lock().unwrap();
        let candidate_is = if healthy { Candidate::Well } else { Candidate::Unhealthy };
        worlds.fresh.candidate_is = candidate_is;
        worlds.found.values_mut().for_each(|world| world.candidate_is = candidate_is);
    }

    /// Returns a scope's target as it is now.
    pub(crate) fn world(&self, scope: &Scope) -> World {
        self.worlds.lock().unwrap().of(scope).clone()
    }

    pub(crate) fn follow(&self, script: impl Fn(&Call) -> Answer + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    pub(crate) fn performed(&self) -> Vec<Performed> {
        self.performed.lock().unwrap().clone()
    }

    /// Fails when an attempt was made twice.
    pub(crate) fn assert_each_once(&self) {
        let mut seen = HashSet::new();
        for Performed { key, attempt, .. } in self.performed() {
            assert!(seen.insert((key.clone(), attempt)), "attempt {attempt} of {key} was performed twice");
        }
    }

    /// Has a call land after a time: nobody waits for it, and nothing recalls it.
    fn land_later(&self, scope: &Scope, call: Call, time: Duration) {
        let (worlds, scope) = (Arc::clone(&self.worlds), scope.clone());
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            worlds.lock().unwrap().of(&scope).perform(&call);
        });
    }

    fn truth(&self, state: &State, call: &Call) -> ReportOutcome {
        self.worlds.lock().unwrap().of(&state.plan.scope).perform_for(state, call)
    }
}

#[async_trait]
impl Driver for FakeDriver {
    async fn perform(&self, call: Call, _plugin: PluginUse, state: &State) -> Report {
        let scope = &state.plan.scope;
        let (key, attempt) = (call.operation.key.clone(), call.operation.attempt);
        let outcome_unknown = call.operation.outcome_unknown;
        self.performed.lock().unwrap().push(Performed { key: key.clone(), attempt, outcome_unknown });
        let script = Arc::clone(&self.script.lock().unwrap());
        let outcome = match script(&call) {
            Answer::Truth => self.truth(state, &call),
            Answer::Silence => {
                self.truth(state, &call);
                std::future::pending().await
            }
            Answer::Break => panic!("the test breaks the driver"),
            Answer::Slow(time) => {
                tokio::time::sleep(time).await;
                self.truth(state, &call)
            }
            Answer::Forget => {
                self.truth(state, &call);
                lost(true)
            }
            Answer::FailBefore => lost(false),
            Answer::Twice => {
                self.truth(state, &call);
                self.truth(state, &call)
            }
            Answer::Lie => match &call.operation.kind {
                OperationKind::Reconcile { .. } => ReportOutcome::Progress(Progress::Converged(self.world(scope).observation())),
                OperationKind::AskGate | OperationKind::Look { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. } => {
                    self.truth(state, &call)
                }
            },
            Answer::Lag(time) => match &call.operation.kind {
                OperationKind::Reconcile { .. } => {
                    let observation = self.world(scope).observation();
                    self.land_later(scope, call, time);
                    let message = "it takes its time".into();
                    ReportOutcome::Progress(Progress::InProgress { observation, retry_after_ms: 1_000, message })
                }
                OperationKind::AskGate | OperationKind::Look { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. } => {
                    self.truth(state, &call)
                }
            },
            Answer::Late(time) => {
                self.land_later(scope, call, time);
                lost(true)
            }
        };
        tokio::time::sleep(CALL_TAKES).await;
        Report { key, attempt, outcome, plugin_state: None }
    }
}

fn lost(outcome_unknown: bool) -> ReportOutcome {
    ReportOutcome::Lost(Lost { message: "the test lost it".into(), outcome_unknown, retryable: true })
}
