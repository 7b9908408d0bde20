//! `towpath verdict replay`.

use std::io;
use std::process::ExitCode;

use cli::{Exit, Output};
use serde::Serialize;
use verdict::monitor::{Conclusion, Monitor, Observation, Outcome, Verdict};
use verdict::sample::Counts;

use super::args::ReplayArgs;
use super::policy::{self, Watch};
use super::range;
use super::record::{self, Row, Seen, instant};
use crate::failure::Failure;

/// A look at which something was known that was not known before.
#[derive(Serialize)]
struct Change {
    #[serde(serialize_with = "in_words")]
    at: i64,
    /// Since the first row.
    elapsed_ms: u64,
    verdict: Verdict,
}

/// What a replay found.
#[derive(Serialize)]
struct Replayed {
    looks: u64,
    changes: Vec<Change>,
    /// The place among the changes of the first look that decided.
    decided: Option<usize>,
    last: Verdict,
}

pub(super) async fn run(args: &ReplayArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let Watch { monitor, look_every_ms, metrics, sources } = policy::read(&args.policy)?;
    let mut replay = Replay::new(monitor, look_every_ms, &metrics);
    let replayed = if let Some(record) = &args.record {
        record::read(record, &metrics, |row| replay.take(row))?;
        replay.end().map_err(|why| super::unusable(record, why))?
    } else {
        let rows = range::read(&args.range, &args.policy, &metrics, &sources).await?;
        if let Some(file) = &args.range.save {
            record::write(file, &metrics, &rows)?;
        }
        let replayed = rows.into_iter().try_for_each(|row| replay.take(row)).and_then(|()| replay.end());
        replayed.map_err(range::unusable)?
    };
    let said = match output.context.json {
        true => serde_json::to_string(&replayed).map_err(io::Error::from).and_then(|text| writeln!(output.out, "{text}")),
        false => tell(&replayed, output),
    };
    said.map_err(|error| Failure::of("", &error))?;
    Ok(match replayed.last.outcome {
        Outcome::Healthy => ExitCode::SUCCESS,
        Outcome::Unhealthy | Outcome::Inconclusive => ExitCode::from(Exit::NotSucceeded as u8),
    })
}

/// What came of one metric since the last look.
#[derive(Default)]
struct Since {
    name: String,
    takes_counts: bool,
    counts: [Counts; 2],
    values: [Vec<f64>; 2],
}

/// A replay under way.
struct Replay {
    monitor: Monitor,
    look_every_ms: i64,
    since: Vec<Since>,
    /// When the first row came, and when is looked next; nothing before the first row.
    began_ms: Option<(i64, i64)>,
    last_ms: i64,
    known: Option<(Outcome, Vec<Conclusion>)>,
    changes: Vec<Change>,
}

impl Replay {
    fn new(monitor: Monitor, look_every_ms: u64, metrics: &[(String, bool)]) -> Self {
        let since =
            |(name, takes_counts): &(String, bool)| Since { name: name.clone(), takes_counts: *takes_counts, ..Since::default() };
        Self {
            monitor,
            look_every_ms: i64::try_from(look_every_ms).unwrap_or(i64::MAX),
            since: metrics.iter().map(since).collect(),
            began_ms: None,
            last_ms: 0,
            known: None,
            changes: Vec::new(),
        }
    }

    fn take(&mut self, row: Row) -> Result<(), String> {
        let (began, next) = *self.began_ms.get_or_insert((row.at_ms, row.at_ms.saturating_add(self.look_every_ms)));
        if row.at_ms >= next {
            self.look(next)?;
            // Where nothing came for long, one look has said so.
            let passed = (row.at_ms - began) / self.look_every_ms;
            self.began_ms = Some((began, began.saturating_add((passed + 1).saturating_mul(self.look_every_ms))));
        }
        self.last_ms = row.at_ms;
        let since = &mut self.since[row.metric];
        let side = usize::from(!row.of_candidate);
        match row.seen {
            Seen::Counts(more) => {
                let Counts { events, trials } = &mut since.counts[side];
                (*events, *trials) = (events.saturating_add(more.events), trials.saturating_add(more.trials));
            }
            Seen::Value(value) => since.values[side].push(value),
        }
        Ok(())
    }

    fn look(&mut self, at_ms: i64) -> Result<Verdict, String> {
        for since in &mut self.since {
            let counts = std::mem::take(&mut since.counts);
            let values = std::mem::take(&mut since.values);
            let seen = match since.takes_counts {
                true => Observation::Counts { candidate: counts[0], stable: counts[1] },
                false => Observation::Values { candidate: &values[0], stable: &values[1] },
            };
            self.monitor.observe(&since.name, &seen).map_err(|refused| refused.to_string())?;
        }
        let began_ms = self.began_ms.map_or(at_ms, |(began, _)| began);
        let elapsed_ms = u64::try_from(at_ms.saturating_sub(began_ms)).unwrap_or(0);
        let verdict = self.monitor.look(elapsed_ms);
        let known = (verdict.outcome, verdict.findings.iter().map(|finding| finding.conclusion).collect());
        if self.known.as_ref() != Some(&known) {
            self.known = Some(known);
            self.changes.push(Change { at: at_ms, elapsed_ms, verdict: verdict.clone() });
        }
        Ok(verdict)
    }

    fn end(mut self) -> Result<Replayed, String> {
        let last = self.look(self.last_ms)?;
        let decided = self.changes.iter().position(|change| change.verdict.outcome != Outcome::Inconclusive);
        Ok(Replayed { looks: self.monitor.looks(), changes: self.changes, decided, last })
    }
}

fn tell(replayed: &Replayed, output: &mut Output) -> io::Result<()> {
    let row = |change: &Change| {
        vec![
            instant(change.at),
            format!("{} s", change.elapsed_ms / 1_000),
            outcome(change.verdict.outcome).to_owned(),
            change.verdict.sentence.clone(),
        ]
    };
    let rows: Vec<_> = replayed.changes.iter().map(row).collect();
    output.table(&["TIME", "AFTER", "VERDICT", "WHY"], &rows)?;
    writeln!(output.out)?;
    for finding in &replayed.last.findings {
        let interval =
            finding.interval.map(|interval| format!(", {:.4} to {:.4}", interval.low, interval.high)).unwrap_or_default();
        let sizes = format!("{} of the candidate, {} of stable", finding.candidate_size, finding.stable_size);
        writeln!(output.out, "{}: {}; {sizes}{interval}", finding.metric, finding.test)?;
    }
    let Some(change) = replayed.decided.and_then(|place| replayed.changes.get(place)) else {
        return writeln!(output.out, "not decided after {} looks: {}", replayed.looks, replayed.last.sentence);
    };
    let (after, at, first) = (change.elapsed_ms / 1_000, instant(change.at), change.verdict.outcome);
    writeln!(output.out, "decided after {after} s, at {at}, of {} looks in all: {}", replayed.looks, outcome(first))?;
    match replayed.last.outcome {
        last if last == first => Ok(()),
        last => writeln!(output.out, "at the end {}: {}", outcome(last), replayed.last.sentence),
    }
}

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Healthy => "healthy",
        Outcome::Unhealthy => "unhealthy",
        Outcome::Inconclusive => "undecided",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn in_words<S: serde::Serializer>(at: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant(*at))
}
