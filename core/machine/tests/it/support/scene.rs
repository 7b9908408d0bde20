//! A deployment and its world together: for tests that want to get somewhere before the interesting part begins.

use model::{Call, Command, Fence, Lost, Plan, Report, ReportOutcome};

use super::run::{FENCE_BEFORE, Run};
use super::world::World;

/// More turns than any of the tests' plans needs when nothing goes wrong.
const TURNS_MAX: usize = 2_000;

pub(crate) struct Scene {
    pub(crate) run: Run,
    pub(crate) world: World,
}

impl Scene {
    pub(crate) fn new(plan: Plan) -> Self {
        let run = Run::active(plan);
        let world = World::new(run.stable(), FENCE_BEFORE);
        Self { run, world }
    }

    /// Performs one call and reports what came of it.
    pub(crate) fn perform(&mut self, call: &Call) {
        self.run.now = self.run.now.max(call.operation.not_before);
        let outcome = self.world.perform_for(&self.run.state, call);
        self.run.tell(report(call, outcome));
    }

    /// Answers the one call that is owed.
    pub(crate) fn answer(&mut self, outcome: ReportOutcome) -> Vec<model::Event> {
        let call = self.run.call();
        self.run.now = self.run.now.max(call.operation.not_before);
        self.run.tell(report(&call, outcome))
    }

    /// Performs what is owed, or lets time pass to the next deadline; false when it is over.
    pub(crate) fn turn(&mut self) -> bool {
        let calls = self.run.calls();
        let next = machine::deadline(&self.run.state);
        let due = calls.into_iter().min_by_key(|call| call.operation.not_before);
        match (due, next) {
            (Some(call), Some(next)) if call.operation.not_before.max(self.run.now) <= next.max(self.run.now) => {
                self.perform(&call)
            }
            (_, Some(_)) => drop(self.run.reach_deadline()),
            (_, None) => return false,
        }
        true
    }

    /// Goes on until the named step is current.
    pub(crate) fn reach(mut self, step: &str) -> Self {
        self.until(|run| run.step() == step);
        self
    }

    pub(crate) fn until(&mut self, there: impl Fn(&Run) -> bool) {
        for _ in 0..TURNS_MAX {
            if there(&self.run) {
                return;
            }
            assert!(self.turn(), "it ended as {} before it got there", self.run.phase());
        }
        panic!("{TURNS_MAX} turns led to {} and no further: {}", self.run.phase(), self.run.waits_for());
    }

    /// Goes on until it is over, and checks that the world shows it.
    pub(crate) fn reach_the_end(&mut self) -> &'static str {
        self.until(|run| run.state.is_terminal());
        machine::invariants::check_end(&self.run.state, &self.world.sample()).unwrap();
        self.run.phase()
    }
}

/// Says that this outcome came back from this call.
pub(crate) fn report(call: &Call, outcome: ReportOutcome) -> Command {
    let (key, attempt) = (call.operation.key.clone(), call.operation.attempt);
    Command::Report(Report { key, attempt, outcome, plugin_state: None })
}

pub(crate) fn lost(outcome_unknown: bool, retryable: bool) -> ReportOutcome {
    ReportOutcome::Lost(Lost { message: "the call timed out".into(), outcome_unknown, retryable })
}

/// A fence that somebody else took.
pub(crate) fn rival(world: &World) -> Fence {
    Fence(world.fence.0 + 100)
}
