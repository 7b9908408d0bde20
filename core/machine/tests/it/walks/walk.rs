//! One walk: the moves that the world, the engine and people make, until the world heals.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use machine::invariants::{TargetSample, check_end, check_history, check_target};
use model::{
    Actor, Call, Command, DeploymentId, Fence, GateAnswer, Millis, OperationKind, Outcome, PlanHash, Progress, ReportOutcome,
    StepKind, Verdict,
};

use super::marks::marks;
use crate::support::rng::Rng;
use crate::support::run::FENCE_BEFORE;
use crate::support::scene::{lost, report};
use crate::support::world::{Candidate, Guard, World, failed, gate, look};
use crate::support::{Run, actor, member, plans};

/// Moves before the world heals.
const MOVES_MAX: usize = 250;

/// Turns in a healed world. The longest way to an end is a few hundred looks of the watches of a plan.
const HEALED_TURNS_MAX: usize = 3_000;

/// What happened, line by line.
pub(super) type Transcript = Rc<RefCell<Vec<String>>>;

/// A message on its way. It may arrive late, twice or never; what is on its way to the world outlives the engine's crash.
#[derive(Clone, Debug)]
enum Message {
    ToWorld(Call),
    ToMachine(Command),
}

pub(super) struct Walk {
    rng: Rng,
    run: Run,
    world: World,
    mail: VecDeque<Message>,
    sample: TargetSample,
    /// How much goes wrong in this walk, in percent of what can.
    trouble: usize,
    transcript: Option<Transcript>,
}

impl Walk {
    pub(super) fn new(seed: u64, checks_fences: bool, transcript: Option<Transcript>) -> Self {
        let mut rng = Rng::new(seed);
        let (name, plan) = rng.pick(&plans::all()).clone();
        let run = Run::queued(plan.clone());
        let mut world = World::new((!plan.first).then(|| plans::release(1)), FENCE_BEFORE);
        if !checks_fences {
            world.guard = Guard::Nobody;
        }
        let candidates = [Candidate::Well, Candidate::Well, Candidate::Unhealthy, Candidate::NeverReady, Candidate::Crashing];
        world.candidate_is = *rng.pick(&candidates);
        let trouble = *rng.pick(&[0, 5, 20, 40]);
        let sample = world.sample();
        let walk = Self { rng, run, world, mail: VecDeque::new(), sample, trouble, transcript };
        walk.note(|| format!("a {name} deployment of a candidate that is {:?}, {trouble} % trouble", walk.world.candidate_is));
        walk
    }

    fn note(&self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &self.transcript {
            let seconds = self.run.now.since(crate::support::run::START).0 / 1_000;
            transcript.borrow_mut().push(format!("{seconds:>7} s  {}", line()));
        }
    }

    fn say(&mut self, command: Command) -> Result<(), String> {
        self.note(|| format!("{command:?}"));
        match self.run.say(command) {
            Ok(events) => events.iter().for_each(|event| self.note(|| format!("    -> {event:?}"))),
            Err(refusal) => self.note(|| format!("    refused: {refusal}")),
        }
        self.run.violation.as_ref().map_or(Ok(()), |violation| Err(violation.to_string()))
    }

    fn look_at_the_target(&mut self) -> Result<(), String> {
        let after = self.world.sample();
        let checked = check_target(Some(&self.sample), &after, &self.run.state);
        self.sample = after;
        checked.map_err(|violation| violation.to_string())
    }

    /// Makes one move of the world, the engine or a person.
    fn step(&mut self) -> Result<(), String> {
        // Mostly people are quiet; when they are asked, somebody answers before the time is over.
        let asked = matches!(self.current(), Some(StepKind::Approval { .. })) && self.rng.chance(30);
        match self.rng.below(100) {
            _ if asked => self.person(),
            0..40 => self.call(),
            40..82 => self.deliver(),
            82..93 => self.let_time_pass(),
            93..95 => self.crash(),
            95..97 => self.nonsense(),
            _ => self.person(),
        }
    }

    /// The engine performs something that is owed; perhaps not for the first time.
    fn call(&mut self) -> Result<(), String> {
        let calls = self.run.calls();
        if calls.is_empty() {
            return self.let_time_pass();
        }
        let call = self.rng.pick(&calls).clone();
        self.run.now = self.run.now.max(call.operation.not_before);
        self.note(|| format!("calls {} attempt {}", call.operation.key, call.operation.attempt));
        if self.rng.chance(self.trouble) {
            return self.troubled_call(&call);
        }
        self.reach_the_world(&call)
    }

    fn troubled_call(&mut self, call: &Call) -> Result<(), String> {
        match self.rng.below(6) {
            // Lost before it left, and the caller knows.
            0 => self.say(report(call, lost(false, true))),
            // Timed out: it may arrive at any later time, and nobody will know when.
            1 | 2 => {
                self.mail.push_back(Message::ToWorld(call.clone()));
                self.say(report(call, lost(true, true)))
            }
            // It takes its time, and its answer will too.
            3 => {
                self.mail.push_back(Message::ToWorld(call.clone()));
                Ok(())
            }
            4 => {
                self.mail.push_back(Message::ToWorld(call.clone()));
                self.reach_the_world(call)
            }
            _ => {
                let outcome = self.another_answer(call);
                self.say(report(call, outcome))
            }
        }
    }

    /// An answer that a plugin may give, whatever the world is like.
    fn another_answer(&mut self, call: &Call) -> ReportOutcome {
        let retryable = self.rng.chance(70);
        if self.rng.chance(20) {
            return lost(self.rng.chance(50), retryable);
        }
        match &call.operation.kind {
            OperationKind::AskGate => gate(self.rng.pick(&[GateAnswer::Wait, GateAnswer::Fail, GateAnswer::Error]).clone(), "no"),
            OperationKind::Look { .. } => {
                let verdicts = [Verdict::Healthy, Verdict::Unhealthy, Verdict::Inconclusive, Verdict::Error];
                look(*self.rng.pick(&verdicts), "as it happens")
            }
            OperationKind::Reconcile { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. } => {
                ReportOutcome::Progress(match self.rng.below(5) {
                    0 => failed("the target says no", retryable),
                    1 => Progress::Superseded(Fence(self.run.state.fence.0 + 3)),
                    2 => Progress::Superseded(Fence(u64::MAX)),
                    _ => self.world.in_progress(*self.rng.pick(&[0, 2_000, u64::MAX]), "on its way"),
                })
            }
        }
    }

    fn reach_the_world(&mut self, call: &Call) -> Result<(), String> {
        let outcome = self.world.perform_for(&self.run.state, call);
        self.note(|| format!("    {} reaches the world: {outcome:?}", call.operation.key));
        self.look_at_the_target()?;
        let answer = report(call, outcome);
        let times = if self.rng.chance(self.trouble) { self.rng.below(3) } else { 1 };
        self.mail.extend(std::iter::repeat_n(Message::ToMachine(answer), times));
        Ok(())
    }

    /// Any message on its way arrives.
    fn deliver(&mut self) -> Result<(), String> {
        if self.mail.is_empty() {
            return self.call();
        }
        let index = self.rng.below(self.mail.len());
        match self.mail.remove(index) {
            Some(Message::ToWorld(call)) => self.reach_the_world(&call),
            Some(Message::ToMachine(command)) => self.say(command),
            None => Ok(()),
        }
    }

    /// Mostly a little time; to the deadline when there is nothing else to do, and now and then by hours.
    fn let_time_pass(&mut self) -> Result<(), String> {
        let deadline = machine::deadline(&self.run.state).unwrap_or(self.run.now);
        let idle = self.run.calls().is_empty() && self.mail.is_empty();
        let second = Millis::seconds(1);
        self.run.now = match self.rng.below(100) {
            0..60 if idle => self.run.now.max(deadline),
            0..97 => self.run.now + second,
            97 => self.run.now.max(deadline),
            _ => self.run.now + Millis(1 << self.rng.below(26)),
        };
        self.say(Command::Tick)
    }

    /// The engine dies: the answers on their way are lost, the calls on their way are not.
    fn crash(&mut self) -> Result<(), String> {
        self.mail.retain(|message| matches!(message, Message::ToWorld(_)));
        self.say(Command::Recover)
    }

    /// A report about something else: of another kind, of an attempt long past or never made.
    fn nonsense(&mut self) -> Result<(), String> {
        let Some(mut call) = self.run.calls().into_iter().next() else { return Ok(()) };
        if self.rng.chance(70) {
            call.operation.attempt = call.operation.attempt.wrapping_sub(1) + 2 * u32::from(self.rng.chance(50));
        }
        let converged = ReportOutcome::Progress(Progress::Converged(self.world.observation()));
        let outcomes = [gate(GateAnswer::Pass, "yes"), look(Verdict::Healthy, "well"), converged];
        let outcome = self.rng.pick(&outcomes).clone();
        // An answer of another kind to the current attempt is possible; a lie of the right kind would be the world's, not nonsense.
        let current = self.run.calls().iter().any(|c| c.operation.attempt == call.operation.attempt);
        if current && fits(&call.operation.kind, &outcome) {
            return Ok(());
        }
        self.say(report(&call, outcome))
    }

    fn person(&mut self) -> Result<(), String> {
        let who = ["user:ada", "user:bea", "user:cem"];
        let who: &str = self.rng.pick::<&str>(&who);
        let by: Actor = if self.rng.chance(85) { member(who) } else { actor("user:eve") };
        let reason = String::from("they say so");
        let hash = if self.rng.chance(90) { self.run.state.plan.hash.clone() } else { PlanHash::new("plan-0").unwrap() };
        let asked = matches!(self.current(), Some(StepKind::Approval { .. }));
        let command = match self.rng.below(if asked { 40 } else { 16 }) {
            0..4 => Command::Pause { by, reason },
            4..9 => Command::Resume { by },
            9..12 => Command::Promote { by },
            12 => Command::Abort { by, reason },
            13 => Command::Rollback { by, reason },
            14 => Command::Supersede { by: DeploymentId::new("d-2").unwrap() },
            15 => Command::Reject { by, reason },
            _ => Command::Approve { by, plan: hash },
        };
        self.say(command)
    }

    fn current(&self) -> Option<&StepKind> {
        self.run.state.plan.steps.iter().find(|s| s.id.as_str() == self.run.step()).map(|s| &s.kind)
    }

    /// The world answers truthfully from here on, at once, and nobody says anything any more. What is still on its way arrives.
    fn heal(&mut self) -> Result<(), String> {
        for _ in 0..HEALED_TURNS_MAX {
            if self.run.state.is_terminal() {
                return self.the_end();
            }
            if self.rng.chance(20) {
                self.deliver()?;
            }
            self.healed_turn()?;
        }
        Err(format!("it did not come to its end: {} waits for {}", self.run.phase(), self.run.waits_for()))
    }

    fn healed_turn(&mut self) -> Result<(), String> {
        let next = machine::deadline(&self.run.state).unwrap_or(self.run.now).max(self.run.now);
        let calls = self.run.calls().into_iter().min_by_key(|call| call.operation.not_before);
        match calls.filter(|call| call.operation.not_before <= next) {
            Some(call) => {
                self.run.now = self.run.now.max(call.operation.not_before);
                let outcome = self.world.perform_for(&self.run.state, &call);
                self.look_at_the_target()?;
                self.say(report(&call, outcome))
            }
            None => {
                self.run.now = next;
                self.say(Command::Tick)
            }
        }
    }

    /// Late messages still come, and change nothing.
    fn the_end(&mut self) -> Result<(), String> {
        while let Some(message) = self.mail.pop_back() {
            match message {
                Message::ToWorld(call) => drop(self.world.perform(&call)),
                Message::ToMachine(command) => self.say(command)?,
            }
            self.look_at_the_target()?;
        }
        let state = &self.run.state;
        check_history(&self.run.events, state).map_err(|violation| violation.to_string())?;
        check_end(state, &self.world.sample()).map_err(|violation| violation.to_string())?;
        self.actions_are_undone()
    }

    fn actions_are_undone(&self) -> Result<(), String> {
        let state = &self.run.state;
        let taken_back = matches!(
            state.outcome(),
            Some(Outcome::RolledBack(_) | Outcome::Aborted { .. } | Outcome::Superseded { .. } | Outcome::Expired { .. })
        );
        let undoable = |step: usize| matches!(state.plan.steps[step].kind, StepKind::Action { undoable: true, .. });
        match self.world.actions.iter().find(|(step, (done, _))| taken_back && *done && undoable(**step)) {
            None => Ok(()),
            Some((step, _)) => Err(format!("the action of step {step} is still in effect")),
        }
    }

    /// Walks from the queue to the end, and returns what it came by.
    pub(super) fn whole(mut self) -> Result<BTreeSet<&'static str>, String> {
        let wait = self.rng.chance(10);
        if wait {
            self.let_time_pass()?;
        }
        let stable = self.world.stable.clone().map(|s| s.release);
        self.say(Command::Activate { stable, fence: FENCE_BEFORE })?;
        for _ in 0..self.rng.below(MOVES_MAX) {
            self.step()?;
        }
        self.note(|| "the world heals".into());
        self.heal()?;
        Ok(marks(&self.run))
    }
}

fn fits(kind: &OperationKind, outcome: &ReportOutcome) -> bool {
    match (kind, outcome) {
        (OperationKind::AskGate, ReportOutcome::Gate { .. }) | (OperationKind::Look { .. }, ReportOutcome::Look(_)) => true,
        (
            OperationKind::Reconcile { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. },
            ReportOutcome::Progress(_),
        ) => true,
        (_, _) => false,
    }
}
