//! A range of Prometheus as the data of a replay.
//!
//! Shares and limits are counted by counters. A query selects them as they are, one series for each instance, and neither sums nor rates
//! them: what was added is the difference of two readings of one series, which a restart of one instance does not spoil. Means and
//! times take the values of all series that a query gives.

mod increase;
mod queries;
mod server;

use std::path::Path;
use std::time::Duration;

use prometheus::{Question, Series, Window};
use verdict::sample::Counts;

use super::args::RangeArgs;
use super::record::{Row, Seen, time};
use crate::failure::Failure;
use increase::Increase;
use queries::Queries;
pub(super) use queries::{Source, SourceForm};
use server::Server;

/// How many readings a range may have: a day, second by second.
const STEPS_MAX: u64 = 100_000;

/// How many of them one question asks for. Prometheus gives at most 11,000, and a hundred instances have a thousand each.
const STEPS_ASKED: u64 = 1_000;

/// How many rows may come of it: what a record has at most.
const ROWS_MAX: usize = 5_000_000;

/// Reads what the policy's metrics say of Prometheus, in the order of time.
pub(super) async fn read(
    args: &RangeArgs,
    policy: &Path,
    metrics: &[(String, bool)],
    sources: &[Option<Source>],
) -> Result<Vec<Row>, Failure> {
    let window = window(args).map_err(|why| unusable(why).usage())?;
    let server = Server::new(args).map_err(|why| unusable(why).usage())?;
    let mut rows = Vec::new();
    for (metric, source) in sources.iter().enumerate() {
        let name = &metrics[metric].0;
        let missing =
            || super::unusable(policy, format!("metric {name:?} says nothing of prometheus, so that there is nothing to ask"));
        for (of_candidate, queries) in source.as_ref().ok_or_else(missing)?.sides() {
            let side = if of_candidate { "candidate" } else { "stable" };
            let failed = |why: String| unusable(format!("metric {name:?} of {side}: {why}"));
            let seen = seen(&server, queries, window).await.map_err(failed)?;
            rows.extend(seen.into_iter().map(|(at_ms, seen)| Row { at_ms, metric, of_candidate, seen }));
            if rows.len() > ROWS_MAX {
                return Err(unusable(format!(
                    "the range has more than {ROWS_MAX} rows; look at a shorter time or in longer steps"
                )));
            }
        }
    }
    rows.sort_by_key(|row| row.at_ms);
    match rows.is_empty() {
        true => {
            Err(unusable(format!("{} has nothing of what is asked for in that range, and no data is not healthy", server.name())))
        }
        false => Ok(rows),
    }
}

/// Returns the failure of a range that cannot be used.
pub(super) fn unusable(why: impl std::fmt::Display) -> Failure {
    Failure::new("TP0702", why.to_string())
}

fn window(args: &RangeArgs) -> Result<Window, String> {
    let instant = |option: &str, text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        time(text).ok_or_else(|| format!("{option} is {text:?}, expected like 2026-11-24T08:00:00Z or seconds since 1970"))
    };
    let (start_ms, end_ms) = (instant("--from", &args.from)?, instant("--to", &args.to)?);
    let step: Option<Duration> = args.step.parse::<jiff::SignedDuration>().ok().and_then(|step| step.try_into().ok());
    let step_ms = step.and_then(|step| u64::try_from(step.as_millis()).ok()).filter(|step| *step > 0);
    let step_ms = step_ms.ok_or_else(|| format!("--step is {:?}, expected a time like 15s", args.step))?;
    if start_ms >= end_ms {
        let [start, end] = [start_ms, end_ms].map(super::record::instant);
        return Err(format!("--from is {start} and --to {end}, expected the earlier one first"));
    }
    let window = Window { start_ms, end_ms, step_ms };
    match window.points() {
        ..=STEPS_MAX => Ok(window),
        points => {
            Err(format!("the range has {points} steps, at most {STEPS_MAX} are read; look at a shorter time or in longer steps"))
        }
    }
}

/// Returns what was seen of one side, with its times.
async fn seen(server: &Server, queries: &Queries, window: Window) -> Result<Vec<(i64, Seen)>, String> {
    match queries {
        Queries::Counters { events, trials } => {
            let trials = added(server, trials, window, false).await.map_err(|why| format!("trials: {why}"))?;
            let looking = trials.was_looking();
            let events = added(server, events, window, looking).await.map_err(|why| format!("events: {why}"))?;
            let counts = |(at_ms, trials): (i64, u64)| {
                let counts = Counts { events: events.at(at_ms), trials }.checked();
                counts
                    .map(|counts| (at_ms, Seen::Counts(counts)))
                    .map_err(|bad| format!("{bad} (at {})", super::record::instant(at_ms)))
            };
            trials.into_iter().map(counts).collect()
        }
        Queries::Value(value) => {
            let mut seen = Vec::new();
            for window in parts(window) {
                let points = ask(server, value, window).await?.into_iter().flat_map(|series| series.points);
                seen.extend(points.map(|point| (point.at_ms, Seen::Value(point.value))));
            }
            Ok(seen)
        }
    }
}

async fn added(server: &Server, query: &str, window: Window, was_looking: bool) -> Result<Increase, String> {
    let mut increase = Increase::from(window.start_ms, was_looking);
    for part in parts(window) {
        increase.take(ask(server, query, part).await?);
    }
    Ok(increase)
}

/// Returns the window in parts of which each is one question.
fn parts(window: Window) -> impl Iterator<Item = Window> {
    let length_ms = window.step_ms.saturating_mul(STEPS_ASKED);
    let starts = std::iter::successors(Some(window.start_ms), move |start| start.checked_add(i64::try_from(length_ms).ok()?));
    starts.take_while(move |start| *start <= window.end_ms).map(move |start_ms| {
        let last = start_ms.saturating_add(i64::try_from(length_ms - window.step_ms).unwrap_or(i64::MAX));
        Window { start_ms, end_ms: last.min(window.end_ms), ..window }
    })
}

async fn ask(server: &Server, query: &str, window: Window) -> Result<Vec<Series>, String> {
    let answer = server.ask(&Question::Range { query: query.to_owned(), window }).await?;
    match answer.warnings.first() {
        Some(warning) => Err(format!("Prometheus warns: {warning}; a part of the truth is not replayed")),
        None => Ok(answer.data.into_series()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_asked_for_in_parts_that_meet_and_do_not_overlap() {
        let window = Window { start_ms: 500, end_ms: 2_300_500, step_ms: 1_000 };
        let parts: Vec<_> = parts(window).map(|part| (part.start_ms, part.end_ms)).collect();
        assert_eq!(parts, [(500, 999_500), (1_000_500, 1_999_500), (2_000_500, 2_300_500)]);
        let one = super::parts(Window { start_ms: 0, end_ms: 999_000, step_ms: 1_000 });
        assert_eq!(one.count(), 1);
        let all: u64 = super::parts(window).map(|part| part.points()).sum();
        assert_eq!(all, window.points());
    }
}
