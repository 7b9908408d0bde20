//! The bounded check of every strategy, and the proof that the check would find what the design is there to prevent.

use std::collections::BTreeSet;
use std::time::Duration;

use prove::check::{Found, explore};
use prove::plans;
use prove::system::{Setting, Weakness};
use test_world::world::Candidate;

/// No bounded check takes nearly so long; it only keeps a mistake from taking for ever.
const TIME: Duration = Duration::from_secs(600);

/// What may go wrong in one history, and what people may say in it.
const FAULTS: u8 = 2;
const WORDS: u8 = 1;

/// From one in so many moments the world is healed.
const HEAL_ONE_IN: u64 = 16;

#[expect(clippy::print_stdout, reason = "how much was explored is for people to see, with --nocapture")]
fn tell(line: &str) {
    println!("{line}");
}

fn bounded(name: &str, candidate: Candidate, faults: u8, people: u8) -> Found {
    let plan = plans::named(name);
    machine::check_plan(&plan).unwrap();
    let found = explore(Setting { plan, candidate, faults, people, weakness: Weakness::None }, HEAL_ONE_IN, 2, TIME);
    tell(&format!("{name}, {candidate:?}, {faults} faults, {people} words: {} moments, depth {}", found.moments, found.depth));
    if let Some(broken) = &found.broken {
        panic!("{name}, {candidate:?}:\n{broken}");
    }
    assert!(found.complete && found.moments > 10, "{found:?}");
    found
}

#[test]
fn every_strategy_is_sound_whatever_goes_wrong_and_whatever_a_person_says() {
    let mut ends = BTreeSet::new();
    for (name, _) in plans::all() {
        for candidate in [Candidate::Well, Candidate::Unhealthy, Candidate::Crashing] {
            ends.extend(bounded(name, candidate, FAULTS, WORDS).ends);
        }
    }
    for end in ["succeeded", "rolled-back", "rollback-failed", "rejected", "superseded", "aborted"] {
        assert!(ends.contains(end), "nothing ended as {end}: {ends:?}");
    }
}

/// Explores a weakened design and returns what was found broken in it.
fn weakened(weakness: Weakness, name: &str) -> String {
    let setting = Setting { plan: plans::named(name), candidate: Candidate::Unhealthy, faults: 2, people: 0, weakness };
    let found = explore(setting, u64::MAX, 2, TIME);
    let broken = found.broken.unwrap_or_else(|| panic!("{weakness:?} was not found out in {} moments", found.moments));
    tell(&format!("{weakness:?} after {} moments:\n{broken}", found.moments));
    broken.what
}

#[test]
fn a_target_without_a_fence_is_found_out() {
    let what = weakened(Weakness::NoFence, "canary");
    assert!(what.contains("after_a_way_back") || what.contains("the_target_"), "{what}");
}

#[test]
fn a_target_that_only_knows_keys_is_found_out() {
    let what = weakened(Weakness::KeyOnly, "canary");
    assert!(what.contains("after_a_way_back") || what.contains("the_target_"), "{what}");
}

#[test]
fn a_target_that_only_knows_the_engines_lives_is_found_out() {
    let what = weakened(Weakness::EpochOnly, "canary");
    assert!(what.contains("after_a_way_back") || what.contains("the_target_"), "{what}");
}

#[test]
fn a_journal_that_takes_whatever_comes_is_found_out() {
    weakened(Weakness::BlindAppend, "canary");
}
