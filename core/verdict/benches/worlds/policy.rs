//! The policies: ours, and what peers do, over one run.

use verdict::kayenta::{Classifier, Direction, Label};
use verdict::monitor::{Design, Metric, Monitor, Observation, Outcome, Policy, Role};
use verdict::rank;
use verdict::sample::{Counts, percentile, sorted};
use verdict::sequential::{ExceedanceDesign, SharesDesign};

use crate::world::{Kind, Run, SECONDS, Second};

/// The level of false alarms that our policy states.
pub(crate) const LEVEL: f64 = 0.01;

/// Peers look once a minute.
const INTERVAL: usize = 60;

/// What a policy said of a run, and after how many seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Bad(u64),
    Good(u64),
    Nothing,
}

/// Ours: a look each second. `stop_when_good` ends the watch at a proof that the candidate is good; otherwise it lasts the whole time.
pub(crate) fn sequential(kind: Kind, run: &Run, stop_when_good: bool) -> Said {
    let design = match kind {
        Kind::Errors => Design::Shares(SharesDesign::default()),
        Kind::Times => Design::Exceedance(ExceedanceDesign::from_baseline(&run.earlier, &ExceedanceDesign::QUANTILES)),
    };
    let metric = Metric { name: "it".to_owned(), group: "all".to_owned(), weight: 1.0, role: Role::Counts, design };
    let mut monitor = Monitor::new(Policy { false_alarm: LEVEL, ..Policy::default() }, vec![metric]).expect("a good policy");
    for (at, second) in (1..).zip(&run.seconds) {
        let seen = match kind {
            Kind::Errors => Observation::Counts { candidate: second.candidate, stable: second.stable },
            Kind::Times => Observation::Values { candidate: &second.candidate_times, stable: &second.stable_times },
        };
        monitor.observe("it", &seen).expect("a world gives what its kind says");
        match monitor.look(at * 1_000).outcome {
            Outcome::Unhealthy => return Said::Bad(at),
            Outcome::Healthy if stop_when_good => return Said::Good(at),
            Outcome::Healthy | Outcome::Inconclusive => {}
        }
    }
    Said::Nothing
}

/// A threshold on each interval, and an alarm at so many intervals above it, in a row or not.
pub(crate) fn threshold(intervals: &[f64], length: usize, limit: f64, failures: usize) -> Said {
    let failed = intervals.iter().enumerate().filter(|(_, value)| **value > limit).nth(failures - 1);
    failed.map_or(Said::Nothing, |(place, _)| Said::Bad(((place + 1) * length) as u64))
}

/// As Flagger does by its documentation's example: each minute, at least 99 % of the requests succeed and the 99th percentile is below 500 ms; the
/// fifth failed check rolls back.
pub(crate) fn threshold_per_interval(kind: Kind, run: &Run) -> Said {
    threshold(&measured(kind, run, INTERVAL, Measure::Peers), INTERVAL, limit_of_peers(kind), 5)
}

/// As Argo Rollouts does: the same condition, and `failureLimit: 3` tolerates three failed measurements.
pub(crate) fn failure_limit(kind: Kind, run: &Run) -> Said {
    threshold(&measured(kind, run, INTERVAL, Measure::Peers), INTERVAL, limit_of_peers(kind), 4)
}

const fn limit_of_peers(kind: Kind) -> f64 {
    match kind {
        Kind::Errors => 0.01,
        Kind::Times => 500.0,
    }
}

/// Mann-Whitney with tolerance 0.25 and confidence 0.98 over all points so far, each minute; the first "High" is an alarm.
pub(crate) fn rank_each_interval(kind: Kind, run: &Run) -> Said {
    let (candidate, stable) = points(kind, &run.seconds);
    (1..=SECONDS as usize / INTERVAL)
        .find(|look| {
            let until = (look * INTERVAL).min(candidate.len()).min(stable.len());
            rank::compare(&candidate[..until], &stable[..until], 0.98)
                .is_ok_and(|found| found.interval.low > 0.25 * found.shift.abs())
        })
        .map_or(Said::Nothing, |look| Said::Bad((look * INTERVAL) as u64))
}

/// Kayenta's classifier over all points, at the end: the last interval decides.
pub(crate) fn last_interval(kind: Kind, run: &Run) -> Said {
    let (candidate, stable) = points(kind, &run.seconds);
    let classifier = Classifier { direction: Direction::Increase, ..Classifier::default() };
    match classifier.classify(&candidate, &stable).label {
        Label::High => Said::Bad(SECONDS),
        Label::Pass | Label::Low => Said::Good(SECONDS),
        Label::NoData | Label::NoDataFail | Label::Error => Said::Nothing,
    }
}

/// One point for each second that has data: the share of errors, or the mean time.
fn points(kind: Kind, seconds: &[Second]) -> (Vec<f64>, Vec<f64>) {
    let of = |counts: Counts, times: &[f64]| match kind {
        Kind::Errors => counts.share(),
        Kind::Times => verdict::sample::mean(times),
    };
    (
        seconds.iter().filter_map(|second| of(second.candidate, &second.candidate_times)).collect(),
        seconds.iter().filter_map(|second| of(second.stable, &second.stable_times)).collect(),
    )
}

/// What a threshold is set on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Measure {
    /// The candidate's share of errors, or the 99th percentile of its times.
    Peers,
    /// The candidate's share of errors, or the mean of its times.
    Candidate,
    /// The same, less stable's.
    AgainstStable,
}

/// Returns a measure of each interval; NaN, which is above no threshold, where there is no data.
pub(crate) fn measured(kind: Kind, run: &Run, length: usize, measure: Measure) -> Vec<f64> {
    run.seconds
        .chunks(length)
        .map(|chunk| match kind {
            Kind::Errors => {
                let sum = |side: fn(&Second) -> Counts| {
                    let (events, trials) =
                        chunk.iter().map(side).fold((0, 0), |sum, counts| (sum.0 + counts.events, sum.1 + counts.trials));
                    Counts { events, trials }.share().unwrap_or(f64::NAN)
                };
                let candidate = sum(|second| second.candidate);
                if measure == Measure::AgainstStable { candidate - sum(|second| second.stable) } else { candidate }
            }
            Kind::Times => {
                let all = |side: fn(&Second) -> &Vec<f64>| chunk.iter().flat_map(side).copied().collect::<Vec<f64>>();
                let candidate = all(|second| &second.candidate_times);
                let mean = |values: &[f64]| verdict::sample::mean(values).unwrap_or(f64::NAN);
                match measure {
                    Measure::Peers => percentile(&sorted(&candidate), 0.99).unwrap_or(f64::NAN),
                    Measure::Candidate => mean(&candidate),
                    Measure::AgainstStable => mean(&candidate) - mean(&all(|second| &second.stable_times)),
                }
            }
        })
        .collect()
}
