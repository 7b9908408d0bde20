//! Rank tests and counts against published values, and against their definitions by brute force.

use verdict::counts::{CountMethod, NoCounts, compare_in_two_parts, compare_rates, compare_shares, mostly_zero, wilson};
use verdict::kayenta::Shifted;
use verdict::monitor::Conclusion;
use verdict::once::{self, Rule};
use verdict::rank::{self, NoRanks};
use verdict::sample::Counts;

use crate::chance::Chance;
use crate::vectors::near;

fn counts(events: u64, trials: u64) -> Counts {
    Counts { events, trials }
}

#[test]
fn ranks_equal_their_definition_by_brute_force() {
    for seed in 1..=200 {
        let chance = &mut Chance::new(seed);
        // Few different values, so that there are ties, and sizes that are odd and even.
        let mut sample =
            |shift: f64| -> Vec<f64> { (0..4 + chance.below(20)).map(|_| chance.below(12) as f64 / 4.0 + shift).collect() };
        let (x, y) = (sample(0.5), sample(0.0));
        let Ok(found) = rank::compare(&x, &y, 0.9) else { panic!("seed {seed} has nothing to rank") };
        let mut differences: Vec<f64> = x.iter().flat_map(|x| y.iter().map(move |y| x - y)).collect();
        differences.sort_by(f64::total_cmp);
        let (below, above) = (differences[(differences.len() - 1) / 2], differences[differences.len() / 2]);
        assert_eq!(found.shift, below.midpoint(above), "seed {seed}");
        let wins: f64 = differences
            .iter()
            .map(|d| {
                if *d > 0.0 {
                    1.0
                } else if *d == 0.0 {
                    0.5
                } else {
                    0.0
                }
            })
            .sum();
        assert_eq!(found.u, wins, "seed {seed}");
        assert_eq!(found.greater, wins / differences.len() as f64, "seed {seed}");
        assert!(differences.contains(&found.interval.low) && differences.contains(&found.interval.high), "seed {seed}");
        assert!(found.interval.low <= found.shift && found.shift <= found.interval.high, "seed {seed}: {found:?}");
        check_crossing(&x, &y, &differences, found.interval.low, seed);
        // The other way round is the mirror image.
        let mirror = rank::compare(&y, &x, 0.9).unwrap();
        assert_eq!(
            (mirror.interval.low, mirror.interval.high),
            (-found.interval.high + 0.0, -found.interval.low + 0.0),
            "seed {seed}"
        );
        assert!(near(mirror.z, -found.z, 1e-12) && near(mirror.p, found.p, 1e-12), "seed {seed}");
    }
}

/// The lower limit is where the statistic of the shifted samples falls through the normal quantile, unless it is below it from the start.
fn check_crossing(x: &[f64], y: &[f64], differences: &[f64], low: f64, seed: u64) {
    let samples = Shifted::new(x, y).unwrap();
    // Points are quarters, so that so little is no difference.
    let beside = |step: f64| samples.statistic(low + step, verdict::normal_quantile(0.95)).unwrap();
    assert!(beside(1e-3) < 0.0, "seed {seed}: the limit {low} is too low");
    assert!(low == differences[0] || beside(-1e-3) >= 0.0, "seed {seed}: the limit {low} is too high");
}

#[test]
fn an_interval_of_the_shift_holds_as_often_as_it_says() {
    let held = (1..=1_000_u64)
        .filter(|seed| {
            let chance = &mut Chance::new(*seed);
            let x: Vec<f64> = (0..15).map(|_| chance.normal() + 0.7).collect();
            let y: Vec<f64> = (0..20).map(|_| chance.normal()).collect();
            let interval = rank::compare(&x, &y, 0.9).unwrap().interval;
            interval.low <= 0.7 && 0.7 <= interval.high
        })
        .count();
    assert!((875..=925).contains(&held), "{held} of 1000 intervals of confidence 0.9 held the shift");
}

#[test]
fn nothing_to_rank_is_said() {
    assert_eq!(rank::compare(&[1.0; 4], &[1.0; 9], 0.95), Err(NoRanks::AllTied));
    let too_few = rank::compare(&[1.0, f64::NAN, f64::INFINITY, 2.0, 3.0], &[1.0; 9], 0.95);
    assert_eq!(too_few, Err(NoRanks::TooFew { candidate: 3, stable: 9 }));
    // Constant on both sides, and not the same constant: the shift is the difference and the interval is that point.
    let found = rank::compare(&[2.5; 6], &[1.0; 8], 0.95).unwrap();
    assert_eq!((found.shift, found.interval.low, found.interval.high, found.greater), (1.5, 1.5, 1.5, 1.0));
}

#[test]
fn fishers_test_equals_the_sum_over_whole_numbers() {
    let choose = |n: u64, k: u64| (0..k).fold(1_u128, |ways, i| ways * u128::from(n - i) / u128::from(i + 1));
    for (c, s) in [(counts(3, 25), counts(1, 40)), (counts(0, 20), counts(5, 30)), (counts(20, 20), counts(22, 24))] {
        let both = c.events + s.events;
        let ways = |x: u64| choose(c.trials, x) * if both - x <= s.trials { choose(s.trials, both - x) } else { 0 };
        let all = choose(c.trials + s.trials, both) as f64;
        let more: u128 = (c.events..=both.min(c.trials)).map(ways).sum();
        let fewer: u128 = (0..=c.events).map(ways).sum();
        let found = compare_shares(c, s, 0.95).unwrap();
        assert_eq!(found.method, CountMethod::Fisher);
        assert!(
            near(found.p_more, more as f64 / all, 1e-10) && near(found.p_fewer, fewer as f64 / all, 1e-10),
            "{c:?} {s:?}: {found:?}"
        );
    }
}

#[test]
fn intervals_of_shares_are_the_published_ones() {
    // R. G. Newcombe, Statistics in Medicine 17 (1998), pages 857 and 873: 81 of 263; 56 of 70 against 48 of 80.
    let one = wilson(counts(81, 263), 0.95);
    assert!(near(one.low, 0.2553, 5e-5) && near(one.high, 0.3662, 5e-5), "{one:?}");
    let two = compare_shares(counts(56, 70), counts(48, 80), 0.95).unwrap();
    assert!(
        near(two.estimate, 0.2, 1e-12) && near(two.interval.low, 0.0524, 5e-5) && near(two.interval.high, 0.3339, 5e-5),
        "{two:?}"
    );
}

#[test]
fn rates_are_those_of_r() {
    // The example of R's `poisson.test`: 11 in 800 against 21 in 3011.
    let found = compare_rates((11, 800.0), (21, 3_011.0), 0.95).unwrap();
    assert!(near(found.estimate, 1.971_488, 1e-6), "{found:?}");
    assert!(near(found.interval.low, 0.858_426_4, 1e-4) && near(found.interval.high, 4.277_265_9, 1e-4), "{found:?}");
    assert!(matches!(compare_rates((1, 0.0), (1, 1.0), 0.95), Err(NoCounts::NoTime { .. })));
    let none = compare_rates((0, 10.0), (0, 10.0), 0.95).unwrap();
    assert_eq!((none.p_more, none.p_fewer), (1.0, 1.0));
}

#[test]
fn many_events_are_compared_approximately_and_to_the_same_end() {
    let exact = compare_shares(counts(1_050, 10_000), counts(950, 10_000), 0.95).unwrap();
    let approximate = compare_shares(counts(1_051, 10_000), counts(950, 10_000), 0.95).unwrap();
    assert_eq!((exact.method, approximate.method), (CountMethod::Fisher, CountMethod::Score));
    assert!(near(exact.p_more, approximate.p_more, 1e-3), "{exact:?} {approximate:?}");
}

#[test]
fn data_that_is_mostly_zero_is_judged_in_two_parts() {
    let chance = &mut Chance::new(7);
    // In nine of ten points nothing happens on stable; on the candidate, in six of ten.
    let mut sample =
        |rate: f64| -> Vec<f64> { (0..120).map(|_| if chance.happens(rate) { 1.0 + chance.share() } else { 0.0 }).collect() };
    let (candidate, stable) = (sample(0.4), sample(0.1));
    assert!(mostly_zero(&candidate, &stable));
    let by_shift = rank::compare(&candidate, &stable, 0.98).unwrap();
    assert_eq!(by_shift.shift, 0.0, "a shift of location does not see it");
    let found = compare_in_two_parts(&candidate, &stable, 0.98).unwrap();
    assert!(found.p < 1e-4 && found.occurrence.p_more < 1e-4 && found.size.is_ok(), "{found:?}");
    assert!(!mostly_zero(&[1.0, 2.0, 0.0, 4.0], &[1.0, 2.0]));
}

#[test]
fn too_few_trials_give_no_verdict() {
    let found = compare_shares(counts(19, 19), counts(0, 1_000), 0.95);
    assert_eq!(found, Err(NoCounts::TooFew { candidate: 19, stable: 1_000 }));
    assert!(matches!(compare_shares(counts(2, 1), counts(0, 1_000), 0.95), Err(NoCounts::Bad(_))));
}

fn rule() -> Rule {
    Rule { points_min: 10, ..Rule::default() }
}

#[test]
fn one_look_at_points_has_a_verdict_and_a_sentence_for_any_input() {
    let ramp = |from: f64| (0..40).map(|place| from + f64::from(place % 20)).collect::<Vec<f64>>();
    let rare = |every: usize| (0..200).map(|place| if place % every == 0 { 3.0 } else { 0.0 }).collect::<Vec<f64>>();
    let grown: Vec<f64> =
        rare(3).iter().enumerate().map(|(place, value)| value * 50.0 + if *value > 0.0 { place as f64 } else { 0.0 }).collect();
    for (candidate, stable, conclusion, sentence) in [
        (vec![], ramp(100.0), Conclusion::NoData, "no time of the candidate: no data is not healthy"),
        (
            vec![f64::NAN; 30],
            ramp(100.0),
            Conclusion::NoData,
            "no time of the candidate: no data is not healthy; 30 missing points left out",
        ),
        (
            ramp(100.0),
            vec![f64::INFINITY],
            Conclusion::NoData,
            "no time of stable: nothing to compare with; 1 infinite points left out",
        ),
        (vec![1.0], ramp(100.0), Conclusion::Undecided, "candidate time has 1, stable 40: 1 on a side is too few, 10 are needed"),
        (
            vec![7.0; 12],
            vec![7.0; 30],
            Conclusion::Good,
            "candidate time 7 (12 points) against stable 7 (30 points), all of them equal: good enough",
        ),
        (
            vec![9.0; 12],
            vec![7.0; 30],
            Conclusion::Worse,
            "candidate time 9 (12 points) against stable 7 (30 points), shifted by 2 (2 to 2): certain enough",
        ),
        (
            ramp(150.0),
            ramp(100.0),
            Conclusion::Worse,
            "candidate time 160 (40 points) against stable 110 (40 points), shifted by 50 (47 to 53): certain enough",
        ),
        (
            ramp(101.0),
            ramp(100.0),
            Conclusion::Good,
            "candidate time 110 (40 points) against stable 110 (40 points), shifted by 1 (-2 to 4): good enough, and certain enough",
        ),
        (
            rare(2),
            rare(20),
            Conclusion::Worse,
            "candidate time above zero 50 % (100 of 200) against stable 5 % (10 of 200): certain enough",
        ),
        (
            grown,
            rare(3),
            Conclusion::Worse,
            "candidate time where it is not zero 249 (67 points) against stable 3 (67 points), shifted by 246 (222 to 270): certain enough",
        ),
    ] {
        let found = once::points("time", &candidate, &stable, &rule());
        assert_eq!((found.conclusion, &*found.sentence), (conclusion, sentence));
    }
}

#[test]
fn one_look_at_shares_has_a_verdict_and_a_sentence_for_any_input() {
    let rule = Rule { tolerance: 0.01, ..rule() };
    for (candidate, stable, conclusion, sentence) in [
        (counts(0, 0), counts(1, 9), Conclusion::NoData, "no error rate of the candidate: no data is not healthy"),
        (counts(0, 9), counts(0, 0), Conclusion::NoData, "no error rate of stable: nothing to compare with"),
        (
            counts(1, 9),
            counts(0, 900),
            Conclusion::Undecided,
            "candidate error rate 11.1 % (1 of 9) against stable 0 % (0 of 900): a comparison of shares needs 20 trials on each side, found 9 of \
             the candidate and 900 of stable",
        ),
        (
            counts(60, 1_290),
            counts(39, 12_011),
            Conclusion::Worse,
            "candidate error rate 4.7 % (60 of 1,290) against stable 0.3 % (39 of 12,011): certain enough",
        ),
        (
            counts(0, 2_000),
            counts(0, 2_000),
            Conclusion::Good,
            "candidate error rate 0 % (0 of 2,000) against stable 0 % (0 of 2,000): good enough, and certain enough",
        ),
        (
            counts(1, 60),
            counts(0, 60),
            Conclusion::Undecided,
            "candidate error rate 1.7 % (1 of 60) against stable 0 % (0 of 60): not certain",
        ),
    ] {
        let found = once::shares("error rate", candidate, stable, &rule);
        assert_eq!((found.conclusion, &*found.sentence), (conclusion, sentence));
    }
    // Where lower is bad, the same counts the other way round are worse.
    let found = once::shares("hit rate", counts(100, 1_000), counts(900, 1_000), &Rule { lower_is_bad: true, ..rule });
    assert_eq!(found.conclusion, Conclusion::Worse);
}

#[test]
fn one_look_at_equal_points_raises_false_alarms_at_most_as_it_says() {
    let alarms = (1..=2_000_u64)
        .filter(|seed| {
            let chance = &mut Chance::new(*seed);
            let (x, y): (Vec<f64>, Vec<f64>) = (0..30).map(|_| (chance.normal(), chance.normal())).unzip();
            once::points("it", &x, &y, &Rule { confidence: 0.9, tolerance: 0.0, ..rule() }).conclusion == Conclusion::Worse
        })
        .count();
    // Five per cent, and what chance adds in one of a thousand seeds.
    assert!(alarms <= 130, "{alarms} of 2000 looks raised a false alarm");
    assert!(alarms >= 70, "{alarms} of 2000 looks raised a false alarm: the test sees less than it could");
}
