//! A world to deploy into: a target that reconciles absolute states and refuses old fences, and actions that do the same.

use std::collections::BTreeMap;

use machine::invariants::{SideSample, TargetSample};
use model::{
    Assessment, BasisPoints, Call, Desired, Fence, GateAnswer, Observation, OperationKind, Progress, ReportOutcome, Routing,
    Side, SideDesired, SideObservation, Verdict,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    fence: Fence,
    stable: Option<SideDesired>,
    candidate: Option<SideDesired>,
    routing: Routing,
    /// Which actions have had their effect, with the highest fence that each has seen.
    actions: BTreeMap<usize, (bool, Fence)>,
    pub(crate) healthy: bool,
}

impl World {
    /// A world in which nothing runs.
    pub(crate) fn empty() -> Self {
        let (stable, candidate, actions) = (None, None, BTreeMap::new());
        Self { fence: Fence::default(), stable, candidate, routing: Routing::Closed, actions, healthy: true }
    }

    /// Does what is asked, at once, and answers truthfully.
    pub(crate) fn perform(&mut self, call: &Call) -> ReportOutcome {
        let fence = call.operation.fence.unwrap_or_default();
        match &call.operation.kind {
            OperationKind::AskGate => gate(GateAnswer::Pass),
            OperationKind::Look { .. } => look(if self.healthy { Verdict::Healthy } else { Verdict::Unhealthy }),
            OperationKind::Reconcile { desired } => ReportOutcome::Progress(self.reconcile(desired, fence)),
            OperationKind::Act { step } => ReportOutcome::Progress(self.act(*step, fence, true)),
            OperationKind::Undo { step } => ReportOutcome::Progress(self.act(*step, fence, false)),
        }
    }

    fn act(&mut self, step: usize, fence: Fence, done: bool) -> Progress {
        let (_, seen) = self.actions.get(&step).copied().unwrap_or_default();
        if fence < seen {
            return Progress::Superseded(seen);
        }
        self.actions.insert(step, (done, fence));
        Progress::Converged(Observation::default())
    }

    fn reconcile(&mut self, desired: &Desired, fence: Fence) -> Progress {
        if fence < self.fence {
            return Progress::Superseded(self.fence);
        }
        self.fence = fence;
        self.stable.clone_from(&desired.stable);
        self.candidate.clone_from(&desired.candidate);
        self.routing = desired.routing.clone();
        Progress::Converged(self.observation())
    }

    pub(crate) fn observation(&self) -> Observation {
        let seen = |side: Side, found: &Option<SideDesired>| {
            found.as_ref().map(|found| SideObservation {
                side,
                release: found.release.id.clone(),
                digest: found.release.artifact.digest,
                ready: u32::from(found.capacity.get()),
                wanted: u32::from(found.capacity.get()),
                endpoint: None,
            })
        };
        let (stable, candidate) = (seen(Side::Stable, &self.stable), seen(Side::Candidate, &self.candidate));
        Observation {
            sides: stable.into_iter().chain(candidate).collect(),
            candidate_weight: self.routing.share(Side::Candidate),
            public_endpoint: None,
            highest_fence: self.fence,
            drift: Vec::new(),
        }
    }

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

    /// Returns what is left when everybody has gone, whatever fences it took to get there.
    pub(crate) fn without_fences(&self) -> Self {
        let actions = self.actions.iter().map(|(step, (done, _))| (*step, (*done, Fence::default()))).collect();
        Self { fence: Fence::default(), actions, ..self.clone() }
    }
}

/// Returns whether a call gives the candidate traffic.
pub(crate) fn shifts(call: &Call) -> bool {
    match &call.operation.kind {
        OperationKind::Reconcile { desired } => desired.routing.share(Side::Candidate) > BasisPoints::NONE,
        OperationKind::AskGate | OperationKind::Look { .. } | OperationKind::Act { .. } | OperationKind::Undo { .. } => false,
    }
}

fn gate(answer: GateAnswer) -> ReportOutcome {
    ReportOutcome::Gate { answer, retry_after_ms: 5_000, measurements: Vec::new(), sentence: "all tests pass".into() }
}

pub(crate) fn look(verdict: Verdict) -> ReportOutcome {
    let sentence = "as the test says".into();
    let (measurements, plugin_state, next_look_after) = (Vec::new(), None, None);
    ReportOutcome::Look(Assessment { verdict, measurements, sentence, plugin_state, next_look_after })
}
