//! Several metrics, verdicts and sentences, and what comes of bad input.

use verdict::monitor::{Conclusion, Design, Metric, Monitor, Observation, Outcome, Policy, Refused, Role, Verdict};
use verdict::sample::{BadCounts, Counter, Counts, Points};
use verdict::sequential::{ExceedanceDesign, LimitDesign, MeanDesign, SharesDesign};

use crate::chance::Chance;
use crate::vectors::near;

fn metric(name: &str, design: Design) -> Metric {
    Metric { name: name.to_owned(), group: "all".to_owned(), weight: 1.0, role: Role::Counts, design }
}

fn shares(name: &str) -> Metric {
    metric(name, Design::Shares(SharesDesign::default()))
}

fn mean(name: &str) -> Metric {
    let design = MeanDesign { low: 0.0, high: 1.0, tolerance: 0.0, margin: 0.1, against_stable: true };
    metric(name, Design::Mean(design))
}

fn counts(candidate: (u64, u64), stable: (u64, u64)) -> Observation<'static> {
    let of = |pair: (u64, u64)| Counts { events: pair.0, trials: pair.1 };
    Observation::Counts { candidate: of(candidate), stable: of(stable) }
}

/// Shows one observation of one metric and looks once.
fn once(metric: Metric, seen: &Observation<'_>) -> Verdict {
    let name = metric.name.clone();
    let mut monitor = Monitor::new(Policy::default(), vec![metric]).unwrap();
    monitor.observe(&name, seen).unwrap();
    monitor.look(41_000)
}

#[test]
fn the_sentence_of_the_issue() {
    let mut monitor = Monitor::new(Policy::default(), vec![shares("error rate")]).unwrap();
    for _ in 0..9 {
        monitor.observe("error rate", &counts((3, 129), (4, 1_201))).unwrap();
    }
    monitor.observe("error rate", &counts((4, 129), (3, 1_202))).unwrap();
    let verdict = monitor.look(41_000);
    assert_eq!(verdict.outcome, Outcome::Unhealthy);
    assert_eq!(
        verdict.sentence,
        "candidate error rate 2.4 % (31 of 1,290) against stable 0.3 % (39 of 12,011): certain enough after 41 s"
    );
    let finding = &verdict.findings[0];
    assert_eq!((finding.candidate_size, finding.stable_size), (1_290, 12_011));
    let interval = finding.interval.unwrap();
    assert!(interval.low < 31.0 / 1_290.0 && 31.0 / 1_290.0 < interval.high && interval.confidence == 0.99);
    assert!(finding.worse >= 100.0 && verdict.evidence >= verdict.needed);
}

/// Shows one observation of a metric and checks the verdict, what is known of the metric, and the sentence.
fn check(metric: Metric, seen: &Observation<'_>, outcome: Outcome, conclusion: Conclusion, sentence: &str) {
    let verdict = once(metric, seen);
    assert_eq!(verdict.sentence, sentence);
    assert_eq!((verdict.outcome, verdict.findings[0].conclusion), (outcome, conclusion), "{sentence}");
}

#[test]
fn each_count_that_says_little_has_its_verdict_and_sentence() {
    for (seen, outcome, conclusion, sentence) in [
        (
            counts((0, 0), (0, 0)),
            Outcome::Inconclusive,
            Conclusion::NoData,
            "no error rate of the candidate after 41 s: no data is not healthy",
        ),
        (
            counts((0, 500), (0, 0)),
            Outcome::Inconclusive,
            Conclusion::NoData,
            "no error rate of stable after 41 s: nothing to compare with",
        ),
        (
            counts((0, 1), (0, 9)),
            Outcome::Inconclusive,
            Conclusion::Undecided,
            "candidate error rate 0 % (0 of 1) against stable 0 % (0 of 9): 1 is too few after 41 s, 50 are needed",
        ),
        (
            counts((0, 5_000), (0, 5_000)),
            Outcome::Healthy,
            Conclusion::Good,
            "candidate error rate 0 % (0 of 5,000) against stable 0 % (0 of 5,000): good enough, and certain enough after 41 s",
        ),
        (
            counts((50, 50), (50, 50)),
            Outcome::Inconclusive,
            Conclusion::Undecided,
            "candidate error rate 100 % (50 of 50) against stable 100 % (50 of 50): not yet certain after 41 s",
        ),
    ] {
        check(shares("error rate"), &seen, outcome, conclusion, sentence);
    }
    let limit = metric("error rate", Design::Limit(LimitDesign { limit: 0.01, good_below: 0.01 }));
    let sentence = "candidate error rate 100 % (40 of 40) against the limit 1 %: certain enough after 41 s";
    check(limit, &counts((40, 40), (0, 0)), Outcome::Unhealthy, Conclusion::Worse, sentence);
    assert_eq!(Monitor::new(Policy::default(), vec![]).unwrap().look(0).outcome, Outcome::Inconclusive);
}

#[test]
fn each_value_that_says_little_has_its_verdict_and_sentence() {
    let (nan, infinite, tied) = ([f64::NAN; 8], [f64::INFINITY; 8], [0.5; 400]);
    let no_data = "no load of the candidate after 41 s: no data is not healthy";
    let values = |candidate, stable| Observation::Values { candidate, stable };
    for (seen, outcome, conclusion, sentence) in [
        (
            values(&nan[..], &tied[..]),
            Outcome::Inconclusive,
            Conclusion::NoData,
            &*format!("{no_data}; 8 missing or infinite values left out"),
        ),
        (
            values(&infinite[..], &infinite[..]),
            Outcome::Inconclusive,
            Conclusion::NoData,
            &*format!("{no_data}; 16 missing or infinite values left out"),
        ),
        (values(&[], &[]), Outcome::Inconclusive, Conclusion::NoData, no_data),
        (
            values(&tied[..1], &tied[..1]),
            Outcome::Inconclusive,
            Conclusion::Undecided,
            "candidate load mean 0.5 (1 point) against stable 0.5 (1 point): 1 is too few after 41 s, 50 are needed",
        ),
        (
            values(&tied[..], &tied[..]),
            Outcome::Healthy,
            Conclusion::Good,
            "candidate load mean 0.5 (400 points) against stable 0.5 (400 points): good enough, and certain enough after 41 s",
        ),
        // Constant on both sides, and not the same constant.
        (
            values(&[0.9; 100], &[0.2; 100]),
            Outcome::Unhealthy,
            Conclusion::Worse,
            "candidate load mean 0.9 (100 points) against stable 0.2 (100 points): certain enough after 41 s",
        ),
    ] {
        check(mean("load"), &seen, outcome, conclusion, sentence);
    }
}

#[test]
fn times_without_a_threshold_have_nothing_to_be_judged_by_and_endless_ones_are_slow() {
    let times = |thresholds: &[f64]| {
        let shares = SharesDesign { floor: 0.0, ..SharesDesign::default() };
        metric("time", Design::Exceedance(ExceedanceDesign { thresholds: thresholds.to_vec(), shares }))
    };
    let endless = Observation::Values { candidate: &[f64::INFINITY; 8], stable: &[0.5; 400] };
    let sentence = "no earlier time of stable to take a threshold from after 41 s: nothing to judge by";
    check(times(&[]), &endless, Outcome::Inconclusive, Conclusion::NoData, sentence);
    let sentence = "candidate time above 0.7 in 100 % (8 of 8) against stable 0 % (0 of 400): certain enough after 41 s";
    check(times(&[0.7]), &endless, Outcome::Unhealthy, Conclusion::Worse, sentence);
}

#[test]
fn what_cannot_be_true_is_refused_with_what_was_found() {
    let mut monitor = Monitor::new(Policy::default(), vec![shares("error rate"), mean("load")]).unwrap();
    let refused =
        |monitor: &mut Monitor, name: &str, seen: &Observation<'_>| monitor.observe(name, seen).unwrap_err().to_string();
    assert_eq!(
        refused(&mut monitor, "errors", &counts((0, 1), (0, 1))),
        "no metric is called errors, found error rate, load; name one of these"
    );
    assert_eq!(
        refused(&mut monitor, "error rate", &counts((2, 1), (0, 1))),
        "found 2 events among 1 trials; both must count the same requests at the same moment"
    );
    assert!(matches!(monitor.observe("load", &counts((0, 1), (0, 1))), Err(Refused::OtherKind { .. })));
    assert!(matches!(Counts::from_numbers(-1.0, 5.0), Err(BadCounts::Negative { .. })));
    assert!(matches!(Counts::from_numbers(f64::NAN, 5.0), Err(BadCounts::NotFinite { .. })));
    assert!(matches!(Counts::from_numbers(6.0, 5.0), Err(BadCounts::MoreEventsThanTrials { .. })));
    assert_eq!(monitor.look(0).findings[0].candidate_size, 0, "nothing was taken");
}

#[test]
fn a_counter_that_begins_again_loses_nothing_that_it_shows() {
    let mut counter = Counter::default();
    let added: Vec<u64> =
        [100.0, 130.0, 130.0, 20.0, f64::NAN, -3.0, 25.0].into_iter().map(|reading| counter.read(reading)).collect();
    assert_eq!(added, [0, 30, 0, 20, 0, 0, 5]);
    assert_eq!(counter.resets(), 1);
}

#[test]
fn what_is_left_out_is_said() {
    let points = Points::sort_out(&[1.0, f64::NAN, 2.0, f64::NEG_INFINITY]);
    assert_eq!(points.values, [1.0, 2.0]);
    assert_eq!(points.left_out(), "; 1 missing and 1 infinite points left out");
}

#[test]
fn a_metric_without_data_keeps_all_from_being_healthy_and_a_dry_one_does_not() {
    for (role, outcome) in
        [(Role::Counts, Outcome::Inconclusive), (Role::Critical, Outcome::Inconclusive), (Role::DryRun, Outcome::Healthy)]
    {
        let policy = Policy { pass_score: 40.0, ..Policy::default() };
        let mut monitor = Monitor::new(policy, vec![shares("error rate"), Metric { role, ..mean("load") }]).unwrap();
        monitor.observe("error rate", &counts((0, 5_000), (0, 5_000))).unwrap();
        assert_eq!(monitor.look(1_000).outcome, outcome, "{role:?}");
    }
}

#[test]
fn an_undecided_metric_matters_by_its_role_and_the_score() {
    for (role, pass_score, outcome) in [
        (Role::Counts, 100.0, Outcome::Inconclusive),
        (Role::Counts, 50.0, Outcome::Healthy),
        (Role::Critical, 50.0, Outcome::Inconclusive),
    ] {
        let mut monitor =
            Monitor::new(Policy { pass_score, ..Policy::default() }, vec![shares("error rate"), Metric { role, ..mean("load") }])
                .unwrap();
        monitor.observe("error rate", &counts((0, 5_000), (0, 5_000))).unwrap();
        monitor.observe("load", &Observation::Values { candidate: &[0.5; 5], stable: &[0.5; 5] }).unwrap();
        let verdict = monitor.look(1_000);
        assert_eq!((verdict.outcome, verdict.score), (outcome, 50.0), "{role:?} {pass_score}");
    }
}

#[test]
fn a_dry_metric_never_decides_and_a_proof_stands() {
    let dry = Metric { role: Role::DryRun, ..shares("dry") };
    let mut monitor = Monitor::new(Policy::default(), vec![shares("error rate"), dry]).unwrap();
    monitor.observe("dry", &counts((200, 200), (0, 200))).unwrap();
    assert_eq!(monitor.look(1_000).outcome, Outcome::Inconclusive);
    monitor.observe("error rate", &counts((30, 200), (0, 200))).unwrap();
    assert_eq!(monitor.look(2_000).outcome, Outcome::Unhealthy);
    for _ in 0..200 {
        monitor.observe("error rate", &counts((0, 200), (40, 200))).unwrap();
    }
    let verdict = monitor.look(3_000);
    assert_eq!((verdict.outcome, verdict.findings[0].conclusion), (Outcome::Unhealthy, Conclusion::Worse));
}

#[test]
fn many_metrics_raise_no_more_alarms_than_one() {
    let names: Vec<String> = (0..10).map(|number| format!("metric {number}")).collect();
    let alarms = (1..=150_u64)
        .filter(|seed| {
            let chance = &mut Chance::new(*seed);
            let policy = Policy { false_alarm: 0.05, ..Policy::default() };
            let mut monitor = Monitor::new(policy, names.iter().map(|name| shares(name)).collect()).unwrap();
            (0..60).any(|second| {
                for name in &names {
                    let seen = counts((chance.binomial(20, 0.1), 20), (chance.binomial(40, 0.1), 40));
                    monitor.observe(name, &seen).unwrap();
                }
                monitor.look(second * 1_000).outcome == Outcome::Unhealthy
            })
        })
        .count();
    assert!(alarms <= 7, "{alarms} of 150 runs of ten metrics raised a false alarm, more than 5 %");
}

#[test]
fn a_state_that_was_written_down_goes_on_as_if_it_had_not_been() {
    let earlier: Vec<f64> = (0..200).map(f64::from).collect();
    let times = metric("time", Design::Exceedance(ExceedanceDesign::from_baseline(&earlier, &[0.5, 0.9])));
    let mut kept = Monitor::new(Policy::default(), vec![shares("error rate"), mean("load"), times]).unwrap();
    let mut written = kept.clone();
    let chance = &mut Chance::new(3);
    for second in 0..40 {
        let seen = counts((chance.binomial(20, 0.05), 20), (chance.binomial(80, 0.02), 80));
        let values: Vec<f64> = (0..7).map(|_| chance.share() * 150.0).collect();
        for monitor in [&mut kept, &mut written] {
            monitor.observe("error rate", &seen).unwrap();
            monitor.observe("load", &Observation::Values { candidate: &values[..3], stable: &values[3..] }).unwrap();
            monitor.observe("time", &Observation::Values { candidate: &values[..3], stable: &values[3..] }).unwrap();
        }
        let (left, right) = (kept.look(second), written.look(second));
        assert_eq!((left.outcome, left.sentence, left.score), (right.outcome, right.sentence, right.score));
        // A format of text may lose the last bit of a number.
        for (left, right) in left.findings.iter().zip(&right.findings) {
            assert_eq!((left.candidate_size, left.conclusion), (right.candidate_size, right.conclusion));
            assert!(near(left.worse / right.worse, 1.0, 1e-9) && near(left.good / right.good, 1.0, 1e-9), "{left:?} {right:?}");
        }
        let text = serde_json::to_string(&written).unwrap();
        written = serde_json::from_str(&text).unwrap();
        assert!(text.len() < 8_000, "a state of three metrics has {} bytes", text.len());
    }
}

#[test]
fn a_setting_that_nothing_can_be_judged_by_is_refused_with_what_is_expected() {
    let refused = |policy: Policy, metrics: Vec<Metric>| Monitor::new(policy, metrics).unwrap_err().to_string();
    let design = |design: Design| refused(Policy::default(), vec![metric("it", design)]);
    let (good, limit) = (SharesDesign::default(), LimitDesign { limit: 0.0, good_below: 0.1 });
    let crossed = MeanDesign { low: 1.0, high: 0.0, tolerance: 0.0, margin: 0.1, against_stable: true };
    for (found, expected) in [
        (design(Design::Limit(limit)), "limit of it must be above 0 and below 1, found 0"),
        (
            design(Design::Shares(SharesDesign { margin: 1.0, ..good })),
            "margin of it must be a factor above the tolerance, found 1",
        ),
        (
            design(Design::Shares(SharesDesign { tolerance: f64::NAN, ..good })),
            "tolerance of it must be a factor of at least 1, found NaN",
        ),
        (design(Design::Mean(crossed)), "high of it must be a finite number above low, found 0"),
        (
            design(Design::Mean(MeanDesign { high: 2.0, margin: 1.0, ..crossed })),
            "margin of it must be at least the tolerance, and within the bounds of the values, found 1",
        ),
        (refused(Policy { false_alarm: 0.0, ..Policy::default() }, vec![]), "false_alarm must be above 0 and below 1, found 0"),
        (refused(Policy::default(), vec![Metric { weight: 0.0, ..shares("it") }]), "weight of it must be above 0, found 0"),
        (refused(Policy::default(), vec![shares("it"), shares("it")]), "a metric's name must be its own, found it twice"),
    ] {
        assert_eq!(found, expected);
    }
}
