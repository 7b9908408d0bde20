//! What one writer sent for one series and is not in a window yet, and its last total.
//!
//! Points wait here until their window is over and the time for late ones has passed. Only then are they put in order and, where they are
//! totals, made into differences. So it makes no difference in which order and in which requests they came.

use crate::limits::{FIRST_SPAN_MS_MAX, WAITING_MAX, WINDOW_MS};
use crate::point::{Span, Writer};
use crate::scope::ring::Ring;
use crate::sums::Sums;

/// Nanoseconds in a millisecond.
const NS_PER_MS: u64 = 1_000_000;

/// What tells streams of a series apart. A writer that begins anew is another stream where it says since when it counts; so two
/// writers that do not tell themselves apart, and began at different times, do not take each other for falling totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StreamKey {
    pub(super) writer: Writer,
    pub(super) span: Span,
    /// Of totals: since when, in Unix nanoseconds. 0 otherwise.
    pub(super) start_ns: u64,
}

/// One writer's points.
#[derive(Debug, Default)]
pub(super) struct Stream {
    last: Option<Total>,
    waiting: Vec<Waiting>,
    /// When something came last, by the server's clock, in Unix milliseconds.
    pub(super) seen_ms: i64,
}

#[derive(Debug)]
struct Total {
    at_ns: u64,
    sums: Sums,
}

/// A point that waits for its window.
#[derive(Debug)]
pub(super) struct Waiting {
    /// When it was measured by the writer's clock, in Unix nanoseconds: the order.
    pub(super) at_ns: u64,
    /// Since when it was counted, in Unix nanoseconds.
    pub(super) start_ns: u64,
    /// Where it goes, by the server's clock, in Unix milliseconds.
    pub(super) placed_ms: i64,
    pub(super) sums: Sums,
}

/// What became of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It waits for its window.
    New,
    /// It had come before.
    Again,
    /// Too many wait.
    Not,
}

/// What became of points whose window is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settled {
    /// Totals that were measured before one that is already in a window.
    pub(super) late: u64,
}

impl Stream {
    /// Takes a point. Of two that say different things of one instant the larger counts, whichever came first.
    pub(super) fn take(&mut self, point: Waiting) -> Taken {
        let (waiting, instant) = (self.waiting.len(), (point.at_ns, point.start_ns));
        match self.waiting.iter_mut().find(|known| (known.at_ns, known.start_ns) == instant) {
            Some(known) => {
                let size = |sums: &Sums| (sums.count, sums.sum);
                if size(&point.sums).partial_cmp(&size(&known.sums)).is_some_and(std::cmp::Ordering::is_gt) {
                    known.sums = point.sums;
                }
                Taken::Again
            }
            None if waiting >= WAITING_MAX => Taken::Not,
            None => {
                self.waiting.push(point);
                Taken::New
            }
        }
    }

    /// Returns when the oldest waiting point whose window is over before `settled_ms` was measured.
    pub(super) fn first_at_ns(&self, settled_ms: i64) -> Option<u64> {
        self.waiting.iter().filter(|point| point.placed_ms < settled_ms).map(|point| point.at_ns).min()
    }

    /// Puts points whose windows are over before `settled_ms` into these. `known_since_ns` is when the writer first sent the metric at all.
    pub(super) fn settle(&mut self, span: Span, settled_ms: i64, known_since_ns: Option<u64>, ring: &mut Ring) -> Settled {
        let mut settled = Settled::default();
        let mut over: Vec<Waiting> = self.waiting.extract_if(.., |point| point.placed_ms < settled_ms).collect();
        over.sort_by_key(|point| (point.at_ns, point.start_ns));
        for point in over {
            let place = point.placed_ms.div_euclid(WINDOW_MS);
            match span {
                Span::Own => ring.add(place, &point.sums),
                Span::SinceStart if self.last.as_ref().is_some_and(|last| last.at_ns >= point.at_ns) => settled.late += 1,
                Span::SinceStart => {
                    if let Some(more) = self.since_last(&point, known_since_ns) {
                        ring.add(place, &more);
                    }
                    self.last = Some(Total { at_ns: point.at_ns, sums: point.sums });
                }
            }
        }
        settled
    }

    /// Returns what a total adds to the one before. A total that fell began again: all of it is new.
    fn since_last(&self, point: &Waiting, known_since_ns: Option<u64>) -> Option<Sums> {
        match &self.last {
            Some(last) => Some(point.sums.since(&last.sums).unwrap_or_else(|| point.sums.clone())),
            None => counts_in_whole(point, known_since_ns).then(|| point.sums.clone()),
        }
    }

    /// Returns how many numbers wait or are the last total.
    pub(super) fn numbers(&self) -> usize {
        let waiting: usize = self.waiting.iter().map(|point| point.sums.numbers()).sum();
        waiting + self.last.as_ref().map_or(0, |last| last.sums.numbers())
    }

    /// Returns whether nothing would be lost with it.
    pub(super) fn is_done(&self, forgotten_ms: i64) -> bool {
        self.waiting.is_empty() && (self.last.is_none() || self.seen_ms < forgotten_ms)
    }
}

/// Returns whether all of a writer's first total was measured lately: it began to count a short while ago, or it has sent the metric
/// before, without this series, so the series was at zero then. A start that is the instant of measuring stands for one that is not known.
fn counts_in_whole(point: &Waiting, known_since_ns: Option<u64>) -> bool {
    let counted_ms = (point.at_ns - point.start_ns) / NS_PER_MS;
    let began_lately = point.start_ns > 0 && point.at_ns > point.start_ns && counted_ms <= FIRST_SPAN_MS_MAX.unsigned_abs();
    began_lately || known_since_ns.is_some_and(|since| since < point.at_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000 * NS_PER_MS;
    const T: u64 = 1_000_000 * SECOND;

    fn at(seconds: u64, start_ns: u64, sums: Sums) -> Waiting {
        let at_ns = T + seconds * SECOND;
        Waiting { at_ns, start_ns, placed_ms: i64::try_from(at_ns / NS_PER_MS).unwrap(), sums }
    }

    /// Returns what the windows hold after totals of a counter at these seconds.
    fn windows(start_ns: u64, known_since_ns: Option<u64>, totals: &[(u64, f64)]) -> Vec<(i64, f64)> {
        let (mut stream, mut ring) = (Stream::default(), Ring::default());
        for (seconds, total) in totals {
            stream.take(at(*seconds, start_ns, Sums::of_increase(*total)));
        }
        stream.settle(Span::SinceStart, i64::MAX, known_since_ns, &mut ring);
        let first = i64::try_from(T / SECOND / 10).unwrap();
        ring.between(i64::MIN, i64::MAX).map(|(place, sums)| (place - first, sums.sum)).collect()
    }

    #[test]
    fn totals_become_differences_in_the_order_of_time() {
        assert_eq!(windows(0, None, &[(25, 9.0), (5, 1.0), (15, 4.0)]), [(1, 3.0), (2, 5.0)]);
    }

    #[test]
    fn a_total_that_fell_began_again() {
        assert_eq!(windows(0, None, &[(5, 100.0), (15, 3.0), (25, 5.0)]), [(1, 3.0), (2, 2.0)]);
    }

    #[test]
    fn a_first_total_counts_when_all_of_it_is_recent() {
        assert_eq!(windows(0, None, &[(5, 7.0)]), [], "it is not known since when it counts");
        assert_eq!(windows(T, None, &[(5, 7.0)]), [(0, 7.0)], "it began 5 s before");
        assert_eq!(windows(T - 3_600 * SECOND, None, &[(5, 7.0)]), [], "it began an hour before");
        assert_eq!(windows(T + 5 * SECOND, None, &[(5, 7.0), (15, 9.0)]), [(1, 2.0)], "that start is as good as none");
        let hour_ago = T - 3_600 * SECOND;
        assert_eq!(windows(hour_ago, Some(T), &[(5, 7.0)]), [(0, 7.0)], "the writer sent the metric before, without the series");
        assert_eq!(windows(hour_ago, Some(T + 5 * SECOND), &[(5, 7.0)]), [], "the writer is as new as the series");
    }

    #[test]
    fn what_comes_twice_counts_once() {
        let mut stream = Stream::default();
        assert_eq!(stream.take(at(5, T, Sums::of_increase(2.0))), Taken::New);
        assert_eq!(stream.take(at(5, T, Sums::of_increase(2.0))), Taken::Again);
        assert_eq!(stream.take(at(6, T, Sums::of_increase(2.0))), Taken::New);
        let mut ring = Ring::default();
        stream.settle(Span::Own, i64::MAX, None, &mut ring);
        assert_eq!(ring.between(i64::MIN, i64::MAX).map(|(_, sums)| sums.sum).collect::<Vec<_>>(), [4.0]);
    }

    #[test]
    fn a_writer_that_sends_too_often_is_cut_short() {
        let mut stream = Stream::default();
        let taken = |seconds| stream.take(at(seconds, T, Sums::of_value(1.0)));
        let all: Vec<Taken> = (0..WAITING_MAX as u64 + 1).map(taken).collect();
        assert_eq!(all.iter().filter(|taken| **taken == Taken::New).count(), WAITING_MAX);
        assert_eq!(all.last(), Some(&Taken::Not));
    }

    #[test]
    fn a_total_behind_one_that_is_in_a_window_is_only_counted() {
        let (mut stream, mut ring) = (Stream::default(), Ring::default());
        stream.take(at(15, T, Sums::of_increase(4.0)));
        assert_eq!(stream.settle(Span::SinceStart, i64::MAX, None, &mut ring), Settled { late: 0 });
        stream.take(at(5, T, Sums::of_increase(1.0)));
        assert_eq!(stream.settle(Span::SinceStart, i64::MAX, None, &mut ring), Settled { late: 1 });
        assert_eq!(ring.between(i64::MIN, i64::MAX).map(|(_, sums)| sums.sum).collect::<Vec<_>>(), [4.0]);
    }

    #[test]
    fn points_wait_for_their_window() {
        let (mut stream, mut ring) = (Stream::default(), Ring::default());
        stream.take(at(5, T, Sums::of_value(1.0)));
        stream.take(at(15, T, Sums::of_value(2.0)));
        let end_of_first = i64::try_from(T / NS_PER_MS).unwrap() + WINDOW_MS;
        stream.settle(Span::Own, end_of_first, None, &mut ring);
        assert_eq!(ring.between(i64::MIN, i64::MAX).count(), 1);
        assert!(!stream.is_done(0));
        stream.settle(Span::Own, i64::MAX, None, &mut ring);
        assert!(stream.is_done(0) && ring.between(i64::MIN, i64::MAX).count() == 2);
    }
}
