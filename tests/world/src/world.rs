//! A world to deploy into: a target that reconciles absolute states and refuses old fences, and actions that do the same.

use std::collections::{BTreeMap, BTreeSet};

use machine::invariants::{SideSample, TargetSample};
use model::{
    Assessment, BasisPoints, Call, Desired, Fault, Fence, GateAnswer, Observation, OperationKey, OperationKind, Percent,
    Progress, ReleaseSpec, ReportOutcome, Routing, Side, SideDesired, SideObservation, Stage, State, StepKind, Verdict,
};

/// How the candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Candidate {
    /// It comes up and is healthy.
    Well,
    /// It comes up and is not healthy.
    Unhealthy,
    /// It never comes up, and the target says "not yet" to any state that has it.
    NeverReady,
    /// It never stays up, and the target fails any state that has it.
    Crashing,
}

/// Whom a target refuses. All but the first are mutations, to be found out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Whoever has a fence below the highest seen, as it should be.
    Fence,
    /// Nobody: it applies whatever comes, however old it is.
    Nobody,
    /// Whoever comes twice: each key is applied once.
    Key(BTreeSet<OperationKey>),
}

/// What runs where, and how the target treats what comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// The highest fence that the target has seen.
    pub fence: Fence,
    /// What runs on the stable side.
    pub stable: Option<SideDesired>,
    /// What runs on the candidate's side.
    pub candidate: Option<SideDesired>,
    /// Where traffic goes.
    pub routing: Routing,
    /// How the candidate is.
    pub candidate_is: Candidate,
    /// Whom the target refuses.
    pub guard: Guard,
    /// Which actions have had their effect, with the highest fence that each has seen.
    pub actions: BTreeMap<usize, (bool, Fence)>,
}

impl World {
    /// Returns a world with a release that has all traffic, or an empty one, in which a fence was seen.
    pub fn new(stable: Option<ReleaseSpec>, fence: Fence) -> Self {
        let routing = if stable.is_some() { Routing::weights(BasisPoints::NONE) } else { Routing::Closed };
        Self {
            fence,
            stable: stable.map(|release| SideDesired { release, capacity: Percent::FULL }),
            candidate: None,
            routing,
            candidate_is: Candidate::Well,
            guard: Guard::Fence,
            actions: BTreeMap::new(),
        }
    }

    /// Does what is asked, at once and as well as it can, and answers truthfully.
    pub fn perform(&mut self, call: &Call) -> ReportOutcome {
        let fence = call.operation.fence.unwrap_or_default();
        let changes = call.operation.fence.is_some();
        if let Guard::Key(seen) = &mut self.guard
            && changes
            && !seen.insert(call.operation.key.clone())
        {
            return ReportOutcome::Progress(Progress::Converged(self.observation()));
        }
        match &call.operation.kind {
            OperationKind::AskGate => gate(GateAnswer::Pass, "all tests pass"),
            OperationKind::Look { .. } => match self.candidate_is {
                Candidate::Well => look(Verdict::Healthy, "no errors"),
                Candidate::Unhealthy | Candidate::NeverReady | Candidate::Crashing => look(Verdict::Unhealthy, "errors"),
            },
            OperationKind::Reconcile { desired } => ReportOutcome::Progress(self.reconcile(desired, fence)),
            OperationKind::Act { step } => ReportOutcome::Progress(self.act(*step, fence, true)),
            OperationKind::Undo { step } => ReportOutcome::Progress(self.act(*step, fence, false)),
        }
    }

    /// Does what a deployment asks; checks of its current watch that only run dry say the contrary of what is so. Nothing may come of it.
    pub fn perform_for(&mut self, state: &State, call: &Call) -> ReportOutcome {
        let outcome = self.perform(call);
        match outcome {
            ReportOutcome::Look(found) if is_dry_run(state, call) => {
                let verdict = if found.verdict == Verdict::Healthy { Verdict::Unhealthy } else { Verdict::Healthy };
                look(verdict, "the contrary")
            }
            outcome => outcome,
        }
    }

    fn act(&mut self, step: usize, fence: Fence, done: bool) -> Progress {
        let (_, seen) = self.actions.get(&step).copied().unwrap_or_default();
        if fence < seen && self.guard == Guard::Fence {
            return Progress::Superseded(seen);
        }
        self.actions.insert(step, (done, fence.max(seen)));
        Progress::Converged(Observation::default())
    }

    /// Applies a desired state, and answers how far it came.
    pub fn reconcile(&mut self, desired: &Desired, fence: Fence) -> Progress {
        if fence < self.fence && self.guard == Guard::Fence {
            return Progress::Superseded(self.fence);
        }
        self.fence = self.fence.max(fence);
        self.stable.clone_from(&desired.stable);
        self.candidate.clone_from(&desired.candidate);
        self.routing = desired.routing.clone();
        let ill = desired.candidate.is_some() && !self.candidate_stands();
        match (ill, self.candidate_is) {
            (true, Candidate::Crashing) => failed("the candidate exits again and again", false),
            (true, _) => self.in_progress(1_000, "the candidate is not ready"),
            (false, _) => Progress::Converged(self.observation()),
        }
    }

    /// Returns the answer of a target that is not there yet.
    pub fn in_progress(&self, retry_after_ms: u64, message: &str) -> Progress {
        Progress::InProgress { observation: self.observation(), retry_after_ms, message: message.into() }
    }

    fn candidate_stands(&self) -> bool {
        matches!(self.candidate_is, Candidate::Well | Candidate::Unhealthy)
    }

    /// Returns what the target sees.
    pub fn observation(&self) -> Observation {
        let seen = |side: Side, found: &Option<SideDesired>, stands: bool| {
            found.as_ref().map(|found| SideObservation {
                side,
                release: found.release.id.clone(),
                digest: found.release.artifact.digest,
                ready: if stands { u32::from(found.capacity.get()) } else { 0 },
                wanted: u32::from(found.capacity.get()),
                endpoint: None,
            })
        };
        let stable = seen(Side::Stable, &self.stable, true);
        let candidate = seen(Side::Candidate, &self.candidate, self.candidate_stands());
        Observation {
            sides: stable.into_iter().chain(candidate).collect(),
            candidate_weight: self.routing.share(Side::Candidate),
            public_endpoint: None,
            highest_fence: self.fence,
            drift: Vec::new(),
        }
    }

    /// Returns what is placed on each side; that a candidate dies of itself is not the machine's doing, and not shown here.
    pub fn sample(&self) -> TargetSample {
        let placed = |side: &Option<SideDesired>| {
            side.as_ref().map(|s| SideSample { release: s.release.id.clone(), ready: u32::from(s.capacity.get()) })
        };
        TargetSample {
            highest_fence: self.fence,
            routing: self.routing.clone(),
            stable: placed(&self.stable),
            candidate: placed(&self.candidate),
        }
    }
}

fn is_dry_run(state: &State, call: &Call) -> bool {
    let (Stage::Forward { step, .. }, OperationKind::Look { check }) = (&state.stage, &call.operation.kind) else { return false };
    let StepKind::Watch(spec) = &state.plan.steps[*step].kind else { return false };
    spec.checks.get(*check).is_some_and(|check| !check.role.decides())
}

/// Returns a gate's answer.
pub fn gate(answer: GateAnswer, sentence: &str) -> ReportOutcome {
    ReportOutcome::Gate { answer, retry_after_ms: 5_000, measurements: Vec::new(), sentence: sentence.into() }
}

/// Returns what a look found.
pub fn look(verdict: Verdict, sentence: &str) -> ReportOutcome {
    ReportOutcome::Look(Assessment {
        verdict,
        measurements: Vec::new(),
        sentence: sentence.into(),
        plugin_state: None,
        next_look_after: None,
    })
}

/// Returns the answer of a target that failed.
pub fn failed(message: &str, retryable: bool) -> Progress {
    Progress::Failed(Fault { message: message.into(), retryable })
}
