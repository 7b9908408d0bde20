//! What gates and health checks ask: a service and its metrics, programs, secrets, all with answers that a test wrote down.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Fault;
use crate::powers::telemetry::{Aspect, Expectation, Filter, Query, Reading, Window};
use crate::powers::{command, http, runtime, secret, telemetry};
use crate::testing::World;

/// A world that answers what it was told to answer, and nothing else. A clone is the same world.
///
/// What nobody wrote down is as a real world has it: a path is not found, a program and a secret are not granted, a metric has no series.
///
/// ```
/// use towpath_sdk::powers::http::{self, Response};
/// use towpath_sdk::testing::in_world;
/// use towpath_sdk::testing::worlds::Scripted;
///
/// let world = Scripted::new().answering("/healthz", Response::new(200, "ok"));
/// let status = |path: &str| in_world(world.clone(), || http::get(&format!("http://127.0.0.1:4000{path}"))).map(|answer| answer.status);
/// assert!(matches!((status("/healthz?full"), status("/other")), (Ok(200), Ok(404))));
/// ```
#[derive(Clone, Default)]
pub struct Scripted(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: Vec<(String, http::Response)>,
    programs: Vec<(String, command::Outcome)>,
    secrets: BTreeMap<String, String>,
    series: Vec<Series>,
    usual: Vec<(String, Aspect, Expectation)>,
    status: Option<String>,
    now_ms: i64,
    silent: bool,
}

/// What a service measured of itself under one name, with one set of attributes.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The metric.
    pub metric: String,
    /// The release that measured it; none where it belongs to none.
    pub release: Option<String>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// What was measured, in the order of time.
    pub windows: Vec<Window>,
}

impl Scripted {
    /// Returns a world that answers nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the world with an answer for a path, whatever the host and the query; `*` stands for every path. The first that fits counts.
    #[must_use]
    pub fn answering(self, path: impl Into<String>, answer: http::Response) -> Self {
        self.lock().answers.push((path.into(), answer));
        self
    }

    /// Returns the world with what comes of a program, whatever its arguments.
    #[must_use]
    pub fn running(self, program: impl Into<String>, outcome: command::Outcome) -> Self {
        self.lock().programs.push((program.into(), outcome));
        self
    }

    /// Returns the world with a secret.
    #[must_use]
    pub fn keeping(self, name: impl Into<String>, secret: impl Into<String>) -> Self {
        self.lock().secrets.insert(name.into(), secret.into());
        self
    }

    /// Returns the world with a series of measured windows.
    #[must_use]
    pub fn measuring(self, series: Series) -> Self {
        self.lock().series.push(series);
        self
    }

    /// Returns the world with what is usual for a metric.
    #[must_use]
    pub fn expecting(self, metric: impl Into<String>, aspect: Aspect, usual: Expectation) -> Self {
        self.lock().usual.push((metric.into(), aspect, usual));
        self
    }

    /// Returns the world with the status of the local runtime, as its protocol has it (JSON).
    #[must_use]
    pub fn reporting(self, status: impl Into<String>) -> Self {
        self.lock().status = Some(status.into());
        self
    }

    /// Returns the world at this time, in Unix milliseconds.
    #[must_use]
    pub fn at_ms(self, now_ms: i64) -> Self {
        self.lock().now_ms = now_ms;
        self
    }

    /// Has the world fall silent, or answer again. It keeps nothing, so of the faults it knows [`Fault::Silent`] alone.
    pub fn set_fault(&self, fault: Fault) {
        self.lock().silent = fault == Fault::Silent;
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World for Scripted {
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        let script = self.lock();
        if script.silent {
            return Err(http::Error::Timeout);
        }
        let path = path(&request.url);
        let found = script.answers.iter().find(|(wanted, _)| wanted == "*" || wanted == path);
        Ok(found.map_or_else(|| http::Response::new(404, ""), |(_, answer)| answer.clone()))
    }

    fn run_command(&mut self, request: &command::Request) -> Result<command::Outcome, command::Error> {
        let script = self.lock();
        if script.silent {
            return Err(command::Error::Timeout);
        }
        let found = script.programs.iter().find(|(program, _)| *program == request.program);
        let refused = || command::Error::Refused(format!("the test's world has no program {}", request.program));
        found.map(|(_, outcome)| outcome.clone()).ok_or_else(refused)
    }

    fn reveal(&mut self, name: &str) -> Result<String, secret::Error> {
        let found = self.lock().secrets.get(name).cloned();
        found.ok_or_else(|| secret::Error::Refused(format!("the test's world has no secret {name}")))
    }

    fn runtime_status(&mut self) -> Result<Option<String>, runtime::Error> {
        let script = self.lock();
        if script.silent {
            return Err(runtime::Error::Unreachable("nobody listens".to_owned()));
        }
        Ok(script.status.clone())
    }

    fn runtime_logs(&mut self, _release: &str, _lines: u32) -> Result<Vec<runtime::LogLine>, runtime::Error> {
        self.runtime_status().map(|_| Vec::new())
    }

    fn telemetry_read(&mut self, query: &Query) -> Result<Reading, telemetry::Error> {
        let script = self.lock();
        if script.silent {
            return Err(telemetry::Error::Unavailable("the store does not answer".to_owned()));
        }
        Ok(read(&script.series, query))
    }

    fn telemetry_usual(&mut self, metric: &str, aspect: Aspect, _at_ms: i64) -> Result<Option<Expectation>, telemetry::Error> {
        let script = self.lock();
        if script.silent {
            return Err(telemetry::Error::Unavailable("the store does not answer".to_owned()));
        }
        Ok(script.usual.iter().find(|(name, of, _)| name == metric && *of == aspect).map(|(.., usual)| *usual))
    }

    fn now_ms(&mut self) -> i64 {
        self.lock().now_ms
    }
}

/// Returns the path of an address.
fn path(url: &str) -> &str {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Reads as the server does: the windows that lie within the question, over all series that fit.
fn read(all: &[Series], query: &Query) -> Reading {
    let fits = |series: &&Series| {
        series.metric == query.metric
            && query.release.as_ref().is_none_or(|release| series.release.as_ref() == Some(release))
            && query.filters.iter().all(|filter| passes(filter, series))
    };
    let fitting: Vec<_> = all.iter().filter(fits).collect();
    let end = |window: &Window| window.start_ms.saturating_add(i64::from(window.length_ms));
    let mut merged = BTreeMap::<i64, Window>::new();
    for window in fitting.iter().flat_map(|series| &series.windows) {
        if window.start_ms < query.from_ms || end(window) > query.to_ms {
            continue;
        }
        match merged.get_mut(&window.start_ms) {
            Some(there) => add(there, window),
            None => {
                merged.insert(window.start_ms, window.clone());
            }
        }
    }
    let settled_ms = fitting.iter().flat_map(|series| &series.windows).map(end).max().unwrap_or(query.to_ms);
    let series = u32::try_from(fitting.len()).unwrap_or(u32::MAX);
    Reading { windows: merged.into_values().collect(), settled_ms, series, turned_away: 0 }
}

fn passes(filter: &Filter, series: &Series) -> bool {
    let value = series.attributes.get(&filter.attribute);
    let is = |wanted: &String, found: &str| wanted.strip_suffix('*').map_or(wanted == found, |start| found.starts_with(start));
    let found = value.is_some_and(|value| filter.values.iter().any(|wanted| is(wanted, value)));
    found == filter.among
}

fn add(there: &mut Window, more: &Window) {
    let either =
        |one: Option<f64>, other: Option<f64>, best: fn(f64, f64) -> f64| one.zip(other).map(|(one, other)| best(one, other));
    there.count = there.count.saturating_add(more.count);
    there.sum += more.sum;
    there.min = either(there.min, more.min, f64::min);
    there.max = either(there.max, more.max, f64::max);
    if there.bounds == more.bounds {
        there.counts.iter_mut().zip(&more.counts).for_each(|(count, more)| *count += more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::in_world;

    fn window(start_ms: i64, count: u64) -> Window {
        let (bounds, counts) = (vec![10.0], vec![count, 0]);
        Window { start_ms, length_ms: 1_000, count, sum: count as f64, min: Some(1.0), max: Some(2.0), bounds, counts }
    }

    fn series(release: &str, status: &str, windows: Vec<Window>) -> Series {
        let attributes = BTreeMap::from([("status".to_owned(), status.to_owned())]);
        Series { metric: "requests".to_owned(), release: Some(release.to_owned()), attributes, windows }
    }

    #[test]
    fn metrics_are_read_as_the_server_reads_them() {
        let world = Scripted::new()
            .measuring(series("v1", "200", vec![window(0, 10), window(1_000, 20)]))
            .measuring(series("v2", "200", vec![window(1_000, 5)]))
            .measuring(series("v2", "503", vec![window(1_000, 1), window(2_000, 7)]));
        let read = |query: Query| {
            let found = in_world(world.clone(), || telemetry::read(&query)).expect("it answers");
            (found.series, found.windows.iter().map(|window| (window.start_ms, window.count)).collect::<Vec<_>>())
        };
        let of_v2 = || Query::new("requests", 0, 2_000).of_release("v2");
        assert_eq!(read(Query::new("requests", 0, 2_000)), (3, vec![(0, 10), (1_000, 26)]));
        assert_eq!(read(of_v2()), (2, vec![(1_000, 6)]), "what ends later is left out");
        assert_eq!(read(of_v2().among("status", ["5*"])), (1, vec![(1_000, 1)]));
        assert_eq!(read(of_v2().except("status", ["5*"])), (1, vec![(1_000, 5)]));
        assert_eq!(read(Query::new("other", 0, 2_000)), (0, vec![]));
    }

    #[test]
    fn what_was_not_written_down_is_not_there_and_silence_is_silence() {
        let outcome = command::Outcome {
            exit_code: 3,
            stdout: b"said".to_vec(),
            stderr: Vec::new(),
            cut: false,
            files: Vec::new(),
            elapsed_ms: 1,
        };
        let world = Scripted::new().running("git", outcome).keeping("token", "t").reporting("{}");
        let run = |program: &str| in_world(world.clone(), || command::run(&command::Request::new(program)));
        assert!(matches!(run("git"), Ok(outcome) if outcome.exit_code == 3));
        assert!(matches!(run("sh"), Err(command::Error::Refused(_))));
        assert!(matches!(in_world(world.clone(), || secret::reveal("other")), Err(secret::Error::Refused(_))));
        assert!(matches!(in_world(world.clone(), runtime::status), Ok(Some(_))));
        world.set_fault(Fault::Silent);
        assert!(matches!(run("git"), Err(command::Error::Timeout)));
        assert!(in_world(world.clone(), runtime::status).is_err());
        assert!(matches!(in_world(world, || http::get("http://a/")), Err(http::Error::Timeout)));
    }
}
