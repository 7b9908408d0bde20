//! What the events say beyond the state: when steps began and ended, and what the checks of the last watch found.

use std::collections::HashMap;

use model::{Assessment, Event, HowCompleted, OperationKey, OperationKind, OperationResult, Plan, StepKind, Timestamp, Verdict};

use super::step;

/// What is known of one step's time.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepTimes {
    pub(crate) entered_at: Option<Timestamp>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) completed: bool,
    pub(crate) note: String,
}

/// What is known of one check of the last watch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked {
    pub(crate) looks: u32,
    pub(crate) unhealthy_in_a_row: u32,
    pub(crate) errors_in_a_row: u32,
    pub(crate) last: Option<Assessment>,
}

/// Folded from the events of one deployment, from the first on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    pub(crate) steps: Vec<StepTimes>,
    /// What each step does.
    pub(crate) does: Vec<String>,
    pub(crate) back: Vec<StepTimes>,
    /// What each step of the way back does.
    pub(crate) back_does: Vec<String>,
    /// The index of the last watch that was entered.
    pub(crate) watch: Option<usize>,
    pub(crate) checks: Vec<Looked>,
    /// The check of the last look that came back.
    pub(crate) last_look: Option<usize>,
    current: Option<usize>,
    looking: HashMap<OperationKey, usize>,
}

impl Timeline {
    /// Takes the next event.
    pub(crate) fn take(&mut self, event: &Event, plan: &Plan) {
        if self.does.is_empty() {
            self.steps.resize_with(plan.steps.len(), StepTimes::default);
            self.does = path::explain(plan).into_iter().map(|step| step.does).collect();
        }
        match event {
            Event::StepEntered { step, at, .. } => self.entered(*step, *at, plan),
            Event::StepCompleted { step, how, at } => self.completed(*step, how, *at),
            Event::OperationIntended { operation, .. } => {
                if let OperationKind::Look { check } = operation.kind {
                    self.looking.insert(operation.key.clone(), check);
                }
            }
            Event::OperationCompleted { key, result: OperationResult::Look(found), .. } => self.looked(key, found),
            Event::OperationCompleted { result: OperationResult::Gate { sentence, .. }, .. } => self.judged(sentence),
            Event::TurnedBack { steps, at, .. } => {
                self.failed(*at);
                self.back = steps.iter().map(|_| StepTimes::default()).collect();
                self.back_does = steps.iter().map(|step| step::does_back(step, plan)).collect();
                self.back_entered(0, *at);
            }
            Event::BackStepCompleted { step, at } => {
                if let Some(times) = self.back.get_mut(*step) {
                    (times.ended_at, times.completed) = (Some(*at), true);
                }
                self.back_entered(step + 1, *at);
            }
            Event::Ended { at, .. } => self.failed(*at),
            Event::Requested { .. }
            | Event::Activated { .. }
            | Event::OperationProgressed { .. }
            | Event::OperationRetried { .. }
            | Event::OperationCompleted { .. }
            | Event::OperationAbandoned { .. }
            | Event::Approved { .. }
            | Event::Paused { .. }
            | Event::Resumed { .. }
            | Event::CandidatePromoted { .. }
            | Event::PromotionReverted { .. } => {}
        }
    }

    fn entered(&mut self, step: usize, at: Timestamp, plan: &Plan) {
        self.current = Some(step);
        if let Some(times) = self.steps.get_mut(step) {
            times.entered_at = Some(at);
        }
        if let Some(StepKind::Watch(spec)) = plan.steps.get(step).map(|step| &step.kind) {
            self.watch = Some(step);
            self.checks = spec.checks.iter().map(|_| Looked::default()).collect();
            self.looking.clear();
        }
    }

    fn completed(&mut self, step: usize, how: &HowCompleted, at: Timestamp) {
        self.current = None;
        let Some(times) = self.steps.get_mut(step) else { return };
        (times.ended_at, times.completed) = (Some(at), true);
        if let HowCompleted::WaivedBy(by) = how {
            times.note = format!("waived by {}", by.name);
        }
    }

    /// A gate said what it found: a yes has reasons, too.
    fn judged(&mut self, sentence: &str) {
        if let Some(times) = self.current.and_then(|step| self.steps.get_mut(step)) {
            times.note = sentence.to_owned();
        }
    }

    /// The step that ran, if one did, came to a bad end.
    fn failed(&mut self, at: Timestamp) {
        let running = self.current.take().and_then(|step| self.steps.get_mut(step));
        let back = self.back.iter_mut().find(|times| times.ended_at.is_none());
        for times in running.into_iter().chain(back) {
            times.ended_at = Some(at);
        }
    }

    fn back_entered(&mut self, step: usize, at: Timestamp) {
        if let Some(times) = self.back.get_mut(step) {
            times.entered_at = Some(at);
        }
    }

    fn looked(&mut self, key: &OperationKey, found: &Assessment) {
        self.last_look = self.looking.remove(key);
        let Some(check) = self.last_look.and_then(|check| self.checks.get_mut(check)) else { return };
        check.looks += 1;
        // Counted as the machine counts them: a look that saw nothing takes nothing back.
        check.unhealthy_in_a_row = match found.verdict {
            Verdict::Unhealthy => check.unhealthy_in_a_row + 1,
            Verdict::Inconclusive | Verdict::Error => check.unhealthy_in_a_row,
            Verdict::Healthy => 0,
        };
        check.errors_in_a_row = if found.verdict == Verdict::Error { check.errors_in_a_row + 1 } else { 0 };
        check.last = Some(found.clone());
    }
}
