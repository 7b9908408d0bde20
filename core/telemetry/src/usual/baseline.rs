//! What is usual of one metric.

use crate::limits::RATE_GAP_MINUTES_MAX;
use crate::usual::days::Days;
use crate::usual::hour::Hour;
use crate::usual::minute::{MINUTE_MS, Minute};
use crate::usual::{Aspect, Expectation, week};

/// What was learnt of one aspect.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Learnt {
    pub(crate) hours: Box<[Hour; week::HOURS]>,
    pub(crate) days: Days,
}

impl Default for Learnt {
    fn default() -> Self {
        Self { hours: Box::new([Hour::default(); week::HOURS]), days: Days::default() }
    }
}

impl Learnt {
    fn learn(&mut self, value: f64, minutes: f64, at_ms: i64) {
        self.hours[week::hour(at_ms)].learn(value, minutes, week::week(at_ms));
        self.days.learn(value, minutes, week::day(at_ms));
    }

    fn expected(&self, at_ms: i64) -> Option<Expectation> {
        let hour = self.hours[week::hour(at_ms)].faded(week::week(at_ms));
        // Less than a minute is left: it says nothing any more.
        let minutes = hour.weight.round() as u32;
        let deviation = hour.deviation();
        (minutes > 0).then(|| Expectation { minutes, mean: hour.mean, deviation, drift: self.days.drift(week::day(at_ms)) })
    }
}

/// What is usual of one metric of a scope.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Baseline {
    /// The unit that it was learnt in.
    pub(crate) unit: String,
    pub(crate) mean: Option<Learnt>,
    pub(crate) errors: Option<Learnt>,
    pub(crate) rate: Option<Learnt>,
    /// The last minute with a value, for the rate: when it began, in Unix milliseconds. Not kept over a restart.
    pub(crate) rate_from_ms: Option<i64>,
    /// The last day on which the metric was measured at all, in days since 1970-01-01. Not kept over a restart.
    pub(crate) seen_day: Option<i64>,
    /// Whether it has to be written down.
    pub(crate) changed: bool,
}

impl Baseline {
    /// Learns a minute.
    pub(crate) fn learn(&mut self, minute: &Minute<'_>, start_ms: i64) {
        if self.unit != minute.unit {
            // What was learnt in another unit says nothing.
            *self = Self { unit: minute.unit.to_owned(), ..Self::default() };
        }
        if let Some(mean) = minute.mean {
            self.mean.get_or_insert_default().learn(mean, 1.0, start_ms);
        }
        if let Some(errors) = minute.errors {
            self.errors.get_or_insert_default().learn(errors, 1.0, start_ms);
        }
        self.learn_rate(minute.amount, start_ms);
        self.seen_day = Some(week::day(start_ms));
        self.changed = true;
    }

    /// Learns how much came a second since the last minute in which something came: so that neither exporters that send less than once a
    /// minute, nor those that send twice in one and not in the next, seem to measure more or less than they do. The minutes between count
    /// with it.
    fn learn_rate(&mut self, amount: Option<f64>, start_ms: i64) {
        let last = std::mem::replace(&mut self.rate_from_ms, amount.map(|_| start_ms));
        let (Some(amount), Some(last)) = (amount, last) else { return };
        let minutes = (start_ms - last) / MINUTE_MS;
        if (1..=RATE_GAP_MINUTES_MAX).contains(&minutes) {
            let minutes = minutes as f64;
            let a_second = amount / (minutes * 60.0);
            self.rate.get_or_insert_default().learn(a_second, minutes, start_ms);
        }
    }

    pub(crate) fn expected(&self, aspect: Aspect, at_ms: i64) -> Option<Expectation> {
        self.aspect(aspect)?.expected(at_ms)
    }

    pub(crate) fn aspect(&self, aspect: Aspect) -> Option<&Learnt> {
        match aspect {
            Aspect::Mean => self.mean.as_ref(),
            Aspect::Errors => self.errors.as_ref(),
            Aspect::Rate => self.rate.as_ref(),
        }
    }

    /// Returns the last day on which the metric was measured, in days since 1970-01-01.
    pub(crate) fn last_day(&self) -> Option<i64> {
        let last = |aspect: &Aspect| self.aspect(*aspect)?.days.0.back().map(|day| day.day);
        Aspect::ALL.iter().filter_map(last).max().max(self.seen_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(mean: Option<f64>, amount: Option<f64>) -> Minute<'static> {
        Minute { metric: "time", unit: "s", mean, errors: None, amount }
    }

    #[test]
    fn each_hour_of_the_week_is_learnt_by_itself() {
        let mut baseline = Baseline::default();
        let hour_ms = 60 * MINUTE_MS;
        for at in 0..60 {
            baseline.learn(&minute(Some(1.0), None), at * MINUTE_MS);
            baseline.learn(&minute(Some(9.0), None), hour_ms + at * MINUTE_MS);
        }
        let mean = |at_ms| baseline.expected(Aspect::Mean, at_ms).map(|usual| (usual.minutes, usual.mean));
        assert_eq!(mean(30 * MINUTE_MS), Some((60, 1.0)));
        assert_eq!(mean(hour_ms + 7 * 24 * hour_ms), Some((50, 9.0)), "a week later, less of it is left");
        assert_eq!(mean(2 * hour_ms), None);
        assert_eq!(baseline.expected(Aspect::Rate, 0), None);
    }

    #[test]
    fn a_rate_is_measured_from_value_to_value() {
        let mut baseline = Baseline::default();
        // Sends 600 a minute; one minute got two of them, and the next none.
        for (at, amount) in [(0, 600.0), (1, 600.0), (2, 1_200.0), (4, 600.0), (5, 600.0)] {
            baseline.learn(&minute(None, Some(amount)), at * MINUTE_MS);
        }
        let usual = baseline.expected(Aspect::Rate, 0).unwrap();
        assert_eq!(usual.minutes, 5, "the first has nothing before it");
        assert!((usual.mean - (600.0 + 1_200.0 + 600.0 + 600.0) / 300.0).abs() < 1e-9, "{usual:?}");
    }

    #[test]
    fn a_rate_is_not_measured_over_what_is_not_known() {
        let mut baseline = Baseline::default();
        baseline.learn(&minute(None, Some(60.0)), 0);
        baseline.learn(&minute(None, Some(60.0)), (RATE_GAP_MINUTES_MAX + 1) * MINUTE_MS);
        assert_eq!(baseline.rate, None, "too long ago");
        baseline.learn(&minute(Some(1.0), None), 7 * MINUTE_MS);
        baseline.learn(&minute(None, Some(60.0)), 8 * MINUTE_MS);
        assert_eq!(baseline.rate, None, "between them another release had a share");
        baseline.learn(&minute(None, Some(60.0)), 9 * MINUTE_MS);
        assert_eq!(baseline.expected(Aspect::Rate, 0).map(|usual| usual.mean), Some(1.0));
    }

    #[test]
    fn another_unit_begins_anew() {
        let mut baseline = Baseline::default();
        baseline.learn(&minute(Some(1.0), None), 0);
        baseline.learn(&Minute { unit: "ms", ..minute(Some(1_000.0), None) }, MINUTE_MS);
        let usual = baseline.expected(Aspect::Mean, 0).unwrap();
        assert_eq!((usual.minutes, usual.mean), (1, 1_000.0));
    }
}
