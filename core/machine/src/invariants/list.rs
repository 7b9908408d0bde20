//! The list: what must hold, and where it is checked.

/// Where an invariant is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedAt {
    /// By a function here, on states, events and samples.
    Machine,
    /// By the conformance suite of the journal's stores, and by killing them.
    Store,
    /// By the tests of the engine's loop: leases, requests, the order of commit and effect.
    Engine,
    /// By the tests of the plugin host and the driver: what leaves the process, and on whose behalf.
    Host,
    /// By runs of the whole system with real processes and real traffic.
    EndToEnd,
}

/// One entry of the list.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// Its number; stays with it for ever.
    pub number: u8,
    /// Its name: the sentence in short, and the name of its function where it has one here.
    pub name: &'static str,
    /// What must hold.
    pub sentence: &'static str,
    /// Where that is checked.
    pub checked_at: &'static [CheckedAt],
}

use CheckedAt::{EndToEnd, Engine, Host, Machine, Store};

const fn entry(number: u8, name: &'static str, sentence: &'static str, checked_at: &'static [CheckedAt]) -> Invariant {
    Invariant { number, name, sentence, checked_at }
}

/// Every invariant. Safety unless the sentence says "comes to" or "in the end".
#[rustfmt::skip]
pub const LIST: &[Invariant] = &[
    entry(1, "at_most_one_active_deployment_per_scope", "of one service and environment, at most one deployment is active", &[Machine, Store, Engine]),
    entry(2, "weights_sum_to_ten_thousand", "the weights of the two sides are within 0 and 10 000 and sum to 10 000, or nobody is served", &[Machine, EndToEnd]),
    entry(3, "traffic_only_to_sides_with_confirmed_capacity", "no effect asks for traffic to a side whose capacity was not confirmed, or may have gone since", &[Machine]),
    entry(4, "capacity_is_never_taken_from_under_traffic", "no effect on the way forward takes the capacity of a side that traffic may still reach, unless it closes the door", &[Machine]),
    entry(5, "every_outcome_names_a_journaled_intent", "progress, failure and end of an operation name one that was intended before and is open", &[Machine]),
    entry(6, "every_intent_has_a_key_of_its_own", "no two intents of a deployment have one key", &[Machine]),
    entry(7, "fences_only_grow", "the highest fence of a scope never falls, and each intent that changes the world takes a higher one than all before it", &[Machine, Store]),
    entry(8, "one_effect_on_the_target_at_a_time", "at most one open operation changes the world", &[Machine]),
    entry(9, "a_retry_keeps_key_and_fence", "however often an operation is attempted, its key, its fence and what it asks for stay", &[Machine]),
    entry(10, "retries_stay_within_their_limit", "on the way forward no operation fails more often in a row than the plan allows", &[Machine]),
    entry(11, "no_forward_effect_in_a_paused_state", "while it stands still, a deployment intends nothing and owes no calls", &[Machine]),
    entry(12, "no_forward_effect_after_turning_back", "a deployment that is taken back, aborted or superseded goes only back", &[Machine]),
    entry(13, "terminal_states_absorb", "no event follows the end", &[Machine, Store]),
    entry(14, "versions_are_gap_free", "each event raises the version by one", &[Machine, Store]),
    entry(15, "the_plan_in_force_never_changes", "the plan that was requested, shown and approved is the plan that runs", &[Machine]),
    entry(16, "every_waiting_state_has_a_reason_and_a_deadline", "a deployment that is not over says what it waits for and when that will have lasted too long", &[Machine]),
    entry(17, "steps_follow_in_their_order", "a step is entered when the one before it is done, or anew after a pause; every gate before a promotion has passed", &[Machine]),
    entry(18, "an_inconclusive_verdict_never_advances", "a watch ends with the last look of every check that decides healthy and none on its way, or waived by a person", &[Machine]),
    entry(19, "promotion_only_after_every_watch_before_it_ended_healthy", "every watch before the promotion ended healthy, or was waived by a named person", &[Machine]),
    entry(20, "an_approval_counts_once_from_those_entitled_and_in_time", "an approval is for the plan and step that ask, by somebody asked, once each, not by the requester where that is forbidden, and not after its expiry", &[Machine]),
    entry(21, "time_alone_changes_nothing_before_its_deadline", "a wait, a watch, an expiry and a passed deadline never come before their stored instant", &[Machine]),
    entry(22, "the_good_side_changes_only_by_a_promotion_or_its_reversal", "which side is known good is stored and never inferred", &[Machine]),
    entry(23, "a_promotion_is_reversed_only_while_the_old_side_stands_by", "the old side becomes the good one again only where it may be relied on at full capacity", &[Machine]),
    entry(24, "nothing_is_taken_back_past_a_point_of_no_return", "past a point of no return a deployment goes forward or stops", &[Machine]),
    entry(25, "a_way_back_undoes_exactly_what_was_done_in_reverse_order", "actions that may have had an effect and can be undone are, and no others", &[Machine]),
    entry(26, "traffic_is_restored_before_capacity_is_taken_away", "the candidate is removed only once the good side is confirmed to have all traffic", &[Machine]),
    entry(27, "an_undo_completes_at_most_once", "the steps of a way back are completed in their order, each once", &[Machine]),
    entry(28, "an_end_without_effects_left_the_world_alone", "what ends as rejected or expired has asked for nothing", &[Machine]),
    entry(29, "a_rolled_back_deployment_left_the_good_side_with_all_traffic", "in rolled-back, aborted and superseded the good side alone is confirmed with all traffic", &[Machine, EndToEnd]),
    entry(30, "a_succeeded_deployment_left_the_candidate_alone_with_all_traffic", "in succeeded the candidate is good and alone is confirmed with all traffic", &[Machine, EndToEnd]),
    entry(31, "the_journal_folds_to_the_state", "folding the events gives the state, whatever snapshot it was loaded from", &[Machine, Store]),
    entry(32, "the_highest_fence_seen_never_falls", "the highest fence that a target has seen never falls", &[Machine, Host, EndToEnd]),
    entry(33, "the_target_has_seen_no_fence_that_was_not_journaled", "every fence at the target was taken by a journaled intent", &[Machine]),
    entry(34, "the_target_sends_traffic_only_to_sides_that_are_ready", "no traffic goes to a side that nothing serves", &[Machine, EndToEnd]),
    entry(35, "the_target_runs_only_what_was_asked_for", "each side runs a release of the deployment", &[Machine, EndToEnd]),
    entry(36, "after_a_way_back_the_target_runs_the_old_release_alone", "in the end the old release has all traffic and nothing of the candidate is left, late messages included", &[Machine, EndToEnd]),
    entry(37, "after_a_success_the_target_runs_the_new_release_alone", "in the end the new release has all traffic and nothing of the old one is left", &[Machine, EndToEnd]),
    entry(38, "every_deployment_comes_to_rest", "once faults heal, a deployment comes to an end or to a pause with a reason", &[Machine, EndToEnd]),
    entry(39, "no_effect_before_its_intent_is_durable", "no byte leaves the host before the intent is durable; a durable state is the only one that owes", &[Engine, Host]),
    entry(40, "a_stale_leaseholder_never_commits", "whoever lost the lease of a shard appends nothing, and epochs in the journal never fall", &[Store, Engine]),
    entry(41, "an_acknowledged_command_survives_any_crash", "what was answered is durable", &[Store, EndToEnd]),
    entry(42, "a_request_has_one_result", "two commands with one request id have one result", &[Store, Engine]),
    entry(43, "the_hash_chain_verifies", "the journal and its archive chain from the first event to the last", &[Store]),
    entry(44, "no_partial_command_is_visible", "after a full disk or a failed write a command is there as a whole or not at all", &[Store]),
    entry(45, "neighbouring_versions_share_a_store", "neither of two neighbouring versions writes what the other cannot read", &[Store]),
    entry(46, "every_notice_is_delivered_in_order", "each outgoing notice comes to be delivered at least once, in order per receiver", &[Engine]),
    entry(47, "the_plugin_that_runs_is_the_one_in_the_plan", "the digest of a called component is the digest in the plan", &[Host]),
    entry(48, "secrets_stay_out_of_the_record", "no secret is in journal, notices or log", &[Host, EndToEnd]),
    entry(49, "an_operation_takes_effect_at_most_once", "a repeated key changes nothing at the target", &[Host, EndToEnd]),
    entry(50, "a_frozen_window_sees_no_forward_effect", "inside a freeze window nothing goes forward", &[Engine]),
    entry(51, "a_replica_takes_over_within_its_lease", "in the end the lease of a dead replica is taken over within its time plus a second", &[Engine, EndToEnd]),
    entry(52, "no_request_fails_while_traffic_shifts", "moving traffic between healthy sides fails no request", &[EndToEnd]),
    entry(53, "whoever_waits_for_an_answer_has_asked", "between two commands a deployment that waits for a plugin has an open operation, and one that waits for nothing goes on", &[Machine]),
    entry(54, "a_dry_run_verdict_decides_nothing", "what a watch pauses or takes back, a check that decides did, by its looks or at the watch's longest time; a dry run never", &[Machine]),
    entry(55, "a_look_is_not_taken_before_its_time", "a check is asked when its interval is over and never before its delay", &[Machine]),
];
