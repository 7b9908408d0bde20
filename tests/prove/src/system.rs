//! A deployment with everything around it: the engine that performs, the target, what is on its way between them, people, time.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use machine::invariants::{TargetSample, check_end, check_history, check_settled, check_step, check_target};
use machine::{Journaled, apply, decide};
use model::{
    Actor, Call, Command, Committed, DeploymentId, Effect, Event, Fence, Lost, OperationKey, Outcome, Plan, Report,
    ReportOutcome, State, StepKind, Timestamp,
};
use test_world::plans::release;
use test_world::world::{Candidate, Guard, World};

const START: Timestamp = Timestamp(1_700_000_000_000);

/// The highest fence of the scope before the deployment.
const FENCE_BEFORE: Fence = Fence(7);

/// Turns in a healed world: far more than the longest way to an end of the plans here.
const HEALED_TURNS_MAX: usize = 400;

/// What a deployment is explored with.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What it follows.
    pub plan: Plan,
    /// How the candidate is.
    pub candidate: Candidate,
    /// How many things may go wrong in one history.
    pub faults: u8,
    /// How many commands people may give in one history.
    pub people: u8,
    /// What is left out of the design, to see that it is missed.
    pub weakness: Weakness,
}

/// A part of the design that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// None: the design as it is.
    None,
    /// The target applies whatever comes.
    NoFence,
    /// The target applies each key once, and knows no order.
    KeyOnly,
    /// The target refuses earlier lives of the engine, and nothing of the current one.
    EpochOnly,
    /// The journal takes events of an engine that has lost its lease, whatever was appended since.
    BlindAppend,
}

/// One move of the world, the engine, a person or time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// The engine makes an owed call; it takes effect, and its report is on its way.
    Call(usize),
    /// A fault: the call is given up and lands later, or never.
    TimeOut(usize),
    /// A fault: the call takes effect, and its answer is lost.
    LoseAnswer(usize),
    /// A fault: the call fails before it leaves.
    FailBefore(usize),
    /// A report arrives.
    Deliver(usize),
    /// A fault: a report arrives, and will once more.
    DeliverTwice(usize),
    /// A call that was given up lands.
    Land(usize),
    /// Time passes to the next deadline. A fault where there was something to do.
    Tick,
    /// A fault: the engine dies and is started again; its calls that are on their way are not recalled.
    Crash,
    /// The engine that was taken for dead takes one more turn.
    Undead,
    /// Somebody says something.
    Say(Word),
}

/// What people say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// Pause.
    Pause,
    /// Resume.
    Resume,
    /// Promote.
    Promote,
    /// Abort.
    Abort,
    /// Roll back.
    Rollback,
    /// Approve.
    Approve,
    /// Reject.
    Reject,
    /// A newer deployment takes its place.
    Supersede,
}

const WORDS: [Word; 8] =
    [Word::Pause, Word::Resume, Word::Promote, Word::Abort, Word::Rollback, Word::Approve, Word::Reject, Word::Supersede];

/// A receipt as a store would give it.
struct Receipt(u64);

impl Committed for Receipt {
    fn head(&self) -> u64 {
        self.0
    }
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub struct System {
    /// The deployment.
    pub state: State,
    /// What must hold and did not.
    pub broken: Option<String>,
    now: Timestamp,
    world: World,
    in_flight: BTreeSet<(OperationKey, u32)>,
    reports: Vec<Report>,
    /// Calls on their way to the target, each with the life of the engine that made it.
    late: Vec<(u32, Call)>,
    /// How often the engine was started.
    life: u32,
    /// The latest life that the target has seen; only the weak target looks at it.
    life_seen: u32,
    undead: Option<Box<State>>,
    faults: u8,
    people: u8,
    /// How it came here: one history of those that lead to the same moment.
    journal: Arc<Journal>,
}

#[derive(Debug)]
struct Journal {
    before: Option<Arc<Journal>>,
    event: Event,
}

impl System {
    /// Returns a deployment that has just got its turn.
    pub fn new(setting: &Setting) -> Self {
        let requested = machine::request(id("d-1"), setting.plan.clone(), actor("user:ada"), START);
        let first = requested.into_iter().next().expect("BUG: a request is an event");
        let state = apply(None, &first);
        let stable = (!setting.plan.first).then(|| release(1));
        let mut world = World::new(stable.clone(), FENCE_BEFORE);
        world.candidate_is = setting.candidate;
        world.guard = match setting.weakness {
            Weakness::None | Weakness::BlindAppend => Guard::Fence,
            Weakness::NoFence | Weakness::EpochOnly => Guard::Nobody,
            Weakness::KeyOnly => Guard::Key(BTreeSet::new()),
        };
        let broken = check_step(None, &first, &state).err().map(|violation| violation.to_string());
        let mut system = Self {
            state,
            broken,
            now: START,
            world,
            in_flight: BTreeSet::new(),
            reports: Vec::new(),
            late: Vec::new(),
            life: 1,
            life_seen: 1,
            undead: None,
            faults: setting.faults,
            people: setting.people,
            journal: Arc::new(Journal { before: None, event: first }),
        };
        system.say(&Command::Activate { stable, fence: FENCE_BEFORE });
        system
    }

    /// Returns every move that can be made.
    pub fn moves(&self, weakness: Weakness) -> Vec<Move> {
        let mut moves = Vec::new();
        if self.broken.is_some() {
            return moves;
        }
        let faulty = self.faults > 0;
        for index in 0..self.calls().len() {
            moves.push(Move::Call(index));
            if faulty {
                moves.extend([Move::TimeOut(index), Move::LoseAnswer(index), Move::FailBefore(index)]);
            }
        }
        for index in 0..self.reports.len() {
            moves.push(Move::Deliver(index));
            if faulty {
                moves.push(Move::DeliverTwice(index));
            }
        }
        moves.extend((0..self.late.len()).map(Move::Land));
        if self.state.is_terminal() {
            return moves;
        }
        let idle = self.calls().is_empty() && self.reports.is_empty();
        if idle || faulty {
            moves.push(Move::Tick);
        }
        if faulty {
            moves.push(Move::Crash);
        }
        if self.people > 0 {
            moves.extend(WORDS.map(Move::Say));
        }
        if weakness == Weakness::BlindAppend && self.undead.is_some() {
            moves.push(Move::Undead);
        }
        moves
    }

    /// Returns the moment after a move.
    #[must_use]
    pub fn after(&self, action: &Move, weakness: Weakness) -> Self {
        let mut next = self.clone();
        next.make(action, weakness);
        if next.broken.is_none() && next.state.is_terminal() {
            next.broken = next.the_end().err();
        }
        next
    }

    fn make(&mut self, action: &Move, weakness: Weakness) {
        match action {
            Move::Call(index) => {
                let call = self.take(*index);
                let outcome = self.land(self.life, &call, weakness);
                self.answer(&call, outcome);
            }
            Move::TimeOut(index) => {
                let call = self.fault().take(*index);
                self.answer(&call, lost(true));
                self.late.push((self.life, call));
            }
            Move::LoseAnswer(index) => {
                let call = self.fault().take(*index);
                self.land(self.life, &call, weakness);
                self.answer(&call, lost(true));
            }
            Move::FailBefore(index) => {
                let call = self.fault().take(*index);
                self.answer(&call, lost(false));
            }
            Move::Deliver(index) => {
                let report = self.reports.remove(*index);
                self.in_flight.remove(&(report.key.clone(), report.attempt));
                self.say(&Command::Report(report));
            }
            Move::DeliverTwice(index) => {
                let report = self.fault().reports[*index].clone();
                self.in_flight.remove(&(report.key.clone(), report.attempt));
                self.say(&Command::Report(report));
            }
            Move::Land(index) => {
                let (life, call) = self.late.remove(*index);
                self.land(life, &call, weakness);
            }
            Move::Tick => self.tick(),
            Move::Crash => self.fault().crash(),
            Move::Undead => self.undead(),
            Move::Say(word) => {
                self.people -= 1;
                self.say(&command(*word, &self.state.clone()));
            }
        }
    }

    fn fault(&mut self) -> &mut Self {
        self.faults -= 1;
        self
    }

    fn tick(&mut self) {
        if !(self.calls().is_empty() && self.reports.is_empty()) {
            self.fault();
        }
        self.now = machine::deadline(&self.state).map_or(self.now, |deadline| self.now.max(deadline));
        self.say(&Command::Tick);
    }

    fn crash(&mut self) {
        self.undead = Some(Box::new(self.state.clone()));
        self.reports.clear();
        self.in_flight.clear();
        self.life += 1;
        self.say(&Command::Recover);
    }

    /// What was taken for dead decides once more on what it knew, and appends without asking whether that is still so.
    fn undead(&mut self) {
        let Some(state) = self.undead.take() else { return };
        let at = machine::deadline(&state).map_or(self.now, |deadline| self.now.max(deadline));
        let Ok(events) = decide(&state, &Command::Tick, at) else { return };
        self.append(&events);
    }

    /// Returns the calls that are owed and not in flight, and are due before anything else happens by itself.
    fn calls(&self) -> Vec<Call> {
        let next = machine::deadline(&self.state).unwrap_or(self.now).max(self.now);
        let owed = machine::owed(&Journaled::new(self.state.clone(), &Receipt(self.state.version)));
        let calls = owed.into_iter().filter_map(|effect| match effect {
            Effect::Call(call) => Some(call),
            Effect::WakeAt(_) => None,
        });
        let here = |call: &Call| {
            call.operation.not_before <= next && !self.in_flight.contains(&(call.operation.key.clone(), call.operation.attempt))
        };
        calls.filter(here).collect()
    }

    fn take(&mut self, index: usize) -> Call {
        let call = self.calls().swap_remove(index);
        self.now = self.now.max(call.operation.not_before);
        self.in_flight.insert((call.operation.key.clone(), call.operation.attempt));
        call
    }

    fn answer(&mut self, call: &Call, outcome: ReportOutcome) {
        let (key, attempt) = (call.operation.key.clone(), call.operation.attempt);
        self.reports.push(Report { key, attempt, outcome, plugin_state: None });
        // The order of what is on its way says nothing: any of it may arrive next.
        self.reports.sort_by(|a, b| (&a.key, a.attempt).cmp(&(&b.key, b.attempt)));
    }

    fn land(&mut self, life: u32, call: &Call, weakness: Weakness) -> ReportOutcome {
        if weakness == Weakness::EpochOnly && life < self.life_seen {
            return lost(false);
        }
        self.life_seen = self.life_seen.max(life);
        let before = self.world.sample();
        let outcome = self.world.perform_for(&self.state, call);
        self.look(&before);
        outcome
    }

    fn look(&mut self, before: &TargetSample) {
        let checked = check_target(Some(before), &self.world.sample(), &self.state);
        self.note(checked.map_err(|violation| violation.to_string()));
    }

    fn note(&mut self, checked: Result<(), String>) {
        if self.broken.is_none() {
            self.broken = checked.err();
        }
    }

    fn say(&mut self, command: &Command) {
        // What is refused changes nothing.
        if let Ok(events) = decide(&self.state, command, self.now) {
            self.append(&events);
            let settled = check_settled(&self.state);
            self.note(settled.map_err(|violation| violation.to_string()));
        }
    }

    fn append(&mut self, events: &[Event]) {
        for event in events {
            let before = self.state.clone();
            self.state = apply(Some(before.clone()), event);
            let checked = check_step(Some(&before), event, &self.state);
            self.note(checked.map_err(|violation| violation.to_string()));
            self.journal = Arc::new(Journal { before: Some(Arc::clone(&self.journal)), event: event.clone() });
        }
    }

    fn the_end(&self) -> Result<(), String> {
        check_end(&self.state, &self.world.sample()).map_err(|violation| violation.to_string())?;
        check_history(&self.events(), &self.state).map_err(|violation| violation.to_string())?;
        let taken_back = matches!(
            self.state.outcome(),
            Some(Outcome::RolledBack(_) | Outcome::Aborted { .. } | Outcome::Superseded { .. } | Outcome::Expired { .. })
        );
        let undoable = |step: usize| matches!(self.state.plan.steps[step].kind, StepKind::Action { undoable: true, .. });
        match self.world.actions.iter().find(|(step, (done, _))| taken_back && *done && undoable(**step)) {
            None => Ok(()),
            Some((step, _)) => Err(format!("the action of step {step} is still in effect")),
        }
    }

    fn events(&self) -> Vec<Event> {
        let mut events: Vec<_> =
            std::iter::successors(Some(&self.journal), |entry| entry.before.as_ref()).map(|entry| entry.event.clone()).collect();
        events.reverse();
        events
    }

    /// Heals the world: nothing goes wrong any more, nobody says anything, and what is on its way arrives. Returns why the deployment
    /// does not come to its end, if it does not.
    pub fn heals(&self) -> Result<(), String> {
        let mut system = self.clone();
        for _ in 0..HEALED_TURNS_MAX {
            if system.broken.is_some() {
                break;
            }
            if system.reports.is_empty() && system.late.is_empty() && system.state.is_terminal() {
                return system.the_end();
            }
            let action = if !system.reports.is_empty() {
                Move::Deliver(0)
            } else if !system.late.is_empty() {
                Move::Land(0)
            } else if !system.calls().is_empty() {
                Move::Call(0)
            } else {
                Move::Tick
            };
            system.make(&action, Weakness::None);
        }
        Err(system.broken.unwrap_or_else(|| format!("it did not come to its end: it is {}", system.state.phase())))
    }

    /// What makes two moments the same. Not the version and not the journal: they tell how it came here. Not what never changes.
    fn identity(&self) -> impl Hash + Eq + '_ {
        let State { id: _, plan: _, requested_by: _, requested_at: _, version: _, stable: _, .. } = &self.state;
        let state = &self.state;
        let durable = (&state.stage, &state.pause, &state.good, &state.fence, &state.confirmed, &state.unconfirmed);
        let running = (&state.operations, &state.watch, &state.approvals, &state.acted, &state.generation, &state.observation);
        let when = (&state.activated_at, &state.ended_at, &self.now, &self.faults, &self.people);
        let around = (&self.world, &self.in_flight, &self.reports, &self.late, &self.life, &self.life_seen, &self.undead);
        (durable, running, when, around, &self.broken)
    }
}

impl PartialEq for System {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for System {}

impl Hash for System {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.identity().hash(hasher);
    }
}

fn id(name: &str) -> DeploymentId {
    DeploymentId::new(name).expect("BUG: it is a name")
}

fn actor(name: &str) -> Actor {
    Actor { name: name.into(), groups: vec!["group:managers".into()], from: String::new() }
}

fn lost(outcome_unknown: bool) -> ReportOutcome {
    ReportOutcome::Lost(Lost { message: "the call timed out".into(), outcome_unknown, retryable: true })
}

fn command(word: Word, state: &State) -> Command {
    let (by, reason) = (actor("user:bea"), String::from("they say so"));
    match word {
        Word::Pause => Command::Pause { by, reason },
        Word::Resume => Command::Resume { by },
        Word::Promote => Command::Promote { by },
        Word::Abort => Command::Abort { by, reason },
        Word::Rollback => Command::Rollback { by, reason },
        Word::Approve => Command::Approve { by, plan: state.plan.hash.clone() },
        Word::Reject => Command::Reject { by, reason },
        Word::Supersede => Command::Supersede { by: id("d-2") },
    }
}
