//! What a target owes: it converges from wherever it is, obeys the fence, and says what is there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::deadline::Deadline;
use super::{FOREIGN_STATES, LARGE_BYTES, LONG, NOT_SETTINGS, UNKNOWN, hold, with_unknown};
use crate::target::{
    Descriptor, Desired, Fencing, Observation, Progress, RequestKey, RouteMatch, SideDesired, Target, Traffic, describe, observe,
    preview, reconcile,
};
use crate::testing::worlds::{Fault, Faulty};
use crate::testing::{context, in_world};
use crate::{Context, Side};

/// How many calls a target may need unless the case says otherwise.
const CALLS_MAX: u32 = 10;

/// After how many writes a world fails at most; a target with more writes is tried with these.
const WRITES_TRIED_MAX: u32 = 8;

/// The fence of the suite's calls; there is room below and above.
const FENCE: u64 = 5;

/// The weight of a candidate, in basis points, where the target can give one.
const BASIS_POINTS: u16 = 500;

/// What runs in the world, read without the target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The release of the stable side.
    pub stable: Option<String>,
    /// The release of the candidate.
    pub candidate: Option<String>,
    /// The candidate's share of the traffic; 0 where nothing is said of traffic.
    pub candidate_basis_points: u16,
}

/// A target's settings, its world, and how to see in the world what runs.
pub struct TargetCase<W> {
    settings: String,
    configuration: String,
    world: fn() -> W,
    seen: fn(&W) -> Seen,
    calls_max: u32,
}

impl<W: Faulty> TargetCase<W> {
    /// Returns a case: with these settings, in a new world without anything in it, releases with this configuration can run. `seen`
    /// reads what runs from the world itself, for service `web` in environment `test`.
    pub fn new(settings: impl Into<String>, configuration: impl Into<String>, world: fn() -> W, seen: fn(&W) -> Seen) -> Self {
        Self { settings: settings.into(), configuration: configuration.into(), world, seen, calls_max: CALLS_MAX }
    }

    /// Returns the case of a target that may need this many calls.
    #[must_use]
    pub fn calls(mut self, most: u32) -> Self {
        self.calls_max = most;
        self
    }

    fn side(&self, release: &str, capacity_percent: u8) -> SideDesired {
        SideDesired {
            release: release.to_owned(),
            artifact_reference: format!("releases/{release}"),
            artifact_digest: format!("sha256:{release}"),
            configuration: self.configuration.clone(),
            capacity_percent,
        }
    }

    fn steady(&self, release: &str) -> Desired {
        Desired { stable: Some(self.side(release, 100)), candidate: None, traffic: Some(traffic(0)) }
    }

    fn canary(&self, descriptor: &Descriptor) -> Desired {
        let granularity = descriptor.weight_granularity_basis_points.max(1);
        let weight = if descriptor.weights { BASIS_POINTS.div_ceil(granularity).saturating_mul(granularity) } else { 0 };
        Desired {
            stable: Some(self.side("v1", 100)),
            candidate: Some(self.side("v2", 100)),
            traffic: Some(traffic(weight.min(10_000))),
        }
    }
}

/// Has a target prove itself. Panics with the name of the check that fails.
pub fn target<T: Target, W: Faulty>(case: &TargetCase<W>) {
    let descriptor = settings_are_checked::<T, W>(case);
    let canary = case.canary(&descriptor);
    let movements = [case.steady("v1"), canary.clone(), case.steady("v2"), case.steady("v1")];
    it_converges::<T, W>(case, &movements);
    it_survives_faults::<T, W>(case, &canary);
    if descriptor.fencing == Fencing::Native {
        older_fences_are_refused::<T, W>(case, &canary);
        late_writes_change_nothing::<T, W>(case, &canary);
    }
    for state in FOREIGN_STATES {
        let mut rig = Rig::<T, W>::new(case);
        rig.context.state = Some(state.to_vec());
        rig.converge("a-foreign-state-is-no-state", &canary);
    }
    inputs_are_answered::<T, W>(case);
}

fn settings_are_checked<T: Target, W: Faulty>(case: &TargetCase<W>) -> Descriptor {
    let check = "it-describes-itself";
    let descriptor = match describe::<T>(&case.settings) {
        Ok(descriptor) => descriptor,
        Err(fault) => panic!("conformance check `{check}`: expected a descriptor, found {}", fault.message),
    };
    let granularity = descriptor.weight_granularity_basis_points;
    let divides = !descriptor.weights || (1..=10_000).contains(&granularity);
    hold(check, divides, "weights in steps of 1 to 10000 basis points", &granularity.to_string());
    let answer = describe::<T>(&with_unknown(&case.settings)).map_err(|fault| fault.message);
    let named = matches!(&answer, Err(message) if message.contains(UNKNOWN));
    hold("unknown-settings-are-refused-by-name", named, &format!("an error that names {UNKNOWN}"), &format!("{answer:?}"));
    for settings in NOT_SETTINGS {
        let refused = describe::<T>(settings).is_err();
        hold("settings-that-are-no-object-are-an-error", refused, "an error", &format!("a descriptor for {settings}"));
    }
    descriptor
}

/// Goes through the movements in one world, and looks after each.
fn it_converges<T: Target, W: Faulty>(case: &TargetCase<W>, movements: &[Desired]) {
    let mut rig = Rig::<T, W>::new(case);
    for desired in movements {
        let before = rig.world.writes();
        let changes = rig.preview(desired);
        let check = "a-preview-changes-nothing";
        hold(check, rig.world.writes() == before, "no write", &format!("{} writes", rig.world.writes() - before));
        hold("a-preview-says-what-changes", !changes.is_empty(), "what would change", "nothing");
        let reported = rig.converge("it-converges", desired);
        rig.observed_is_true(&reported);
        let before = rig.world.writes();
        rig.converge("twice-is-the-same", desired);
        let more = rig.world.writes() - before;
        hold("twice-is-the-same", more == 0, "no write for what is there already", &format!("{more} writes"));
        let changes = rig.preview(desired);
        hold("a-preview-says-what-changes", changes.is_empty(), "no change for what is there already", &changes.join("; "));
    }
    rig.world.forget();
    let check = "observe-tells-the-truth";
    let found = rig.observe().unwrap_or_else(|why| panic!("conformance check `{check}`: expected an empty world, found {why}"));
    hold(check, summary(&found) == rig.seen(), &format!("{:?} after all was removed", rig.seen()), &format!("{found:?}"));
}

fn it_survives_faults<T: Target, W: Faulty>(case: &TargetCase<W>, desired: &Desired) {
    let mut rig = Rig::<T, W>::new(case);
    rig.world.set_fault(Fault::LoseOneAnswer);
    rig.disturbed("from-a-lost-answer", desired);
    for writes in 0..WRITES_TRIED_MAX {
        let mut rig = Rig::<T, W>::new(case);
        rig.converge("it-converges", &case.steady("v1"));
        rig.world.set_fault(Fault::FailAfter(writes));
        if !rig.disturbed("from-a-half-done-state", desired) {
            break;
        }
    }
    silence_is_no_success::<T, W>(case, desired);
}

fn silence_is_no_success<T: Target, W: Faulty>(case: &TargetCase<W>, desired: &Desired) {
    let check = "silence-is-no-success";
    let rig = Rig::<T, W>::new(case);
    rig.world.set_fault(Fault::Silent);
    let observed = rig.until_its_deadline(observe::<T>);
    hold(check, observed.is_err(), "an error where nothing answers", &format!("{observed:?}"));
    let progress = rig.until_its_deadline(|context| reconcile::<T>(context, desired));
    let may_come_back = match &progress {
        Progress::Failed(fault) => fault.retryable,
        Progress::InProgress(_) => true,
        Progress::Converged(_) | Progress::Superseded(_) => false,
    };
    hold(check, may_come_back, "on its way, or a fault that may end", &said(&progress));
}

fn older_fences_are_refused<T: Target, W: Faulty>(case: &TargetCase<W>, desired: &Desired) {
    let check = "an-older-fence-is-superseded";
    let mut rig = Rig::<T, W>::new(case);
    let reported = rig.converge(check, &case.steady("v1"));
    let highest = reported.highest_fence;
    hold(check, highest == FENCE, &format!("highest fence {FENCE} after a write with it"), &highest.to_string());
    let (writes, seen) = (rig.world.writes(), rig.seen());
    for older in [FENCE - 1, 0] {
        rig.context.fence = older;
        // What is asked for plays no part: neither a new state, nor the one that is there.
        for desired in [desired, &case.steady("v1")] {
            let progress = rig.reconcile(desired);
            let refused = matches!(progress, Progress::Superseded(FENCE));
            hold(check, refused, &format!("superseded by {FENCE} for fence {older}"), &said(&progress));
        }
    }
    hold(check, rig.world.writes() == writes, "no write with an older fence", &format!("{} writes", rig.world.writes() - writes));
    hold(check, rig.seen() == seen, &format!("{seen:?}"), &format!("{:?}", rig.seen()));
    rig.context.fence = FENCE + 1;
    let highest = rig.converge(check, desired).highest_fence;
    hold(check, highest == FENCE + 1, &format!("highest fence {} after it", FENCE + 1), &highest.to_string());
}

/// Two generations at once: a write of the older one is on its way for so long that the newer one has come to its end.
fn late_writes_change_nothing<T: Target, W: Faulty>(case: &TargetCase<W>, desired: &Desired) {
    let check = "a-write-that-arrives-late-changes-nothing";
    for writes in 0..WRITES_TRIED_MAX {
        let mut rig = Rig::<T, W>::new(case);
        rig.converge("it-converges", &case.steady("v1"));
        rig.context.fence = FENCE + 1;
        rig.world.set_fault(Fault::HoldAfter(writes));
        // What the older one makes of it plays no part: it may wait, fail or try again.
        for _ in 0..case.calls_max {
            if rig.world.fault_happened() || matches!(rig.reconcile(desired), Progress::Converged(_)) {
                break;
            }
        }
        if !rig.world.fault_happened() {
            break;
        }
        rig.context.fence = FENCE + 2;
        rig.context.outcome_unknown = true;
        rig.converge(check, &case.steady("v3"));
        let before = rig.seen();
        rig.world.deliver();
        let after = rig.seen();
        hold(check, after == before, &format!("still {before:?} in the world"), &format!("{after:?}"));
    }
}

/// Sends what is very large, and what is not there. It may be refused; it must be answered, and a success must be one.
fn inputs_are_answered<T: Target, W: Faulty>(case: &TargetCase<W>) {
    let check = "huge-and-empty-inputs-are-answered";
    let large = "x".repeat(LARGE_BYTES);
    let rule = RouteMatch { on: RequestKey::Header("x-test".to_owned()), value: "1".to_owned(), to: Side::Candidate };
    let many = Traffic { matches: vec![rule; LONG], ..traffic(0) };
    let configured = |configuration: &str| SideDesired { configuration: configuration.to_owned(), ..case.side("v1", 100) };
    let nameless = SideDesired { artifact_digest: String::new(), artifact_reference: String::new(), ..case.side("", 100) };
    let alone = |side| Desired { stable: Some(side), candidate: None, traffic: None };
    let inputs = [
        Desired { stable: None, candidate: None, traffic: None },
        Desired { traffic: Some(many), ..case.steady("v1") },
        alone(case.side(&large, 100)),
        alone(configured(&large)),
        alone(configured("")),
        alone(nameless),
        alone(case.side("v1", 0)),
    ];
    for desired in &inputs {
        let mut rig = Rig::<T, W>::new(case);
        let answer = catch_unwind(AssertUnwindSafe(|| {
            let _sentences = preview::<T>(rig.context.clone(), desired);
            rig.reconcile(desired)
        }));
        let Ok(progress) = answer else { panic!("conformance check `{check}`: expected an answer, found a panic") };
        let nothing_has_capacity = desired.stable.as_ref().is_some_and(|side| side.capacity_percent == 0);
        if matches!(progress, Progress::Converged(_)) && !nothing_has_capacity {
            hold(check, rig.seen() == wanted(desired), "what was asked for", "converged, and something else in the world");
        }
    }
}

/// A target in its world, and what is carried from one call to the next.
struct Rig<'a, T, W> {
    case: &'a TargetCase<W>,
    world: W,
    context: Context,
    target: std::marker::PhantomData<fn() -> T>,
}

impl<'a, T: Target, W: Faulty> Rig<'a, T, W> {
    fn new(case: &'a TargetCase<W>) -> Self {
        let context = Context { fence: FENCE, ..context(&case.settings) };
        Self { case, world: (case.world)(), context, target: std::marker::PhantomData }
    }

    fn seen(&self) -> Seen {
        (self.case.seen)(&self.world)
    }

    fn call<R>(&self, call: impl FnOnce(Context) -> R) -> R {
        self.world.call_begins(&self.context);
        in_world(self.world.clone(), || call(self.context.clone()))
    }

    /// Calls while the time of the call runs out.
    fn until_its_deadline<R>(&self, call: impl FnOnce(Context) -> R) -> R {
        self.world.call_begins(&self.context);
        in_world(Deadline::of(self.world.clone(), self.context.deadline_ms), || call(self.context.clone()))
    }

    fn observe(&self) -> Result<Observation, String> {
        self.call(observe::<T>).map_err(|fault| fault.message)
    }

    fn preview(&self, desired: &Desired) -> Vec<String> {
        let answer = self.call(|context| preview::<T>(context, desired));
        answer.unwrap_or_else(|fault| {
            panic!("conformance check `a-preview-says-what-changes`: expected sentences, found {}", fault.message)
        })
    }

    fn reconcile(&mut self, desired: &Desired) -> Progress {
        let progress = self.call(|context| reconcile::<T>(context, desired));
        self.context.attempt += 1;
        match &progress {
            Progress::Converged(found) => self.context.state.clone_from(&found.state),
            Progress::InProgress(pending) => self.context.state.clone_from(&pending.observation.state),
            Progress::Superseded(_) | Progress::Failed(_) => {}
        }
        progress
    }

    /// Calls until it has converged, and holds that against the world.
    fn converge(&mut self, check: &str, desired: &Desired) -> Observation {
        let mut last = "nothing".to_owned();
        for _ in 0..self.case.calls_max {
            let progress = self.reconcile(desired);
            last = said(&progress);
            match progress {
                Progress::Converged(found) => {
                    self.holds_what_is_wanted(check, desired);
                    return found;
                }
                Progress::Failed(fault) if !fault.retryable => break,
                Progress::Superseded(_) => break,
                Progress::Failed(_) | Progress::InProgress(_) => {}
            }
        }
        panic!("conformance check `{check}`: expected converged within {} calls, found {last}", self.case.calls_max)
    }

    /// Calls once in a world with a fault, has the world recover, and calls until it has converged. Returns whether the fault happened.
    fn disturbed(&mut self, check: &str, desired: &Desired) -> bool {
        let mut disturbed = false;
        for _ in 0..self.case.calls_max {
            let progress = self.reconcile(desired);
            disturbed = self.world.fault_happened();
            let settled = matches!(progress, Progress::Converged(_));
            if settled {
                self.holds_what_is_wanted(check, desired);
            }
            if settled || disturbed {
                break;
            }
        }
        self.world.set_fault(Fault::None);
        self.context.outcome_unknown = true;
        self.converge(check, desired);
        disturbed
    }

    fn holds_what_is_wanted(&self, check: &str, desired: &Desired) {
        let (seen, wanted) = (self.seen(), wanted(desired));
        hold(check, seen == wanted, &format!("converged only with {wanted:?} in the world"), &format!("{seen:?}"));
    }

    fn observed_is_true(&self, reported: &Observation) {
        let check = "observe-tells-the-truth";
        let observed =
            self.observe().unwrap_or_else(|why| panic!("conformance check `{check}`: expected an observation, found {why}"));
        let (one, other) = (facts(reported), facts(&observed));
        hold(check, one == other, &format!("what reconcile reported: {one}"), &other);
        let (found, seen) = (summary(&observed), self.seen());
        hold(check, found == seen, &format!("what is in the world: {seen:?}"), &format!("{found:?}"));
    }
}

fn traffic(candidate_basis_points: u16) -> Traffic {
    Traffic { candidate_basis_points, matches: Vec::new(), mirror_basis_points: 0, sticky: None }
}

fn wanted(desired: &Desired) -> Seen {
    let release = |side: &Option<SideDesired>| side.as_ref().map(|side| side.release.clone());
    Seen {
        stable: release(&desired.stable),
        candidate: release(&desired.candidate),
        candidate_basis_points: desired.traffic.as_ref().map_or(0, |traffic| traffic.candidate_basis_points),
    }
}

/// Returns an observation in the words that a case reads from the world.
fn summary(found: &Observation) -> Seen {
    let release = |side| found.sides.iter().find(|one| one.side == side).map(|one| one.release.clone());
    Seen {
        stable: release(Side::Stable),
        candidate: release(Side::Candidate),
        candidate_basis_points: found.candidate_basis_points,
    }
}

/// Returns an observation without the target's own state.
fn facts(found: &Observation) -> String {
    format!("{:?}", Observation { state: None, ..found.clone() })
}

fn said(progress: &Progress) -> String {
    match progress {
        Progress::Converged(_) => "converged".to_owned(),
        Progress::InProgress(pending) => format!("in progress: {}", pending.message),
        Progress::Superseded(highest) => format!("superseded by {highest}"),
        Progress::Failed(fault) => format!("failed: {}", fault.message),
    }
}
