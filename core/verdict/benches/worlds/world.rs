//! The worlds: a service with ten candidate and ninety stable requests in each second, for ten minutes.

use verdict::sample::Counts;

use crate::chance::Chance;

/// How long a candidate is watched, in seconds.
pub(crate) const SECONDS: u64 = 600;

/// Requests per second.
const CANDIDATE: u64 = 10;
const STABLE: u64 = 90;

/// Stable's requests before the candidate came, from which thresholds are taken.
pub(crate) const EARLIER: usize = 2_000;

/// What is measured in a world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Errors,
    Times,
}

/// What came in one second.
#[derive(Default, Clone)]
pub(crate) struct Second {
    pub(crate) candidate: Counts,
    pub(crate) stable: Counts,
    pub(crate) candidate_times: Vec<f64>,
    pub(crate) stable_times: Vec<f64>,
}

/// A run of a world.
pub(crate) struct Run {
    pub(crate) earlier: Vec<f64>,
    pub(crate) seconds: Vec<Second>,
}

/// A world, in which the candidate is bad or is not.
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) bad: bool,
    /// Where the candidate is bad: the world in which nothing else differs.
    pub(crate) like: Option<&'static str>,
    make: fn(&mut Chance) -> Run,
}

impl World {
    pub(crate) fn run(&self, seed: u64) -> Run {
        (self.make)(&mut Chance::new(seed))
    }
}

/// The worlds of the tables, in their order.
pub(crate) fn all() -> Vec<World> {
    let world = |name, kind, like: Option<&'static str>, make| World { name, kind, bad: like.is_some(), like, make };
    vec![
        world("no difference: no errors at all", Kind::Errors, None, |chance| errors(chance, |_, _| (0.0, 0.0))),
        world("no difference: errors 0.1 %", Kind::Errors, None, |chance| errors(chance, |_, _| (0.001, 0.001))),
        world("no difference: errors 1 %", Kind::Errors, None, |chance| errors(chance, |_, _| (0.01, 0.01))),
        world("no difference: errors 5 %", Kind::Errors, None, |chance| errors(chance, |_, _| (0.05, 0.05))),
        world("no difference: bursts, nine of ten seconds without errors", Kind::Errors, None, |chance| {
            errors(chance, |chance, _| bursts(chance, 1.0))
        }),
        world("no difference: errors climb from 0.1 % to 3 %", Kind::Errors, None, |chance| {
            errors(chance, |_, second| (ramp(second), ramp(second)))
        }),
        world("no difference: noise that lasts, of both sides", Kind::Errors, None, shared_noise),
        world("no difference: noise that lasts, of each side its own", Kind::Errors, None, own_noise),
        world("no difference: errors 1 %, a third of the seconds missing", Kind::Errors, None, |chance| missing(chance, 0.01)),
        world("errors 0.1 % to 1 %", Kind::Errors, Some("no difference: errors 0.1 %"), |chance| {
            errors(chance, |_, _| (0.01, 0.001))
        }),
        world("errors 1 % to 3 %", Kind::Errors, Some("no difference: errors 1 %"), |chance| errors(chance, |_, _| (0.03, 0.01))),
        world(
            "bursts, three times as many",
            Kind::Errors,
            Some("no difference: bursts, nine of ten seconds without errors"),
            |chance| errors(chance, |chance, _| bursts(chance, 3.0)),
        ),
        world("errors of the candidate climb from 0.1 % to 3 %", Kind::Errors, Some("no difference: errors 0.1 %"), |chance| {
            errors(chance, |_, second| (ramp(second), 0.001))
        }),
        world(
            "errors 1 % to 3 %, a third of the seconds missing",
            Kind::Errors,
            Some("no difference: errors 1 %, a third of the seconds missing"),
            |chance| missing(chance, 0.03),
        ),
        world("no difference: times", Kind::Times, None, |chance| {
            times(chance, |chance| log_normal(chance, 1.0), |chance| log_normal(chance, 1.0))
        }),
        world("no difference: times of two kinds", Kind::Times, None, |chance| {
            times(chance, |chance| cached(chance, 0.2), |chance| cached(chance, 0.2))
        }),
        world("times + 10 %", Kind::Times, Some("no difference: times"), |chance| {
            times(chance, |chance| log_normal(chance, 1.1), |chance| log_normal(chance, 1.0))
        }),
        world("times + 30 %", Kind::Times, Some("no difference: times"), |chance| {
            times(chance, |chance| log_normal(chance, 1.3), |chance| log_normal(chance, 1.0))
        }),
        world(
            "times: the tail alone, one in twenty takes five times as long",
            Kind::Times,
            Some("no difference: times"),
            |chance| times(chance, tail, |chance| log_normal(chance, 1.0)),
        ),
        world(
            "times of two kinds: the slow kind from 20 % to 30 %",
            Kind::Times,
            Some("no difference: times of two kinds"),
            |chance| times(chance, |chance| cached(chance, 0.3), |chance| cached(chance, 0.2)),
        ),
    ]
}

fn second(chance: &mut Chance, rates: (f64, f64)) -> Second {
    Second {
        candidate: Counts { events: chance.binomial(CANDIDATE, rates.0), trials: CANDIDATE },
        stable: Counts { events: chance.binomial(STABLE, rates.1), trials: STABLE },
        ..Second::default()
    }
}

/// A run with the rates that are given for each second, candidate's and stable's.
fn errors(chance: &mut Chance, mut rates: impl FnMut(&mut Chance, u64) -> (f64, f64)) -> Run {
    let seconds = (0..SECONDS)
        .map(|at| {
            let rates = rates(chance, at);
            second(chance, rates)
        })
        .collect();
    Run { earlier: Vec::new(), seconds }
}

fn ramp(second: u64) -> f64 {
    0.001 + 0.029 * second as f64 / SECONDS as f64
}

/// One second in ten has errors, on both sides: 3 % of stable's requests, `factor` times as many of the candidate's.
fn bursts(chance: &mut Chance, factor: f64) -> (f64, f64) {
    if chance.happens(0.1) { (0.03 * factor, 0.03) } else { (0.0, 0.0) }
}

/// A state that is forgotten over about a minute and moves the rate around 1 % by a factor of up to 3.
fn lasting(chance: &mut Chance, state: &mut f64) -> f64 {
    *state = 0.983 * *state + 0.18 * chance.normal();
    (0.01 * (*state * 0.6).exp()).min(0.5)
}

fn shared_noise(chance: &mut Chance) -> Run {
    let mut state = 0.0;
    errors(chance, |chance, _| {
        let rate = lasting(chance, &mut state);
        (rate, rate)
    })
}

fn own_noise(chance: &mut Chance) -> Run {
    let mut states = (0.0, 0.0);
    errors(chance, |chance, _| (lasting(chance, &mut states.0), lasting(chance, &mut states.1)))
}

/// The candidate at a rate, stable at 1 %, and nothing at all from a source in one second of three, for each side by itself.
fn missing(chance: &mut Chance, rate: f64) -> Run {
    let mut run = errors(chance, |_, _| (rate, 0.01));
    for second in &mut run.seconds {
        if chance.happens(1.0 / 3.0) {
            second.candidate = Counts::default();
        }
        if chance.happens(1.0 / 3.0) {
            second.stable = Counts::default();
        }
    }
    run
}

fn times(chance: &mut Chance, candidate: impl Fn(&mut Chance) -> f64, stable: impl Fn(&mut Chance) -> f64) -> Run {
    let many = |chance: &mut Chance, count: usize, time: &dyn Fn(&mut Chance) -> f64| {
        (0..count).map(|_| time(chance)).collect::<Vec<f64>>()
    };
    let earlier = many(chance, EARLIER, &stable);
    let seconds = (0..SECONDS)
        .map(|_| Second {
            candidate: Counts { events: 0, trials: CANDIDATE },
            stable: Counts { events: 0, trials: STABLE },
            candidate_times: many(chance, CANDIDATE as usize, &candidate),
            stable_times: many(chance, STABLE as usize, &stable),
        })
        .collect();
    Run { earlier, seconds }
}

/// A median of 100 ms, and one in a hundred above 320 ms.
fn log_normal(chance: &mut Chance, factor: f64) -> f64 {
    100.0 * factor * (0.5 * chance.normal()).exp()
}

fn tail(chance: &mut Chance) -> f64 {
    let factor = if chance.happens(0.05) { 5.0 } else { 1.0 };
    log_normal(chance, factor)
}

/// About 5 ms from a cache, or about 100 ms.
fn cached(chance: &mut Chance, slow: f64) -> f64 {
    let middle = if chance.happens(slow) { 100.0 } else { 5.0 };
    middle * (0.2 * chance.normal()).exp()
}
