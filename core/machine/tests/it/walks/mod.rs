//! Random walks: a deployment in a world that loses, delays and repeats messages, fails, lies and restarts, with people who say
//! anything at any time. Every invariant is asked after every event; then the world heals and the deployment must come to its end.
//!
//! A walk is its seed: the same seed gives the same walk. A failing one is told again, move by move.

mod marks;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use marks::MARKS;
use walk::{Transcript, Walk};

/// Enough to meet every fault many times over, few enough for a few seconds of an unoptimised test.
const WALKS: u64 = 6_000;

fn walk(seed: u64, checks_fences: bool, transcript: Option<Transcript>) -> Result<BTreeSet<&'static str>, String> {
    let walked = catch_unwind(AssertUnwindSafe(|| Walk::new(seed, checks_fences, transcript).whole()));
    walked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.unwrap_or_else(|| "it panicked".into()))
    })
}

/// Walks a failing seed once more, for a person to read.
fn tell(seed: u64, checks_fences: bool, why: &str) -> String {
    let transcript = Transcript::default();
    let again = walk(seed, checks_fences, Some(Rc::clone(&transcript)));
    let lines = transcript.borrow().join("\n");
    assert_eq!(again.as_ref().err().map(String::as_str), Some(why), "the same seed gives the same walk");
    format!("{lines}\nseed {seed}: {why}")
}

#[test]
fn every_invariant_holds_on_every_walk_and_every_walk_ends() {
    let mut seen = BTreeMap::<&str, u32>::new();
    for seed in 0..WALKS {
        match walk(seed, true, None) {
            Ok(marks) => marks.into_iter().for_each(|mark| *seen.entry(mark).or_default() += 1),
            Err(why) => panic!("{}", tell(seed, true, &why)),
        }
    }
    // A walk that never gets anywhere would check nothing.
    for mark in MARKS {
        assert!(seen.contains_key(mark), "no walk came by {mark}: {seen:?}");
    }
}

#[test]
fn a_target_without_a_fence_is_found_out() {
    let found = (0..WALKS).find_map(|seed| walk(seed, false, None).err());
    let found = found.expect("a target that applies old writes must be found out, or the checks check nothing");
    let shown = ["the_target_sends", "the_target_runs", "after_a_way_back", "after_a_success", "still in effect"];
    assert!(shown.iter().any(|sign| found.contains(sign)), "it was found out by what runs, not by chance: {found}");
}

#[test]
fn the_same_seed_gives_the_same_walk() {
    let told = |seed| {
        let transcript = Transcript::default();
        let end = walk(seed, true, Some(Rc::clone(&transcript)));
        (end, transcript.take())
    };
    for seed in 0..20 {
        assert_eq!(told(seed), told(seed));
    }
}
