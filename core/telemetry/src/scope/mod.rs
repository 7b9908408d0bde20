//! The series of one service in one environment: what comes in, what waits, and the windows that are over.

mod ring;
mod series;
mod stream;
#[cfg(test)]
mod tests;
mod turned_away;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::limits::{
    GRACE_MS, HELD_NUMBERS_MAX, HELD_NUMBERS_PER_SCOPE_MAX, KEPT_NUMBERS_PER_SCOPE_MAX, NAME_BYTES_MAX, NAME_BYTES_PER_SCOPE_MAX,
    SERIES_MAX, SERIES_PER_SCOPE_MAX, STREAMS_MAX, STREAMS_PER_SCOPE_MAX, WAITING_MAX, WINDOW_MS, WINDOWS_KEPT,
};
use crate::point::{Identity, Point, Span, Writer, quoted};
use crate::sums::Sums;
pub(crate) use series::Series;
use stream::{StreamKey, Taken, Waiting};
use turned_away::TurnedAway;

/// Everything that is known of a scope.
#[derive(Debug)]
pub(crate) struct ScopeSeries {
    series: BTreeMap<Identity, Series>,
    /// When writers of totals first sent a metric, in Unix nanoseconds, and last, by the server's clock, in Unix milliseconds.
    writers: HashMap<MetricWriter, (u64, i64)>,
    turned_away: TurnedAway,
    settled_ms: i64,
    /// When something came last, in Unix milliseconds.
    pub(crate) seen_ms: i64,
    usage: Usage,
    tally: Tally,
}

/// A writer of a metric, which counts since an instant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct MetricWriter {
    metric: Arc<str>,
    release: Arc<str>,
    writer: Writer,
    start_ns: u64,
}

/// What a scope takes of what is limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Series.
    pub series: usize,
    /// Writers of series.
    pub streams: usize,
    /// Bytes of names.
    pub name_bytes: usize,
    /// Numbers that wait, or are last totals.
    pub held_numbers: usize,
    /// Numbers in windows.
    pub kept_numbers: usize,
}

impl Usage {
    /// Returns what both take.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        self.each(other, usize::saturating_add)
    }

    /// Returns what is left without the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        self.each(other, usize::saturating_sub)
    }

    fn each(self, other: Self, join: fn(usize, usize) -> usize) -> Self {
        Self {
            series: join(self.series, other.series),
            streams: join(self.streams, other.streams),
            name_bytes: join(self.name_bytes, other.name_bytes),
            held_numbers: join(self.held_numbers, other.held_numbers),
            kept_numbers: join(self.kept_numbers, other.kept_numbers),
        }
    }

    /// Returns what one scope may take beside what others take.
    pub(crate) fn room_beside(others: Self) -> Self {
        let room = |own: usize, all: usize, taken: usize| own.min(all.saturating_sub(taken));
        Self {
            series: room(SERIES_PER_SCOPE_MAX, SERIES_MAX, others.series),
            streams: room(STREAMS_PER_SCOPE_MAX, STREAMS_MAX, others.streams),
            name_bytes: room(NAME_BYTES_PER_SCOPE_MAX, NAME_BYTES_MAX, others.name_bytes),
            held_numbers: room(HELD_NUMBERS_PER_SCOPE_MAX, HELD_NUMBERS_MAX, others.held_numbers),
            // Windows are not refused: the oldest go.
            kept_numbers: KEPT_NUMBERS_PER_SCOPE_MAX,
        }
    }
}

/// What happened to what a scope sent, since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Points that were taken.
    pub taken: u64,
    /// Points that were refused.
    pub refused: u64,
    /// Of those that were taken: how many were placed at their arrival, because the writer's clock is far from the server's.
    pub skewed: u64,
    /// Points that had come before, and count once.
    pub repeated: u64,
    /// Totals that were measured before one that is already in a window: they are in that one.
    pub late: u64,
    /// Windows that went before their hour was over, for want of room.
    pub crowded_out: u64,
    /// Why a point was refused last.
    pub last_refusal: String,
}

impl ScopeSeries {
    /// Returns a scope of which nothing is known yet.
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            series: BTreeMap::new(),
            writers: HashMap::new(),
            turned_away: TurnedAway::default(),
            settled_ms: settled_at(now_ms),
            seen_ms: now_ms,
            usage: Usage::default(),
            tally: Tally::default(),
        }
    }

    /// Takes a point, or says why not.
    pub(crate) fn take(&mut self, point: Point, room: Usage, now_ms: i64) -> Result<(), String> {
        let taken = self.place(point, room, now_ms);
        match &taken {
            Ok(()) => self.tally.taken += 1,
            Err(why) => self.refuse(1, why.clone()),
        }
        taken
    }

    /// Counts points that are not taken.
    pub(crate) fn refuse(&mut self, points: u64, why: String) {
        self.tally.refused += points;
        self.tally.last_refusal = why;
    }

    fn place(&mut self, point: Point, room: Usage, now_ms: i64) -> Result<(), String> {
        point.check()?;
        let Point { identity, unit, writer, kind, span, at_ns, start_ns, sums } = point;
        let start_of_stream = if span == Span::SinceStart { start_ns } else { 0 };
        let key = StreamKey { writer, span, start_ns: start_of_stream };
        let known = self.series.get(&identity);
        if let Some(known) = known {
            known.fits(&identity, kind, &unit)?;
        } else if let Err(why) = self.usage.one_more_series(&identity, room) {
            self.turned_away.remember(&identity, now_ms);
            return Err(why);
        }
        let is_new_stream = known.is_none_or(|known| !known.streams.contains_key(&key));
        if is_new_stream && self.usage.streams >= room.streams {
            self.turned_away.remember(&(&identity, key.writer), now_ms);
            let found = self.usage.streams;
            return Err(format!("{} comes from one more writer, and there are {found}", quoted(identity.metric())));
        }
        let numbers = sums.numbers();
        if self.usage.held_numbers + numbers > room.held_numbers {
            self.turned_away.remember(&identity, now_ms);
            let found = self.usage.held_numbers;
            return Err(format!("too much waits for its window: {found} numbers, at most {}", room.held_numbers));
        }
        let (placed_ms, skewed) = self.placed(at_ns, now_ms);
        let waiting = Waiting { at_ns, start_ns, placed_ms, sums };
        match self.wait(identity, kind, unit, key, waiting, now_ms) {
            Taken::New => {
                self.usage.held_numbers += numbers;
                self.tally.skewed += u64::from(skewed);
                Ok(())
            }
            Taken::Again => {
                self.tally.repeated += 1;
                Ok(())
            }
            Taken::Not => Err(format!("a writer sent more than {WAITING_MAX} points of one series within one window")),
        }
    }

    /// Returns where a point goes: to its own window, or, where the writer's clock is far from ours, to the one of its arrival.
    fn placed(&self, at_ns: u64, now_ms: i64) -> (i64, bool) {
        let at_ms = i64::try_from(at_ns / 1_000_000).unwrap_or(i64::MAX);
        let near = at_ms >= self.settled_ms && at_ms.abs_diff(now_ms) <= GRACE_MS.unsigned_abs();
        if near { (at_ms, false) } else { (now_ms.max(self.settled_ms), true) }
    }

    fn wait(
        &mut self,
        identity: Identity,
        kind: crate::point::Kind,
        unit: Arc<str>,
        key: StreamKey,
        mut waiting: Waiting,
        now_ms: i64,
    ) -> Taken {
        let bytes = identity.bytes();
        let usage = &mut self.usage;
        let series = self.series.entry(identity).or_insert_with(|| {
            usage.series += 1;
            usage.name_bytes += bytes;
            Series::new(kind, unit)
        });
        if let Some(buckets) = &mut waiting.sums.buckets {
            buckets.share_bounds(&mut series.bounds);
        }
        let stream = series.streams.entry(key).or_insert_with(|| {
            usage.streams += 1;
            stream::Stream::default()
        });
        stream.seen_ms = now_ms;
        stream.take(waiting)
    }

    /// Closes the windows for which nothing more is expected, and forgets what is old.
    pub(crate) fn settle(&mut self, now_ms: i64) {
        let settled_ms = settled_at(now_ms);
        if settled_ms <= self.settled_ms {
            return;
        }
        self.settled_ms = settled_ms;
        self.meet_writers(settled_ms, now_ms);
        let forgotten_ms = settled_ms - WINDOWS_KEPT * WINDOW_MS;
        for (identity, series) in &mut self.series {
            let (metric, release) = identity.names();
            let writers = &self.writers;
            let known_since = |key: &StreamKey| {
                let StreamKey { writer, start_ns, .. } = *key;
                let (metric, release) = (Arc::clone(&metric), Arc::clone(&release));
                writers.get(&MetricWriter { metric, release, writer, start_ns }).map(|(first_ns, _)| *first_ns)
            };
            self.tally.late += series.settle(settled_ms, forgotten_ms, known_since);
        }
        self.series.retain(|_, series| !series.is_over());
        self.writers.retain(|_, (_, seen_ms)| *seen_ms >= forgotten_ms);
        self.turned_away.forget_before(forgotten_ms);
        self.count();
    }

    /// Notes when writers of totals first sent each metric.
    fn meet_writers(&mut self, settled_ms: i64, now_ms: i64) {
        for (identity, series) in &self.series {
            let totals = series.streams.iter().filter(|(key, _)| key.span == Span::SinceStart);
            for (key, first_ns) in totals.filter_map(|(key, stream)| Some((key, stream.first_at_ns(settled_ms)?))) {
                let (metric, release) = identity.names();
                let writer = MetricWriter { metric, release, writer: key.writer, start_ns: key.start_ns };
                let known = self.writers.entry(writer).or_insert((first_ns, now_ms));
                *known = (known.0.min(first_ns), now_ms);
            }
        }
    }

    /// Lets the oldest windows go until what is kept fits.
    pub(crate) fn crowd_out(&mut self, kept_numbers_max: usize) {
        while self.usage.kept_numbers > kept_numbers_max {
            let Some(oldest) = self.series.values().filter_map(|series| series.ring.oldest()).min() else { return };
            self.series.values_mut().for_each(|series| series.ring.forget_before(oldest + 1));
            self.tally.crowded_out += 1;
            self.count();
        }
    }

    fn count(&mut self) {
        let series = |(identity, series): (&Identity, &Series)| Usage {
            series: 1,
            streams: series.streams.len(),
            name_bytes: identity.bytes(),
            held_numbers: series.streams.values().map(stream::Stream::numbers).sum(),
            kept_numbers: series.ring.numbers(),
        };
        self.usage = self.series.iter().map(series).fold(Usage::default(), Usage::with);
    }

    /// Returns whether nothing is left, and nothing came for as long as windows are kept: what was refused is told so long.
    pub(crate) fn is_over(&self, now_ms: i64) -> bool {
        self.usage == Usage::default() && self.seen_ms < now_ms - WINDOWS_KEPT * WINDOW_MS
    }

    /// Returns until when nothing more is expected, in Unix milliseconds.
    pub(crate) fn settled_ms(&self) -> i64 {
        self.settled_ms
    }

    /// Returns what it takes.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// Returns what happened to what came.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns how many series were turned away lately.
    pub(crate) fn turned_away(&self) -> u32 {
        self.turned_away.number()
    }

    /// Returns the series of a metric.
    pub(crate) fn of_metric<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = (&'a Identity, &'a Series)> {
        self.series.iter().filter(move |(identity, _)| identity.metric() == metric)
    }

    /// Returns all series, by metric.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&Identity, &Series)> {
        self.series.iter()
    }
}

impl Usage {
    /// Returns why there can be no further series, if so.
    fn one_more_series(self, identity: &Identity, room: Self) -> Result<(), String> {
        let metric = quoted(identity.metric());
        if self.series >= room.series {
            return Err(format!(
                "one more series of {metric} is too many: the service has {}, at most {}",
                self.series, room.series
            ));
        }
        let bytes = self.name_bytes + identity.bytes();
        if bytes > room.name_bytes {
            let most = room.name_bytes;
            return Err(format!(
                "one more series of {metric} is too much: the service's names would have {bytes} bytes, at most {most}"
            ));
        }
        Ok(())
    }
}

impl Series {
    /// Returns the windows from one place to another, that one not included.
    pub(crate) fn between(&self, from: i64, to: i64) -> impl Iterator<Item = &(i64, Sums)> {
        self.ring.between(from, to)
    }
}

/// Returns until when nothing more is expected at an instant.
pub(crate) fn settled_at(now_ms: i64) -> i64 {
    now_ms.saturating_sub(GRACE_MS).div_euclid(WINDOW_MS) * WINDOW_MS
}
