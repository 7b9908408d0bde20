//! One deployment under test: every event goes through `apply` and every invariant of a step is asked after it.

use machine::invariants::{Violation, check_history, check_settled, check_step};
use machine::{Journaled, Refusal};
use model::{
    Actor, Call, Command, Committed, DeploymentId, Effect, Event, Fence, Millis, Plan, ReleaseSpec, Stage, State, Timestamp,
};

/// The time at which every test begins.
pub(crate) const START: Timestamp = Timestamp(1_700_000_000_000);

pub(crate) fn actor(name: &str) -> Actor {
    Actor { name: name.into(), groups: Vec::new(), from: String::new() }
}

/// Somebody of the group that the tests' approvals ask.
pub(crate) fn member(name: &str) -> Actor {
    Actor { name: name.into(), groups: vec!["group:managers".into()], from: String::new() }
}

/// A receipt as a store would give it.
struct Receipt(u64);

impl Committed for Receipt {
    fn head(&self) -> u64 {
        self.0
    }
}

pub(crate) struct Run {
    pub(crate) state: State,
    pub(crate) events: Vec<Event>,
    pub(crate) now: Timestamp,
    pub(crate) violation: Option<Violation>,
}

impl Run {
    /// A deployment that waits for its turn, requested by `user:ada`.
    pub(crate) fn queued(plan: Plan) -> Self {
        let requested = machine::request(DeploymentId::new("d-1").unwrap(), plan, actor("user:ada"), START);
        let state = machine::fold(&requested).unwrap();
        let violation = check_step(None, &requested[0], &state).err();
        Self { state, events: requested, now: START, violation }
    }

    /// A deployment whose turn has come, in a scope where release 1 is stable unless the plan is a first one.
    pub(crate) fn active(plan: Plan) -> Self {
        let stable = (!plan.first).then(|| super::plans::release(1));
        let mut run = Self::queued(plan);
        run.say(Command::Activate { stable, fence: FENCE_BEFORE }).unwrap();
        run
    }

    /// Tells the deployment something and returns what that led to.
    pub(crate) fn say(&mut self, command: Command) -> Result<Vec<Event>, Refusal> {
        let due = machine::deadline(&self.state).is_some_and(|due| self.now >= due);
        let events = machine::decide(&self.state, &command, self.now)?;
        assert!(
            !(due && command == Command::Tick && events.is_empty()),
            "it asked to be woken at {:?} and had nothing to do at {:?}: {:?}",
            machine::deadline(&self.state),
            self.now,
            self.state.stage
        );
        for event in &events {
            let before = self.state.clone();
            self.state = machine::apply(Some(before.clone()), event);
            self.violation = self.violation.take().or_else(|| check_step(Some(&before), event, &self.state).err());
        }
        self.violation = self.violation.take().or_else(|| check_settled(&self.state).err());
        self.events.extend(events.iter().cloned());
        Ok(events)
    }

    /// Like [`Run::say`], at a later time, for commands that must be taken.
    pub(crate) fn tell(&mut self, command: Command) -> Vec<Event> {
        let events = self.say(command.clone());
        let events = events.unwrap_or_else(|refusal| panic!("{command:?} was refused: {refusal}"));
        self.assert_sound();
        events
    }

    pub(crate) fn refused(&mut self, command: Command) -> String {
        let before = self.state.clone();
        let refusal = machine::decide(&self.state, &command, self.now);
        let refusal = refusal.expect_err("the command is to be refused").to_string();
        assert_eq!(self.state, before);
        refusal
    }

    /// Returns the calls that are owed now.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let owed = machine::owed(&Journaled::new(self.state.clone(), &Receipt(self.state.version)));
        let calls = owed.into_iter().filter_map(|effect| match effect {
            Effect::Call(call) => Some(call),
            Effect::WakeAt(_) => None,
        });
        calls.collect()
    }

    /// Returns the one call that is owed.
    pub(crate) fn call(&self) -> Call {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "one call is owed: {calls:?}");
        calls.into_iter().next().unwrap()
    }

    /// Sends a tick at the deadline that the deployment named.
    pub(crate) fn reach_deadline(&mut self) -> Vec<Event> {
        let deadline = machine::deadline(&self.state).expect("it is not over");
        self.now = self.now.max(deadline);
        self.tell(Command::Tick)
    }

    pub(crate) fn after(&mut self, time: Millis) -> &mut Self {
        self.now = self.now + time;
        self
    }

    pub(crate) fn phase(&self) -> &'static str {
        self.state.phase().as_str()
    }

    /// Returns the name of the current step.
    pub(crate) fn step(&self) -> &str {
        match self.state.stage {
            Stage::Forward { step, .. } => self.state.plan.steps[step].id.as_str(),
            Stage::Queued { .. } | Stage::Back { .. } | Stage::Ended(_) => "",
        }
    }

    pub(crate) fn waits_for(&self) -> String {
        machine::waiting(&self.state).map_or_else(String::new, |waiting| waiting.to_string())
    }

    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.violation, None, "{}", self.violation.as_ref().map_or_else(String::new, ToString::to_string));
        check_history(&self.events, &self.state).unwrap();
    }

    /// Returns what was stable when the deployment became active.
    pub(crate) fn stable(&self) -> Option<ReleaseSpec> {
        self.state.stable.clone()
    }
}

/// The highest fence of the scope before the deployment.
pub(crate) const FENCE_BEFORE: Fence = Fence(7);
