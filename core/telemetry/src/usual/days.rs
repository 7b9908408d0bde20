//! The means of the last days, and how far the last seven are from the weeks before.

use std::collections::VecDeque;

use crate::limits::{DAY_MINUTES_MIN, DAYS_KEPT, DRIFT_DAYS_MIN};

/// Days in a week, and how many of the last ones drift is about.
const WEEK: i64 = 7;

/// The mean of one day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Day {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    /// How many minutes were measured.
    pub(crate) minutes: f64,
    /// Their mean.
    pub(crate) mean: f64,
}

/// The last days, oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Days(pub(crate) VecDeque<Day>);

impl Days {
    /// Learns a value that is worth so many minutes.
    pub(crate) fn learn(&mut self, value: f64, minutes: f64, day: i64) {
        if self.0.back().is_none_or(|last| last.day < day) {
            self.0.push_back(Day { day, ..Day::default() });
            while self.0.pop_front_if(|oldest| oldest.day <= day - DAYS_KEPT).is_some() {}
        }
        // A day that is over is not learnt again: the clock went back.
        let Some(today) = self.0.back_mut().filter(|last| last.day == day) else { return };
        today.minutes += minutes;
        today.mean += (value - today.mean) * minutes / today.minutes;
    }

    /// Returns the mean of the seven days before this one over that of the weeks before them; `None` where too little is known.
    ///
    /// Only days of the week that both have are compared, each with the mean of its own kind: a week without a weekend is not taken
    /// for one of much traffic.
    pub(crate) fn drift(&self, day: i64) -> Option<f64> {
        let (mut recent, mut before, mut known) = (0.0, 0.0, 0);
        for ago in 1..=WEEK {
            let Some(late) = self.mean_of(day - ago) else { continue };
            let earlier = (1..).map(|weeks| day - ago - weeks * WEEK).take_while(|earlier| *earlier > day - DAYS_KEPT);
            let earlier: Vec<f64> = earlier.filter_map(|earlier| self.mean_of(earlier)).collect();
            if earlier.is_empty() {
                continue;
            }
            known += 1;
            recent += late;
            before += earlier.iter().sum::<f64>() / earlier.len() as f64;
        }
        if known < DRIFT_DAYS_MIN {
            return None;
        }
        // Nothing then and nothing now is no drift; something where there was nothing has no ratio.
        if recent == before { Some(1.0) } else { Some(recent / before).filter(|drift| drift.is_finite()) }
    }

    fn mean_of(&self, day: i64) -> Option<f64> {
        let found = self.0.iter().find(|known| known.day == day)?;
        (found.minutes >= DAY_MINUTES_MIN).then_some(found.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns days with these means, each measured for hours.
    fn days(means: impl Fn(i64) -> Option<f64>, today: i64) -> Days {
        let mut days = Days::default();
        for (day, mean) in (0..=today).filter_map(|day| Some((day, means(day)?))) {
            days.learn(mean - 1.0, 100.0, day);
            days.learn(mean + 1.0, 100.0, day);
        }
        days
    }

    #[test]
    fn what_stays_the_same_does_not_drift() {
        assert_eq!(days(|_| Some(5.0), 40).drift(40), Some(1.0));
        assert_eq!(days(|_| Some(0.0), 40).drift(40), Some(1.0), "nothing then, nothing now");
    }

    #[test]
    fn the_last_seven_days_are_compared_with_the_weeks_before() {
        let grown = days(|day| Some(if day >= 33 { 6.0 } else { 5.0 }), 40);
        assert_eq!(grown.drift(40), Some(1.2));
        let today = days(|day| Some(if day == 40 { 600.0 } else { 5.0 }), 40);
        assert_eq!(today.drift(40), Some(1.0), "a day that is not over says nothing");
    }

    #[test]
    fn too_little_is_no_answer() {
        assert_eq!(Days::default().drift(40), None);
        assert_eq!(days(|_| Some(5.0), 7).drift(8), None, "one week has nothing to be compared with");
        assert_eq!(days(|day| (day % 7 < 4).then_some(5.0), 40).drift(40), None, "four days of a week are not enough");
        assert_eq!(days(|day| Some(if day >= 33 { 5.0 } else { 0.0 }), 40).drift(40), None, "from nothing there is no ratio");
        let mut short = Days::default();
        (0..40).for_each(|day| short.learn(1.0, 30.0, day));
        assert_eq!(short.drift(40), None, "half an hour does not speak for a day");
    }

    #[test]
    fn a_missing_weekend_is_no_drift() {
        let traffic = |day: i64| if day % 7 >= 5 { 10.0 } else { 100.0 };
        let lost = days(|day| (day < 33 || day % 7 < 5).then(|| traffic(day)), 40);
        assert_eq!(lost.drift(40), Some(1.0));
    }

    #[test]
    fn days_are_kept_for_five_weeks() {
        let days = days(|_| Some(1.0), 100);
        assert_eq!((days.0.len() as i64, days.0.front().map(|day| day.day)), (DAYS_KEPT, Some(101 - DAYS_KEPT)));
        let mut back = days.clone();
        back.learn(9.0, 1.0, 50);
        assert_eq!(back, days, "the clock went back");
    }
}
