//! Writing down steps: each with its name, its reason, its deadline and what it costs.

use model::{Arrangement, BasisPoints, Millis, Percent, Phase, Routing, Step, StepId, StepKind, WatchSpec};

/// How long our own bookkeeping may take.
const PROMOTE_DEADLINE: Millis = Millis::minutes(1);

/// The steps of a plan, in the order in which they are written down.
pub(crate) struct Steps {
    pub(crate) list: Vec<Step>,
    reconcile_deadline: Millis,
    extra: Percent,
}

/// What is behind a candidate when it is promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// The old release, at full capacity.
    OldStandsBy,
    /// An old release that cannot take the traffic at once.
    OldIsGone,
    /// Nothing: this is the first.
    Nothing,
    /// The release that an earlier one replaces, at full capacity.
    Earlier,
    /// The same, without it.
    EarlierAlone,
}

/// How the sides shall stand.
pub(crate) struct Stand {
    pub(crate) stable: Percent,
    pub(crate) candidate: Percent,
    pub(crate) routing: Routing,
}

impl Stand {
    /// What runs beyond the steady state. More than twice the full capacity is never asked for.
    fn extra(&self) -> Percent {
        let sum = u16::from(self.stable.get()) + u16::from(self.candidate.get());
        let extra = sum.saturating_sub(u16::from(Percent::FULL.get()));
        u8::try_from(extra).ok().and_then(Percent::new).unwrap_or(Percent::FULL)
    }
}

impl Steps {
    pub(crate) fn new(reconcile_deadline: Millis) -> Self {
        Self { list: Vec::new(), reconcile_deadline, extra: Percent::NONE }
    }

    /// Writes down a step that costs nothing by itself.
    pub(crate) fn step(&mut self, id: &str, phase: Phase, kind: StepKind, deadline: Millis, reason: String) {
        let id = StepId::new(id).unwrap_or_else(|invalid| panic!("BUG: {invalid}"));
        self.list.push(Step { id, phase, kind, reason, deadline, extra_capacity: self.extra, point_of_no_return: false });
    }

    pub(crate) fn reconcile(&mut self, id: &str, phase: Phase, stand: Stand, reason: impl Into<String>) {
        let after = stand.extra();
        let Stand { stable, candidate, routing } = stand;
        // While it goes from one stand to the next, the larger of both is needed.
        self.extra = self.extra.max(after);
        let kind = StepKind::Reconcile { arrangement: Arrangement::SideBySide { stable, candidate, routing } };
        self.step(id, phase, kind, self.reconcile_deadline, reason.into());
        self.extra = after;
    }

    pub(crate) fn watch(&mut self, id: &str, phase: Phase, spec: WatchSpec, reason: impl Into<String>) {
        let deadline = Millis(spec.duration.0.saturating_add(spec.patience.0));
        self.step(id, phase, StepKind::Watch(spec), deadline, reason.into());
    }

    /// Marks the candidate good. Where nothing stands by, this is where the way back ends.
    pub(crate) fn promote(&mut self, behind: Behind) {
        let reason = match behind {
            Behind::OldStandsBy => "the candidate has proven itself; it is the good side from here on",
            Behind::OldIsGone => "the candidate has proven itself; the old release no longer stands by at full capacity",
            Behind::Nothing => "the candidate has proven itself; it is the first good release here",
            Behind::Earlier => "the release was good before and is the good side again",
            Behind::EarlierAlone => "the release was good before; what it replaces no longer stands by",
        };
        self.step("promote", Phase::Promoting, StepKind::Promote, PROMOTE_DEADLINE, reason.to_owned());
        self.last_is_point_of_no_return(!matches!(behind, Behind::OldStandsBy | Behind::Earlier));
    }

    /// Leaves the candidate alone: the end of every plan.
    pub(crate) fn finish(&mut self, reason: &str) {
        let kind = StepKind::Reconcile { arrangement: Arrangement::CandidateAlone };
        self.step("finish", Phase::Finalising, kind, self.reconcile_deadline, reason.to_owned());
        self.last_is_point_of_no_return(true);
        self.extra = Percent::NONE;
    }

    fn last_is_point_of_no_return(&mut self, is_one: bool) {
        if let Some(step) = self.list.last_mut() {
            step.point_of_no_return = is_one;
        }
    }
}

/// Returns the weight as part of a step's name: `5`, `0-5`, `12-25`.
pub(crate) fn weight_name(weight: BasisPoints) -> String {
    weight.to_string().trim_end_matches('%').replace('.', "-")
}

/// Returns the capacity that serves a share of the traffic: the same share, rounded up, never nothing.
pub(crate) fn capacity_for(weight: BasisPoints) -> Percent {
    let percent = weight.get().div_ceil(100).max(1);
    u8::try_from(percent).ok().and_then(Percent::new).unwrap_or(Percent::FULL)
}
