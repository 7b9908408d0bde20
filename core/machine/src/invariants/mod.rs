//! What must hold, whatever happens: one numbered list, and a function for each entry that states, events and samples of a
//! target can show. Unit tests, random walks, the model checker, the simulator and end-to-end runs all ask the same functions.
//!
//! The list itself is [`LIST`]: number, name, sentence, and where it is checked. An entry that is checked *here* has a function of
//! the entry's name, in one of these files:
//!
//! | File | Asks about |
//! |---|---|
//! | [`effects`] | intents, fences, traffic and capacity of one step |
//! | [`progress`] | order of steps, watches, approvals, time, waiting |
//! | [`turning`] | the way back, promotion and the ends |
//! | [`history`] | the whole journal of a deployment |
//! | [`target`] | samples of what really runs |
//!
//! A *step* is one event with the states on both sides of it. Nothing here panics on a broken state: it says which invariant is
//! broken, with both values.

use alloc::string::String;
use core::fmt;

use model::{Event, Phase, State};

pub mod effects;
pub mod history;
pub mod progress;
pub mod target;
pub mod turning;

mod list;

pub use list::{CheckedAt, Invariant, LIST};
pub use target::{SideSample, TargetSample};

/// One event, with the states before and after it.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// The state before; `None` before the first event of a deployment.
    pub before: Option<&'a State>,
    /// What happened.
    pub event: &'a Event,
    /// The state after.
    pub after: &'a State,
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Its number in [`LIST`].
    pub number: u8,
    /// Its name there.
    pub name: &'static str,
    /// What was found, against what must hold.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} broken, {}: {}", self.number, self.name, self.message)
    }
}

impl core::error::Error for Violation {}

/// What a check answers: nothing, or what was found against what must hold.
pub type Checked = Result<(), String>;

/// Checks of one kind, each with its number and name. Made by `named!`, so that name and function cannot differ.
type Table<Check> = &'static [(u8, &'static str, Check)];

type StepCheck = fn(&Step<'_>) -> Checked;
type HistoryCheck = fn(&[Event], &State) -> Checked;
type TargetCheck = fn(Option<&TargetSample>, &TargetSample, &State) -> Checked;
type EndCheck = fn(&State, &TargetSample) -> Checked;

macro_rules! named {
    ($($number:literal $module:ident :: $name:ident),* $(,)?) => {
        &[$(($number, stringify!($name), $module::$name)),*]
    };
}

/// The checks of one step.
const STEP: Table<StepCheck> = named![
    2 effects::weights_sum_to_ten_thousand,
    3 effects::traffic_only_to_sides_with_confirmed_capacity,
    4 effects::capacity_is_never_taken_from_under_traffic,
    5 effects::every_outcome_names_a_journaled_intent,
    7 effects::fences_only_grow,
    8 effects::one_effect_on_the_target_at_a_time,
    9 effects::a_retry_keeps_key_and_fence,
    10 effects::retries_stay_within_their_limit,
    11 effects::no_forward_effect_in_a_paused_state,
    12 turning::no_forward_effect_after_turning_back,
    13 progress::terminal_states_absorb,
    14 progress::versions_are_gap_free,
    15 progress::the_plan_in_force_never_changes,
    16 progress::every_waiting_state_has_a_reason_and_a_deadline,
    17 progress::steps_follow_in_their_order,
    18 progress::an_inconclusive_verdict_never_advances,
    20 progress::an_approval_counts_once_from_those_entitled_and_in_time,
    21 progress::time_alone_changes_nothing_before_its_deadline,
    22 turning::the_good_side_changes_only_by_a_promotion_or_its_reversal,
    23 turning::a_promotion_is_reversed_only_while_the_old_side_stands_by,
    24 turning::nothing_is_taken_back_past_a_point_of_no_return,
    25 turning::a_way_back_undoes_exactly_what_was_done_in_reverse_order,
    26 turning::traffic_is_restored_before_capacity_is_taken_away,
    27 turning::an_undo_completes_at_most_once,
    28 turning::an_end_without_effects_left_the_world_alone,
    29 turning::a_rolled_back_deployment_left_the_good_side_with_all_traffic,
    30 turning::a_succeeded_deployment_left_the_candidate_alone_with_all_traffic,
    54 progress::a_dry_run_verdict_decides_nothing,
    55 progress::a_look_is_not_taken_before_its_time,
];

/// The checks of a whole journal.
const HISTORY: Table<HistoryCheck> = named![
    6 history::every_intent_has_a_key_of_its_own,
    19 history::promotion_only_after_every_watch_before_it_ended_healthy,
    31 history::the_journal_folds_to_the_state,
];

/// The checks of a sample of the target, with the sample before it.
const TARGET: Table<TargetCheck> = named![
    32 target::the_highest_fence_seen_never_falls,
    33 target::the_target_has_seen_no_fence_that_was_not_journaled,
    34 target::the_target_sends_traffic_only_to_sides_that_are_ready,
    35 target::the_target_runs_only_what_was_asked_for,
];

/// The checks of a target at the end of a deployment, and for as long as no other is active in its scope.
const END: Table<EndCheck> = named![
    36 target::after_a_way_back_the_target_runs_the_old_release_alone,
    37 target::after_a_success_the_target_runs_the_new_release_alone,
];

fn broken(number: u8, name: &'static str) -> impl FnOnce(String) -> Violation {
    move |message| Violation { number, name, message }
}

/// Returns the first invariant that one event broke, if it broke one.
pub fn check_step(before: Option<&State>, event: &Event, after: &State) -> Result<(), Violation> {
    let step = Step { before, event, after };
    STEP.iter().try_for_each(|(number, name, check)| check(&step).map_err(broken(*number, name)))
}

/// Returns the invariant that a deployment breaks after all events of a command: it would stand still and nobody would know.
pub fn check_settled(state: &State) -> Result<(), Violation> {
    progress::whoever_waits_for_an_answer_has_asked(state).map_err(broken(53, "whoever_waits_for_an_answer_has_asked"))
}

/// Returns the first invariant that the whole journal of a deployment breaks. `state` is what the caller holds it to have led to.
pub fn check_history(events: &[Event], state: &State) -> Result<(), Violation> {
    HISTORY.iter().try_for_each(|(number, name, check)| check(events, state).map_err(broken(*number, name)))
}

/// Returns the first invariant that a sample of the target breaks. `state` is the scope's active deployment, or its last; its
/// state must be at least as new as the sample.
pub fn check_target(before: Option<&TargetSample>, after: &TargetSample, state: &State) -> Result<(), Violation> {
    TARGET.iter().try_for_each(|(number, name, check)| check(before, after, state).map_err(broken(*number, name)))
}

/// Returns the first invariant that a deployment breaks which should have come to rest: faults are healed and time went on.
///
/// It is over, or a person is asked; and where it is over, the target shows it, late messages included.
pub fn check_end(state: &State, sample: &TargetSample) -> Result<(), Violation> {
    turning::every_deployment_comes_to_rest(state).map_err(broken(38, "every_deployment_comes_to_rest"))?;
    END.iter().try_for_each(|(number, name, check)| check(state, sample).map_err(broken(*number, name)))
}

/// Returns whether more than one of the deployments, all of one scope, is active.
pub fn check_scope<'a>(deployments: impl IntoIterator<Item = &'a State>) -> Result<(), Violation> {
    let active = deployments.into_iter().filter(|state| state.is_active());
    let active: alloc::vec::Vec<(&str, Phase)> = active.map(|state| (state.id.as_str(), state.phase())).collect();
    match active.len() {
        0 | 1 => Ok(()),
        _ => Err(broken(1, "at_most_one_active_deployment_per_scope")(alloc::format!("active at once: {active:?}, wanted one"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_numbered_from_one_without_gaps_and_no_name_stands_twice() {
        for (index, entry) in LIST.iter().enumerate() {
            assert_eq!(usize::from(entry.number), index + 1, "{}", entry.name);
            assert_eq!(LIST.iter().filter(|other| other.name == entry.name).count(), 1, "{}", entry.name);
        }
    }

    #[test]
    fn what_the_list_says_is_checked_here_is_checked_here_and_the_other_way_round() {
        let mut checked: alloc::vec::Vec<(u8, &str)> =
            alloc::vec![(1, "at_most_one_active_deployment_per_scope"), (38, "every_deployment_comes_to_rest"),];
        checked.extend(STEP.iter().map(|(number, name, _)| (*number, *name)));
        checked.extend(HISTORY.iter().map(|(number, name, _)| (*number, *name)));
        checked.extend(TARGET.iter().map(|(number, name, _)| (*number, *name)));
        checked.extend(END.iter().map(|(number, name, _)| (*number, *name)));
        checked.push((53, "whoever_waits_for_an_answer_has_asked"));
        checked.sort_unstable();
        let listed = LIST.iter().filter(|entry| entry.checked_at.contains(&CheckedAt::Machine));
        let listed: alloc::vec::Vec<(u8, &str)> = listed.map(|entry| (entry.number, entry.name)).collect();
        assert_eq!(checked, listed);
    }
}
