//! A world to deploy into: a target that reconciles absolute states and refuses old fences, and actions that do the same.

use std::collections::BTreeMap;

use machine::invariants::{SideSample, TargetSample};
use model::{
    Assessment, BasisPoints, Call, Desired, Fault, Fence, GateAnswer, Observation, OperationKind, Percent, Progress, ReleaseSpec,
    ReportOutcome, Routing, Side, SideDesired, SideObservation, Verdict,
};

/// How the candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidate {
    /// It comes up and is healthy.
    Well,
    /// It comes up and is not healthy.
    Unhealthy,
    /// It never comes up, and the target says "not yet" to any state that has it.
    NeverReady,
    /// It never stays up, and the target fails any state that has it.
    Crashing,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) fence: Fence,
    pub(crate) stable: Option<SideDesired>,
    pub(crate) candidate: Option<SideDesired>,
    pub(crate) routing: Routing,
    pub(crate) candidate_is: Candidate,
    /// The mutation: a target that applies whatever comes, however old it is.
    pub(crate) checks_fences: bool,
    /// Which actions have had their effect, with the highest fence that each has seen.
    pub(crate) actions: BTreeMap<usize, (bool, Fence)>,
}

impl World {
    pub(crate) fn new(stable: Option<ReleaseSpec>, fence: Fence) -> Self {
        let routing = if stable.is_some() { Routing::weights(BasisPoints::NONE) } else { Routing::Closed };
        Self {
            fence,
            stable: stable.map(|release| SideDesired { release, capacity: Percent::FULL }),
            candidate: None,
            routing,
            candidate_is: Candidate::Well,
            checks_fences: true,
            actions: BTreeMap::new(),
        }
    }

    /// Does what is asked, at once and as well as it can, and answers truthfully.
    pub(crate) fn perform(&mut self, call: &Call) -> ReportOutcome {
        let fence = call.operation.fence.unwrap_or_default();
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

    fn act(&mut self, step: usize, fence: Fence, done: bool) -> Progress {
        let (_, seen) = self.actions.get(&step).copied().unwrap_or_default();
        if fence < seen && self.checks_fences {
            return Progress::Superseded(seen);
        }
        self.actions.insert(step, (done, fence.max(seen)));
        Progress::Converged(Observation::default())
    }

    pub(crate) fn reconcile(&mut self, desired: &Desired, fence: Fence) -> Progress {
        if fence < self.fence && self.checks_fences {
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

    pub(crate) fn in_progress(&self, retry_after_ms: u64, message: &str) -> Progress {
        Progress::InProgress { observation: self.observation(), retry_after_ms, message: message.into() }
    }

    fn candidate_stands(&self) -> bool {
        matches!(self.candidate_is, Candidate::Well | Candidate::Unhealthy)
    }

    pub(crate) fn observation(&self) -> Observation {
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
    pub(crate) fn sample(&self) -> TargetSample {
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

pub(crate) fn gate(answer: GateAnswer, sentence: &str) -> ReportOutcome {
    ReportOutcome::Gate { answer, retry_after_ms: 5_000, measurements: Vec::new(), sentence: sentence.into() }
}

pub(crate) fn look(verdict: Verdict, sentence: &str) -> ReportOutcome {
    ReportOutcome::Look(Assessment {
        verdict,
        measurements: Vec::new(),
        sentence: sentence.into(),
        plugin_state: None,
        next_look_after: None,
    })
}

pub(crate) fn failed(message: &str, retryable: bool) -> Progress {
    Progress::Failed(Fault { message: message.into(), retryable })
}
