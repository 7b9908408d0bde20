//! Version 1 of the records. Never edited once released; a change is a new version beside it.

use model::{EnvironmentName, Scope, ServiceName};
use serde::{Deserialize, Serialize};

use super::Unreadable;
use crate::limits::{DAYS_KEPT, METRIC_BYTES_MAX, UNIT_BYTES_MAX};
use crate::usual::baseline::{Baseline, Learnt};
use crate::usual::days::{Day, Days};
use crate::usual::hour::Hour;

/// What is usual of one metric.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    form: u32,
    service: String,
    environment: String,
    metric: String,
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<Aspect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Aspect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Aspect>,
}

/// What was learnt of one aspect. Hours: which of the week, in which week it was learnt last, weight, squared weight, mean, deviations.
/// Days: which since 1970, how many minutes, mean.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Aspect {
    hours: Vec<(usize, i64, f64, f64, f64, f64)>,
    days: Vec<(i64, f64, f64)>,
}

/// Weeks and days from here to there are believed: a year is 52 of the one and 365 of the other.
const WEEKS: std::ops::RangeInclusive<i64> = 0..=100_000;
const DAYS: std::ops::RangeInclusive<i64> = 0..=700_000;

/// The largest weight that is believed: more minutes than there are.
const WEIGHT_MAX: f64 = 1e9;

impl Record {
    pub(super) fn of(scope: &Scope, metric: &str, baseline: &Baseline) -> Self {
        let aspect = |learnt: &Option<Learnt>| learnt.as_ref().map(Aspect::of);
        Self {
            form: 1,
            service: scope.service.to_string(),
            environment: scope.environment.to_string(),
            metric: metric.to_owned(),
            unit: baseline.unit.clone(),
            mean: aspect(&baseline.mean),
            errors: aspect(&baseline.errors),
            rate: aspect(&baseline.rate),
        }
    }

    pub(super) fn back(self) -> Result<(Scope, String, Baseline), Unreadable> {
        let form = |why: String| Unreadable::Form(why);
        let service = ServiceName::new(&self.service).map_err(|error| form(error.to_string()))?;
        let environment = EnvironmentName::new(&self.environment).map_err(|error| form(error.to_string()))?;
        if !(1..=METRIC_BYTES_MAX).contains(&self.metric.len()) || self.unit.len() > UNIT_BYTES_MAX {
            let (metric, unit) = (self.metric.len(), self.unit.len());
            return Err(form(format!("its metric has {metric} bytes and its unit {unit}")));
        }
        let aspect = |aspect: Option<Aspect>| aspect.map(Aspect::back).transpose().map_err(form);
        let baseline = Baseline {
            unit: self.unit,
            mean: aspect(self.mean)?,
            errors: aspect(self.errors)?,
            rate: aspect(self.rate)?,
            rate_from_ms: None,
            seen_day: None,
            changed: false,
        };
        Ok((Scope { service, environment }, self.metric, baseline))
    }
}

impl Aspect {
    fn of(learnt: &Learnt) -> Self {
        let hour = |(at, hour): (usize, &Hour)| {
            let Hour { week, weight, squared_weight, mean, deviations } = *hour;
            (at, week, short(weight), short(squared_weight), short(mean), short(deviations))
        };
        let day = |day: &Day| (day.day, short(day.minutes), short(day.mean));
        let hours = learnt.hours.iter().enumerate().filter(|(_, hour)| hour.is_known()).map(hour).collect();
        Self { hours, days: learnt.days.0.iter().map(day).collect() }
    }

    fn back(self) -> Result<Learnt, String> {
        let mut learnt = Learnt::default();
        for (at, week, weight, squared_weight, mean, deviations) in self.hours {
            let hour = learnt.hours.get_mut(at).ok_or_else(|| format!("there is no hour {at} of a week"))?;
            let weights = is_weight(weight) && (0.0..=WEIGHT_MAX * WEIGHT_MAX).contains(&squared_weight);
            let values = mean.is_finite() && deviations.is_finite() && deviations >= 0.0;
            if !(WEEKS.contains(&week) && weights && values) {
                return Err(format!("hour {at} cannot be: week {week}, {weight} minutes, mean {mean}, deviations {deviations}"));
            }
            *hour = Hour { week, weight, squared_weight, mean, deviations };
        }
        let mut before = i64::MIN;
        for (day, minutes, mean) in self.days {
            if day <= before || !DAYS.contains(&day) || !is_weight(minutes) || !mean.is_finite() {
                return Err(format!("day {day} cannot be: {minutes} minutes, mean {mean}"));
            }
            before = day;
            learnt.days.0.push_back(Day { day, minutes, mean });
        }
        let Days(days) = &mut learnt.days;
        while days.pop_front_if(|oldest| oldest.day <= before - DAYS_KEPT).is_some() {}
        Ok(learnt)
    }
}

fn is_weight(weight: f64) -> bool {
    weight > 0.0 && weight <= WEIGHT_MAX
}

/// Returns the number with seven digits: more than the numbers are worth, and half the text.
fn short(number: f64) -> f64 {
    format!("{number:.6e}").parse().unwrap_or(number)
}
