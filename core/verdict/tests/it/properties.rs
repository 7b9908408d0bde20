//! What holds for any input, over inputs made from seeds.

use verdict::counts::{compare_rates, compare_shares};
use verdict::kayenta::{Classifier, Missing, Outliers};
use verdict::monitor::{Conclusion, Design, Metric, Monitor, Observation, Outcome, Policy, Role};
use verdict::rank;
use verdict::sample::Counts;
use verdict::sequential::{ExceedanceDesign, LimitDesign, MeanDesign, SharesDesign, SharesTest, share_interval};

use crate::chance::Chance;
use crate::vectors::near;

/// A number of any kind that a source may send.
fn any(chance: &mut Chance) -> f64 {
    match chance.below(12) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => 0.0,
        4 => -0.0,
        5 => f64::MAX,
        6 => f64::MIN_POSITIVE,
        7 => -1e300,
        _ => (chance.normal() * 3.0).round() / 2.0,
    }
}

fn some(chance: &mut Chance) -> Vec<f64> {
    (0..chance.below(30)).map(|_| any(chance)).collect()
}

fn counts(chance: &mut Chance) -> Counts {
    let size = chance.below(13) as u32;
    let trials = chance.below(10_u64.pow(size) + 1);
    Counts { events: if trials == 0 { 0 } else { chance.below(trials + 1) }, trials }
}

fn metrics() -> Vec<Metric> {
    let limit = LimitDesign { limit: 0.02, good_below: 0.03 };
    let mean = MeanDesign { low: -1.0, high: 3.0, tolerance: 0.1, margin: 0.5, against_stable: true };
    let shares = SharesDesign { floor: 0.0, ..SharesDesign::default() };
    [
        ("shares", Design::Shares(SharesDesign::default())),
        ("limit", Design::Limit(limit)),
        ("mean", Design::Mean(mean)),
        ("mean limit", Design::Mean(MeanDesign { tolerance: 0.5, margin: 0.6, against_stable: false, ..mean })),
        ("times", Design::Exceedance(ExceedanceDesign { thresholds: vec![-1.0, 0.5], shares })),
    ]
    .into_iter()
    .map(|(name, design)| Metric { name: name.to_owned(), group: "all".to_owned(), weight: 1.0, role: Role::Counts, design })
    .collect()
}

#[test]
fn no_input_breaks_a_monitor_or_makes_it_say_what_is_no_number() {
    for seed in 1..=150 {
        let chance = &mut Chance::new(seed);
        let mut monitor = Monitor::new(Policy::default(), metrics()).unwrap();
        let mut worse = false;
        for second in 0..chance.below(12) {
            for name in ["shares", "limit"] {
                // Counts that cannot be true are refused, and that is all.
                let seen = Observation::Counts { candidate: counts(chance), stable: counts(chance) };
                _ = monitor.observe(name, &seen);
            }
            for name in ["mean", "mean limit", "times"] {
                let (candidate, stable) = (some(chance), some(chance));
                monitor.observe(name, &Observation::Values { candidate: &candidate, stable: &stable }).unwrap();
            }
            let verdict = monitor.look(second);
            assert!(verdict.evidence.is_finite() && verdict.score.is_finite() && !verdict.sentence.is_empty(), "seed {seed}");
            assert!(!worse || verdict.outcome == Outcome::Unhealthy, "seed {seed}: a proof was taken back");
            worse = verdict.outcome == Outcome::Unhealthy;
            for finding in &verdict.findings {
                assert!(finding.worse.is_finite() && finding.good.is_finite(), "seed {seed}: {finding:?}");
                assert!(
                    !finding.sentence.contains("NaN") && !finding.sentence.contains("inf,"),
                    "seed {seed}: {}",
                    finding.sentence
                );
                if let (Some(interval), Some(candidate)) = (finding.interval, finding.candidate) {
                    assert!(interval.low <= candidate + 1e-9 && candidate <= interval.high + 1e-9, "seed {seed}: {finding:?}");
                }
                let empty = finding.candidate_size == 0;
                assert!(!empty || finding.conclusion == Conclusion::NoData, "seed {seed}: {finding:?}");
                assert!(!empty || verdict.outcome != Outcome::Healthy, "seed {seed}: no data is healthy");
            }
        }
    }
}

#[test]
fn no_input_breaks_a_test_of_one_look() {
    for seed in 1..=400 {
        let chance = &mut Chance::new(seed);
        let (x, y) = (some(chance), some(chance));
        if let Ok(found) = rank::compare(&x, &y, 0.95) {
            assert!((0.0..=1.0).contains(&found.p) && found.interval.low <= found.interval.high, "seed {seed}: {found:?}");
        }
        for missing in [Missing::Remove, Missing::Replace] {
            let classifier = Classifier { missing, outliers: Outliers::Remove { factor: 3.0 }, ..Classifier::default() };
            assert!(!classifier.classify(&x, &y).reason.is_empty(), "seed {seed}");
        }
        let (c, s) = (counts(chance), counts(chance));
        if let Ok(found) = compare_shares(c, s, 0.95) {
            assert!(
                (0.0..=1.0).contains(&found.p_more) && (0.0..=1.0).contains(&found.p_fewer),
                "seed {seed}: {c:?} {s:?} {found:?}"
            );
        }
        if let Ok(found) = compare_rates((c.events, any(chance)), (s.events, any(chance)), 0.95) {
            assert!(!found.interval.low.is_nan() && found.interval.low <= found.interval.high, "seed {seed}: {found:?}");
        }
        let interval = share_interval(c, 0.95);
        assert!((0.0..=1.0).contains(&interval.low) && (0.0..=1.0).contains(&interval.high), "seed {seed}: {c:?} {interval:?}");
    }
}

#[test]
fn one_more_error_of_the_candidate_is_more_evidence_and_one_more_of_stable_is_less() {
    for seed in 1..=300 {
        let chance = &mut Chance::new(seed);
        let trials = (4 + chance.below(40), 4 + chance.below(200));
        let events = (chance.below(trials.0), chance.below(trials.1));
        let evidence = |c: u64, s: u64| {
            let mut test = SharesTest::new(SharesDesign { floor: 0.0, ..SharesDesign::default() });
            test.observe(Counts { events: c, trials: trials.0 }, Counts { events: s, trials: trials.1 });
            test.evidence()
        };
        let (base, more, less) =
            (evidence(events.0, events.1), evidence(events.0 + 1, events.1), evidence(events.0, events.1 + 1));
        assert!(more.worse >= base.worse - 1e-9 && more.good <= base.good + 1e-9, "seed {seed}: {trials:?} {events:?}");
        assert!(less.worse <= base.worse + 1e-9 && less.good >= base.good - 1e-9, "seed {seed}: {trials:?} {events:?}");
    }
}

#[test]
fn a_shift_of_all_points_shifts_the_estimate_and_a_factor_scales_it() {
    for seed in 1..=200 {
        let chance = &mut Chance::new(seed);
        // Eighths, so that sums and products are exact.
        let mut sample = || (0..5 + chance.below(30)).map(|_| chance.below(64) as f64 / 8.0).collect::<Vec<f64>>();
        let (x, y) = (sample(), sample());
        let Ok(base) = rank::compare(&x, &y, 0.95) else { continue };
        let of = |change: &dyn Fn(f64) -> f64, both: bool| {
            let changed = |values: &[f64]| values.iter().map(|value| change(*value)).collect::<Vec<f64>>();
            rank::compare(&changed(&x), &if both { changed(&y) } else { y.clone() }, 0.95).unwrap()
        };
        assert_eq!(of(&|value| value + 2.5, false).shift, base.shift + 2.5, "seed {seed}");
        assert_eq!(of(&|value| value * 4.0, true).shift, base.shift * 4.0, "seed {seed}");
        assert_eq!(of(&|value| value * 4.0, true).interval.low, base.interval.low * 4.0, "seed {seed}");
        assert!(near(of(&|value| value * value, true).p, base.p, 1e-12), "seed {seed}: ranks do not change with the scale");
    }
}
