//! A server whose telemetry is scripted.

use towpath_sdk::health::Verdict;
use towpath_sdk::powers::telemetry::{Aspect, Error, Expectation, Query, Reading, Window};
use towpath_sdk::testing::World;

use super::{STARTED_MS, Watching};

/// Windows of ten seconds; what came in the last fifteen is not settled.
#[derive(Clone, Copy)]
struct Measured {
    now_seconds: i64,
    /// Requests in each window, how many of them failed, and how many took longer than half a second: of stable, then of the candidate.
    sides: [(u64, u64, u64); 2],
    /// How long a request took; NaN where that is not known.
    each: f64,
    turned_away: u32,
    usual: Option<Expectation>,
}

impl Measured {
    fn new(now_seconds: i64, stable: (u64, u64, u64), candidate: (u64, u64, u64)) -> Self {
        Self { now_seconds, sides: [stable, candidate], each: 0.1, turned_away: 0, usual: None }
    }
}

impl World for Measured {
    fn telemetry_read(&mut self, query: &Query) -> Result<Reading, Error> {
        let release = query.release.as_deref().expect("a release is always asked for");
        let (requests, failed, slow) = self.sides[usize::from(release == "v2")];
        let has = |name: &str| query.filters.iter().any(|filter| filter.attribute == name && filter.among);
        // No series of this service says what kind of error it was.
        let count = match (has("error.type"), has("http.response.status_code")) {
            (true, _) => 0,
            (false, true) => failed,
            (false, false) => requests,
        };
        let window = |start_ms: i64| Window {
            start_ms,
            length_ms: 10_000,
            count,
            sum: count as f64 * self.each,
            min: None,
            max: None,
            bounds: vec![0.1, 0.5],
            counts: vec![count - slow.min(count), 0, slow.min(count)],
        };
        let now_ms = STARTED_MS + self.now_seconds * 1_000;
        let starts = (0..).map(|number| STARTED_MS + number * 10_000);
        let windows =
            starts.skip_while(|at| *at < query.from_ms).take_while(|at| at + 10_000 <= query.to_ms).map(window).collect();
        Ok(Reading { windows, settled_ms: (now_ms - 15_000) / 10_000 * 10_000, series: 3, turned_away: self.turned_away })
    }

    fn telemetry_usual(&mut self, metric: &str, aspect: Aspect, _: i64) -> Result<Option<Expectation>, Error> {
        assert_eq!((metric, format!("{aspect:?}").as_str()), ("http.server.request.duration", "Aspect::Errors"));
        Ok(self.usual)
    }

    fn now_ms(&mut self) -> i64 {
        STARTED_MS + self.now_seconds * 1_000
    }
}

fn metric(judge: &str) -> String {
    format!(r#"{{ "metrics": [{{ "name": "requests", "judge": {judge} }}] }}"#)
}

fn errors() -> String {
    metric(
        r#"{ "shares": {
            "events": { "telemetry": { "metric": "http.server.request.duration", "among": { "http.response.status_code": ["5*"] } } },
            "trials": { "telemetry": { "metric": "http.server.request.duration" } } } }"#,
    )
}

fn slow(above: &str) -> String {
    metric(&format!(
        r#"{{ "times": {{ "histogram": {{ "telemetry": {{ "metric": "http.server.request.duration" }} }}, "above": [{above}] }} }}"#
    ))
}

fn watched(settings: &str, looks: i64, world: impl Fn(i64) -> Measured) -> (i64, towpath_sdk::health::Assessment) {
    let mut watching = Watching::new(settings);
    for look in 1..=looks {
        // Not in step with the windows.
        let now = look * 7;
        let found = watching.look(now, world(now));
        if found.verdict == Verdict::Unhealthy || look == looks {
            return (now, found);
        }
    }
    unreachable!("the last look returns")
}

#[test]
fn errors_and_slow_answers_are_found() {
    let bad = |now| Measured::new(now, (900, 9, 9), (100, 5, 1));
    let (seconds, found) = watched(&errors(), 60, bad);
    assert!(found.verdict == Verdict::Unhealthy && seconds < 200, "{seconds} s: {}", found.sentence);
    let slower = |now| Measured::new(now, (900, 0, 9), (100, 0, 5));
    let (seconds, found) = watched(&slow("0.1, 0.5"), 60, slower);
    assert!(found.verdict == Verdict::Unhealthy && seconds < 200, "{seconds} s: {}", found.sentence);
    assert!(found.sentence.starts_with("candidate requests above 0."), "{}", found.sentence);
    let same = |now| Measured::new(now, (900, 9, 9), (100, 1, 1));
    for settings in [errors(), slow("0.5")] {
        let (_, found) = watched(&settings, 60, same);
        assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    }
}

#[test]
fn a_sum_that_is_not_known_is_needed_for_means_alone() {
    let unknown = |now| Measured { each: f64::NAN, ..Measured::new(now, (900, 9, 9), (100, 5, 1)) };
    let (_, found) = watched(&errors(), 60, unknown);
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.sentence);
    let mean = metric(
        r#"{ "mean": { "values": { "telemetry": { "metric": "http.server.request.duration" } }, "high": 1, "tolerance": 0.1, "margin": 0.2 } }"#,
    );
    let (_, found) = watched(&mean, 5, unknown);
    let sentence = "the sum of http.server.request.duration in a window is NaN, expected a number";
    assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Error, sentence));
}

#[test]
fn every_settled_window_counts_once() {
    let mut watching = Watching::new(&errors());
    for now in [4, 9, 23, 27, 31, 58] {
        let found = watching.look(now, Measured::new(now, (90, 0, 0), (10, 0, 0)));
        let settled = ((now - 15) / 10).max(0);
        let seen = found.measurements.iter().find(|one| one.name == "requests").and_then(|one| one.samples).unwrap_or(0);
        assert_eq!(seen, u64::try_from(settled * 10).expect("a count"), "at {now} s: {}", found.sentence);
    }
}

#[test]
fn what_is_not_all_is_not_healthy_and_a_bound_must_be_one() {
    let some = |now| Measured { turned_away: 7, ..Measured::new(now, (900, 9, 9), (100, 1, 1)) };
    let (_, found) = watched(&errors(), 30, some);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(found.sentence.starts_with("7 series of the service were turned away"), "{}", found.sentence);
    let (_, found) = watched(&slow("0.25"), 10, |now| Measured::new(now, (900, 9, 9), (100, 1, 1)));
    let sentence = "http.server.request.duration: 0.25 is no bound of the histogram; its bounds are 0.1, 0.5";
    assert_eq!((found.verdict, found.sentence.as_str()), (Verdict::Error, sentence));
}

#[test]
fn what_is_usual_is_the_limit_where_it_is_known() {
    let settings = metric(r#"{ "usual": { "metric": "http.server.request.duration", "minutesMin": 30 } }"#);
    let known = |minutes, mean| Some(Expectation { minutes, mean, deviation: 0.002, drift: Some(1.25) });
    let with = |usual| move |now| Measured { usual, ..Measured::new(now, (0, 0, 0), (100, 4, 0)) };
    let (seconds, found) = watched(&settings, 60, with(known(60, 0.005)));
    assert!(found.verdict == Verdict::Unhealthy && seconds < 200, "{seconds} s: {}", found.sentence);
    let (_, found) = watched(&settings, 60, with(known(60, 0.05)));
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.sentence);
    let drift = found.measurements.iter().find(|one| one.name.ends_with("-usual-drift"));
    assert_eq!(drift.map(|drift| drift.value), Some(1.25), "the baseline's drift is shown");
    for (usual, minutes) in [(known(29, 0.05), 29), (None, 0)] {
        let (_, found) = watched(&settings, 3, with(usual));
        assert_eq!(found.verdict, Verdict::Inconclusive);
        assert!(
            found.sentence.ends_with(&format!("not known yet: {minutes} minutes of 30 that are needed")),
            "{}",
            found.sentence
        );
    }
    let (_, found) = watched(&settings, 3, with(known(60, f64::NAN)));
    assert_eq!(found.verdict, Verdict::Error, "{}", found.sentence);
}
