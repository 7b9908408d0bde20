//! What the service sends to the server, as sums over short windows.

use std::collections::BTreeMap;

use towpath_sdk::powers::telemetry::{self, Query, Reading, Window};
use verdict::sample::Counts;

use super::Trouble;

/// Which series, by attribute.
type Attributes = BTreeMap<String, Vec<String>>;

/// Two bounds that differ by less than this share are one: they are written in decimals and kept in binary.
const BOUND_TOLERANCE: f64 = 1e-9;

/// Asks the server for windows. All questions of a look end at the same instant.
pub(super) struct Heard {
    from_ms: i64,
    now_ms: i64,
    to_ms: Option<i64>,
    turned_away: u32,
}

impl Heard {
    pub(super) fn new(from_ms: i64, now_ms: i64) -> Self {
        Self { from_ms, now_ms, to_ms: None, turned_away: 0 }
    }

    /// Returns up to where was read; what it began with where nothing was asked.
    pub(super) fn upto(&self) -> Option<i64> {
        Some(self.to_ms.unwrap_or(self.from_ms))
    }

    pub(super) fn missing(&self) -> Option<String> {
        let turned_away = self.turned_away;
        (turned_away > 0).then(|| format!("{turned_away} series of the service were turned away because there are too many"))
    }

    pub(super) fn counted(
        &mut self,
        metric: &str,
        among: &Attributes,
        except: &Attributes,
        release: &str,
    ) -> Result<f64, Trouble> {
        let windows = self.windows(metric, among, except, release)?;
        Ok(windows.iter().map(|window| float(window.count)).sum())
    }

    /// Returns how many values tell of an error: `error.type` is set, or `http.response.status_code` is 500 or more.
    pub(super) fn errors(&mut self, metric: &str, release: &str) -> Result<Counts, Trouble> {
        let only = |name: &str, value: &str| Attributes::from([(name.to_owned(), vec![value.to_owned()])]);
        let (none, typed, failed) = (Attributes::new(), only("error.type", "*"), only("http.response.status_code", "5*"));
        let all = self.counted(metric, &none, &none, release)?;
        // Each series is asked for once: what has both is among the first.
        let errors = self.counted(metric, &typed, &none, release)? + self.counted(metric, &failed, &typed, release)?;
        Counts::from_numbers(errors, all).map_err(|bad| Trouble::Error(bad.to_string()))
    }

    /// Returns the mean of each window.
    pub(super) fn values(
        &mut self,
        metric: &str,
        among: &Attributes,
        except: &Attributes,
        release: &str,
    ) -> Result<Vec<f64>, Trouble> {
        let windows = self.windows(metric, among, except, release)?;
        Ok(windows.iter().filter(|window| window.count > 0).map(|window| window.sum / float(window.count)).collect())
    }

    pub(super) fn above(
        &mut self,
        metric: &str,
        among: &Attributes,
        except: &Attributes,
        release: &str,
        bounds: &[f64],
    ) -> Result<Vec<Counts>, Trouble> {
        let windows = self.windows(metric, among, except, release)?;
        let of_bound = |bound: f64| {
            windows.iter().try_fold(Counts::default(), |sum, window| {
                let more = above(window, bound).map_err(|why| Trouble::Error(format!("{metric}: {why}")))?;
                Ok(Counts { events: sum.events + more.events, trials: sum.trials + more.trials })
            })
        };
        bounds.iter().map(|bound| of_bound(*bound)).collect()
    }

    /// Returns the windows that nothing more is expected for.
    fn windows(&mut self, metric: &str, among: &Attributes, except: &Attributes, release: &str) -> Result<Vec<Window>, Trouble> {
        let query = Query::new(metric, self.from_ms, self.to_ms.unwrap_or(self.now_ms).max(self.from_ms)).of_release(release);
        let query = among.iter().fold(query, |query, (name, values)| query.among(name, values));
        let query = except.iter().fold(query, |query, (name, values)| query.except(name, values));
        let Reading { windows, settled_ms, turned_away, .. } =
            telemetry::read(&query).map_err(|error| Trouble::Error(error.sentence()))?;
        self.turned_away = self.turned_away.max(turned_away);
        let now_ms = self.now_ms;
        let to_ms = *self.to_ms.get_or_insert(settled_ms.min(now_ms).max(self.from_ms));
        let ends = |window: &Window| window.start_ms.saturating_add(i64::from(window.length_ms));
        let settled: Vec<_> =
            windows.into_iter().filter(|window| window.start_ms >= self.from_ms && ends(window) <= to_ms).collect();
        match settled.iter().find(|window| !window.sum.is_finite()) {
            Some(window) => Err(Trouble::Error(format!("the sum of {metric} in a window is {}, expected a number", window.sum))),
            None => Ok(settled),
        }
    }
}

/// Returns how many of a window's values are above a bound of its histogram.
fn above(window: &Window, bound: f64) -> Result<Counts, String> {
    let Window { bounds, counts, .. } = window;
    if counts.len() != bounds.len() + 1 {
        return Err(format!("{} bounds and {} buckets, expected one more bucket than bounds", bounds.len(), counts.len()));
    }
    let is = |known: &&f64| (**known - bound).abs() <= bound.abs() * BOUND_TOLERANCE;
    let Some(place) = bounds.iter().position(|known| is(&known)) else {
        let known: Vec<_> = bounds.iter().map(f64::to_string).collect();
        return Err(format!("{bound} is no bound of the histogram; its bounds are {}", known.join(", ")));
    };
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    Ok(Counts { events: sum(&counts[place + 1..]), trials: sum(counts) })
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few seconds; 53 bits hold them")]
fn float(count: u64) -> f64 {
    count as f64
}
