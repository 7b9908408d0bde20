//! How often a test that is looked at after every observation calls a candidate worse that is not, counted. Fixed seeds; each bound can fail,
//! and the last test shows a method that fails it.

use verdict::sample::Counts;
use verdict::sequential::{
    Exceedance, ExceedanceDesign, LimitDesign, LimitTest, MeanDesign, MeanTest, RankSequence, SharesDesign, SharesTest, needed,
    share_interval,
};

use crate::chance::Chance;

const LEVEL: f64 = 0.05;
const RUNS: u64 = 400;

fn one(event: bool) -> Counts {
    Counts { events: u64::from(event), trials: 1 }
}

/// Counts the runs in which `run` says that something was proven.
fn proven(runs: u64, mut run: impl FnMut(&mut Chance) -> bool) -> u64 {
    (1..=runs).filter(|seed| run(&mut Chance::new(*seed))).count() as u64
}

fn check_at_most(found: u64, runs: u64) {
    assert!(found as f64 <= LEVEL * runs as f64, "{found} of {runs} runs were proven wrongly, more than the level {LEVEL}");
}

/// Looks after every candidate request, of which stable has some in between.
fn shares(chance: &mut Chance, design: SharesDesign, rates: (f64, f64), requests: u64, good: bool) -> Option<u64> {
    let mut test = SharesTest::new(design);
    (1..=requests).find(|_| {
        let others = chance.below(8);
        let stable = Counts { events: chance.binomial(others, rates.1), trials: others };
        test.observe(one(chance.happens(rates.0)), stable);
        let evidence = test.evidence();
        (if good { evidence.good } else { evidence.worse }) >= needed(LEVEL)
    })
}

#[test]
fn equal_shares_are_called_worse_at_most_at_the_level() {
    for rate in [0.01, 0.1, 0.5, 0.95] {
        let found = proven(RUNS, |chance| shares(chance, SharesDesign::default(), (rate, rate), 1_500, false).is_some());
        check_at_most(found, RUNS);
    }
}

#[test]
fn shares_at_the_margin_are_called_good_at_most_at_the_level() {
    let design = SharesDesign { margin: 2.0, floor: 0.02, ..SharesDesign::default() };
    // The odds are twice stable's, and above the floor.
    for (candidate, stable) in [(0.04_f64, 0.020_408_f64), (0.5, 1.0 / 3.0)] {
        let found = proven(RUNS, |chance| shares(chance, design, (candidate, stable), 1_500, true).is_some());
        check_at_most(found, RUNS);
    }
}

#[test]
fn worse_and_good_shares_are_proven() {
    let worse = proven(100, |chance| shares(chance, SharesDesign::default(), (0.1, 0.01), 600, false).is_some());
    assert!(worse >= 95, "{worse} of 100 bad candidates were found");
    let good = proven(100, |chance| {
        shares(chance, SharesDesign { floor: 0.02, ..SharesDesign::default() }, (0.0, 0.0), 600, true).is_some()
    });
    assert!(good >= 95, "{good} of 100 candidates without errors were let through");
}

#[test]
fn a_rate_that_changes_for_both_sides_raises_no_alarm() {
    let found = proven(RUNS, |chance| {
        let mut test = SharesTest::new(SharesDesign::default());
        (0..600_u64).any(|second| {
            // From 1 % to 30 % and back, while the candidate's share of the traffic grows from 1 in 100 to 1 in 2.
            let rate = 0.01 + 0.29 * (1.0 - (second as f64 / 300.0 - 1.0).abs());
            let (c, s) = (1 + second / 12, 50);
            test.observe(
                Counts { events: chance.binomial(c, rate), trials: c },
                Counts { events: chance.binomial(s, rate), trials: s },
            );
            test.evidence().worse >= needed(LEVEL)
        })
    });
    check_at_most(found, RUNS);
}

#[test]
fn a_share_at_its_limit_is_called_neither_at_more_than_the_level() {
    for good in [false, true] {
        let found = proven(RUNS, |chance| {
            let mut test = LimitTest::new(LimitDesign { limit: 0.03, good_below: 0.03 });
            (0..2_000).any(|_| {
                test.observe(one(chance.happens(0.03)));
                let evidence = test.evidence();
                (if good { evidence.good } else { evidence.worse }) >= needed(LEVEL)
            })
        });
        check_at_most(found, RUNS);
    }
}

#[test]
fn an_interval_of_a_share_misses_it_at_most_at_the_level_over_all_looks() {
    let found = proven(200, |chance| {
        let mut seen = Counts::default();
        (0..800).any(|_| {
            seen = Counts { events: seen.events + u64::from(chance.happens(0.1)), trials: seen.trials + 1 };
            let interval = share_interval(seen, 1.0 - LEVEL);
            interval.low > 0.1 || interval.high < 0.1
        })
    });
    check_at_most(found, 200);
}

#[test]
fn equal_means_are_called_worse_at_most_at_the_level() {
    for against_stable in [true, false] {
        let (tolerance, margin) = if against_stable { (0.0, 0.1) } else { (1.0 / 3.0, 1.0 / 3.0) };
        let design = MeanDesign { low: 0.0, high: 1.0, tolerance, margin, against_stable };
        let found = proven(RUNS, |chance| {
            let mut test = MeanTest::new(design);
            (0..1_000).any(|_| {
                // The square of a uniform value: a mean of one third, far from symmetric.
                let (candidate, stable) = (chance.share().powi(2), [chance.share().powi(2), chance.share().powi(2)]);
                test.observe(&[candidate], &stable);
                test.evidence().worse >= needed(LEVEL)
            })
        });
        check_at_most(found, RUNS);
    }
}

#[test]
fn different_means_are_proven_and_equal_ones_are_proven_good() {
    let design = MeanDesign { low: 0.0, high: 1.0, tolerance: 0.0, margin: 0.15, against_stable: true };
    let run = |chance: &mut Chance, more: f64, good: bool| {
        let mut test = MeanTest::new(design);
        (0..3_000).any(|_| {
            test.observe(&[(0.3 * chance.share() + more).min(1.0)], &[0.3 * chance.share()]);
            let evidence = test.evidence();
            (if good { evidence.good } else { evidence.worse }) >= needed(LEVEL)
        })
    };
    let (worse, good) = (proven(100, |chance| run(chance, 0.1, false)), proven(100, |chance| run(chance, 0.0, true)));
    assert!(worse >= 95 && good >= 95, "{worse} bad ones found and {good} good ones let through of 100");
}

#[test]
fn equal_times_are_called_slower_at_most_at_the_level_and_slower_ones_are_found() {
    let time = |chance: &mut Chance, factor: f64| factor * (0.5 * chance.normal()).exp();
    let run = |chance: &mut Chance, factor: f64| {
        let earlier: Vec<f64> = (0..2_000).map(|_| time(chance, 1.0)).collect();
        let mut test = Exceedance::new(&ExceedanceDesign::from_baseline(&earlier, &ExceedanceDesign::QUANTILES));
        (0..1_500).any(|_| {
            let stable: Vec<f64> = (0..4).map(|_| time(chance, 1.0)).collect();
            test.observe(&[time(chance, factor)], &stable);
            test.evidence().worse >= needed(LEVEL)
        })
    };
    check_at_most(proven(RUNS / 2, |chance| run(chance, 1.0)), RUNS / 2);
    let found = proven(100, |chance| run(chance, 1.3));
    assert!(found >= 95, "{found} of 100 slower candidates were found");
}

#[test]
fn equal_values_are_ranked_higher_at_most_at_the_level_also_with_ties() {
    for values in [4, 1_000_000] {
        let found = proven(RUNS, |chance| {
            let mut test = RankSequence::default();
            (0..800).any(|_| {
                let mut some = |count: u64| (0..count).map(|_| chance.below(values) as f64).collect::<Vec<f64>>();
                let (candidate, stable) = (some(2), some(3));
                test.observe(&candidate, &stable);
                test.worse() >= needed(LEVEL)
            })
        });
        check_at_most(found, RUNS);
    }
}

#[test]
fn a_test_for_one_look_that_is_looked_at_often_exceeds_the_level() {
    let found = proven(100, |chance| {
        let (mut c, mut s) = (Counts::default(), Counts::default());
        (0..40).any(|_| {
            c = Counts { events: c.events + chance.binomial(25, 0.1), trials: c.trials + 25 };
            s = Counts { events: s.events + chance.binomial(25, 0.1), trials: s.trials + 25 };
            verdict::counts::compare_shares(c, s, 0.95).unwrap().p_more <= LEVEL
        })
    });
    let twice = 2.0 * LEVEL * 100.0;
    assert!(
        found as f64 > twice,
        "only {found} of 100 runs raised a false alarm: the bound of the other tests would not see a broken test"
    );
}
