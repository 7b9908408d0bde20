//! One minute of a scope: what of each metric can be learnt from it.

use crate::limits::WINDOW_MS;
use crate::point::{Kind, Share};
use crate::scope::{ScopeSeries, Series};
use crate::sums::Sums;

pub(crate) const MINUTE_MS: i64 = 60_000;

/// What the stable release measured of one metric in a minute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Minute<'a> {
    pub(crate) metric: &'a str,
    pub(crate) unit: &'a str,
    /// The mean of its values.
    pub(crate) mean: Option<f64>,
    /// The share of them that tell of an error.
    pub(crate) errors: Option<f64>,
    /// How many there were; of a counter, what was added. None of a gauge, which is looked at as often as somebody likes, and none
    /// where another release was measured as well: then this is a share of what is usual.
    pub(crate) amount: Option<f64>,
}

/// What was summed up of one metric.
struct Summed<'a> {
    metric: &'a str,
    /// What the series of the stable release are; `None` where they contradict each other.
    is: Option<(Kind, &'a str)>,
    /// Whether anything of stable came at all.
    came: bool,
    alone: bool,
    all: Sums,
    errors: f64,
}

/// Returns what can be learnt from the minute that begins at an instant, by metric. `stable` are the names of the stable release.
pub(crate) fn minutes<'a>(scope: &'a ScopeSeries, start_ms: i64, stable: &[String]) -> Vec<Minute<'a>> {
    let from = start_ms.div_euclid(WINDOW_MS);
    let to = (start_ms + MINUTE_MS).div_euclid(WINDOW_MS);
    let mut metrics: Vec<Summed<'a>> = Vec::new();
    // Series of one metric come one after the other.
    for (identity, series) in scope.all() {
        let begins = metrics.last().is_none_or(|last| last.metric != identity.metric());
        if begins {
            let is = Some((series.kind, &*series.unit));
            let metric = identity.metric();
            metrics.push(Summed { metric, is, came: false, alone: true, all: Sums::default(), errors: 0.0 });
        }
        let Some(metric) = metrics.last_mut() else { continue };
        let of_stable = stable.iter().any(|name| name == identity.release());
        for (_, sums) in series.between(from, to) {
            match of_stable {
                true => metric.add(series, sums, identity.share(), identity.is_error()),
                false => metric.alone &= amount(series.kind, sums) == 0.0,
            }
        }
    }
    metrics.into_iter().filter_map(Summed::learnt).collect()
}

fn amount(kind: Kind, sums: &Sums) -> f64 {
    if kind == Kind::Counter { sums.sum } else { sums.count as f64 }
}

impl<'a> Summed<'a> {
    fn add(&mut self, series: &'a Series, sums: &Sums, share: Share, is_error: bool) {
        let found = (series.kind, &*series.unit);
        if !self.came {
            self.is = Some(found);
        } else if self.is != Some(found) {
            self.is = None;
        }
        self.came = true;
        if share != Share::Part {
            self.all.add(&Sums { buckets: None, ..sums.clone() });
        }
        if share != Share::Whole && is_error {
            self.errors += amount(series.kind, sums);
        }
    }

    fn learnt(self) -> Option<Minute<'a>> {
        let (kind, unit) = self.is.filter(|_| self.came)?;
        let values = (self.all.count > 0).then(|| self.all.sum / self.all.count as f64);
        let all = amount(kind, &self.all);
        let errors = (all > 0.0).then(|| (self.errors / all).clamp(0.0, 1.0));
        let amount = self.alone.then_some(all);
        let (mean, errors, amount) = match kind {
            Kind::Gauge => (values, None, None),
            Kind::Counter => (None, errors, amount),
            Kind::Distribution => (values, errors, amount),
        };
        Some(Minute { metric: self.metric, unit, mean: mean.filter(|mean| mean.is_finite()), errors, amount })
    }
}
