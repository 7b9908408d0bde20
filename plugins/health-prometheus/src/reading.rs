//! From answers to a number, or to why there is none.

use prometheus::{Point, Question, Window};

use crate::condition::Known;
use crate::question::{Asked, Party, Questions};
use crate::server::{Server, Trouble};
use crate::settings::{Bounds, Empty, Metric, Range, Take};

/// So far ahead of Prometheus' clock a sample may be, in milliseconds; then its age says nothing.
const AHEAD_MAX_MS: i64 = 5_000;

/// The numbers of a metric, in the order of a condition's names; nothing for those that no condition speaks of.
pub(crate) struct Numbers(pub(crate) [Option<Reading>; 3]);

/// What is known of one party.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reading {
    /// A number. The candidate's may be infinite, which exceeds every limit.
    Number { value: f64, samples: Option<u64> },
    /// None, and why.
    Absent(String),
}

impl Numbers {
    /// Asks for the numbers of a metric.
    pub(crate) fn ask(questions: &Questions<'_>, server: &mut Server<'_>) -> Result<Self, Trouble> {
        let mut numbers = [None, None, None];
        for (number, asked) in numbers.iter_mut().zip(&questions.parties) {
            *number = match asked {
                None => None,
                Some(Err(why)) => Some(Reading::Absent(why.clone())),
                Some(Ok(asked)) => Some(read(questions.metric, asked, server).map_err(|trouble| of(asked.party, trouble))?),
            };
        }
        Ok(Self(numbers))
    }

    /// Returns what speaks for the candidate: finite numbers alone.
    pub(crate) fn in_favour(&self) -> Known {
        self.against().map(|number| number.filter(|number| number.is_finite()))
    }

    /// Returns what speaks against it: an infinite number of the candidate's does.
    pub(crate) fn against(&self) -> Known {
        let value = |place: usize| match &self.0[place] {
            Some(Reading::Number { value, .. }) => Some(*value),
            Some(Reading::Absent(_)) | None => None,
        };
        [value(0), value(1).filter(|value| value.is_finite()), value(2).filter(|value| value.is_finite())]
    }
}

fn of(party: Party, trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Wrong(why) => Trouble::Wrong(format!("asked about {}: {why}", party.as_str())),
        Trouble::Away(why) => Trouble::Away(why),
    }
}

fn read(metric: &Metric, asked: &Asked, server: &mut Server<'_>) -> Result<Reading, Trouble> {
    if let Some(why) = stale(metric, asked, server)? {
        return Ok(Reading::Absent(why));
    }
    let end_ms = match asked.back_ms {
        None => None,
        Some(back) => Some(server.now_ms()?.saturating_sub(i64::try_from(back).unwrap_or(i64::MAX))),
    };
    let samples = match samples(metric, asked, server, end_ms)? {
        Ok(samples) => samples,
        Err(why) => return Ok(Reading::Absent(why)),
    };
    let (found, points) = match &metric.range {
        None => (instant(&asked.value, server, end_ms)?, None),
        Some(range) => over(range, asked, server, end_ms)?,
    };
    let number = found.and_then(|found| match (found, metric.empty) {
        (Some(number), _) => possible(number, metric.bounds),
        // There were samples, or this place would not have been reached.
        (None, Empty::Zero) => Ok(0.0),
        (None, Empty::Inconclusive) => Err("the query finds nothing".to_owned()),
    });
    Ok(match number {
        Ok(value) => Reading::Number { value, samples: samples.or(points) },
        Err(why) => Reading::Absent(why),
    })
}

/// A number, none because nothing was found, or why what was found is none.
type Found = Result<Option<f64>, String>;

/// Asks for one number at one instant.
fn instant(query: &str, server: &Server<'_>, at_ms: Option<i64>) -> Result<Found, Trouble> {
    let answer = server.ask(&Question::Instant { query: query.to_owned(), at_ms })?;
    if let Some(warning) = answer.warnings.first() {
        return Ok(Err(format!("Prometheus warns: {warning}")));
    }
    let one = answer.into_one().map_err(|many| Trouble::Wrong(many.to_string()))?;
    Ok(Ok(one.and_then(|series| series.newest()).map(|point| point.value)))
}

/// Asks for the values of a range, and returns the number that stands for them, and how many there are.
fn over(range: &Range, asked: &Asked, server: &mut Server<'_>, end_ms: Option<i64>) -> Result<(Found, Option<u64>), Trouble> {
    let end_ms = match end_ms {
        Some(end) => end,
        None => server.now_ms()?,
    };
    let start_ms = end_ms.saturating_sub(i64::try_from(asked.over_ms).unwrap_or(i64::MAX));
    let window = Window { start_ms, end_ms, step_ms: range.step.ms };
    let answer = server.ask(&Question::Range { query: asked.value.clone(), window })?;
    if let Some(warning) = answer.warnings.first() {
        return Ok((Err(format!("Prometheus warns: {warning}")), None));
    }
    let one = answer.into_one().map_err(|many| Trouble::Wrong(many.to_string()))?;
    let Some(series) = one.filter(|series| !series.points.is_empty()) else { return Ok((Ok(None), None)) };
    let numbers: Vec<f64> = series.points.iter().map(|point| point.value).filter(|value| !value.is_nan()).collect();
    let count = u64::try_from(numbers.len()).unwrap_or(u64::MAX);
    let found = if count < range.points_min {
        Err(format!("{count} values of a range were found, {} are needed", range.points_min))
    } else if count < window.points().div_ceil(2) {
        Err(format!("{count} of {} values of a range were found, half of them are needed", window.points()))
    } else {
        taken(range.take, &series.points, numbers, window)
    };
    Ok((found, Some(count)))
}

/// Returns the number that stands for all of a range's.
fn taken(take: Take, points: &[Point], mut numbers: Vec<f64>, window: Window) -> Found {
    match take {
        Take::Mean => Ok(Some(numbers.iter().sum::<f64>() / float(numbers.len()))),
        Take::Max => Ok(numbers.into_iter().reduce(f64::max)),
        Take::Min => Ok(numbers.into_iter().reduce(f64::min)),
        Take::P95 => {
            numbers.sort_by(f64::total_cmp);
            // The smallest that 95 % do not exceed; no number between two that were found.
            let place = (numbers.len() * 95).div_ceil(100).saturating_sub(1);
            Ok(numbers.get(place).copied())
        }
        Take::Last => {
            let step_ms = i64::try_from(window.step_ms).unwrap_or(i64::MAX);
            let newest =
                points.last().filter(|point| !point.value.is_nan() && point.at_ms > window.end_ms.saturating_sub(step_ms));
            newest.map(|point| Some(point.value)).ok_or_else(|| "the newest value of the range is missing".to_owned())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a range has ten thousand values at most")]
fn float(count: usize) -> f64 {
    count as f64
}

/// Returns the number if it can be true.
fn possible(number: f64, bounds: Bounds) -> Result<f64, String> {
    if number.is_nan() {
        return Err("the query gives NaN, as 0 divided by 0 does".to_owned());
    }
    let limits = |limit: Option<f64>| limit.map_or_else(|| "any".to_owned(), |limit| limit.to_string());
    let too_small = number == f64::NEG_INFINITY || bounds.min.is_some_and(|min| number < min);
    // What is infinite exceeds a limit all the same.
    let too_large = number.is_finite() && bounds.max.is_some_and(|max| number > max);
    if too_small || too_large {
        return Err(format!(
            "the query gives {number}, which cannot be: bounds are {} to {}",
            limits(bounds.min),
            limits(bounds.max)
        ));
    }
    Ok(number)
}

/// Returns how many observations the number rests on, if that is asked for; the error says that they are too few.
fn samples(
    metric: &Metric,
    asked: &Asked,
    server: &Server<'_>,
    at_ms: Option<i64>,
) -> Result<Result<Option<u64>, String>, Trouble> {
    let (Some(query), Some(samples)) = (&asked.samples, &metric.samples) else { return Ok(Ok(None)) };
    let counted = instant(query, server, at_ms)?.and_then(|found| possible(found.unwrap_or(0.0), Bounds::default()));
    Ok(match counted {
        Ok(count) if count.is_infinite() => Err("its samples are infinite, expected a count".to_owned()),
        Ok(count) => {
            let count = count.round() as u64;
            if count < samples.min {
                Err(format!("it rests on {count} samples, {} are needed", samples.min))
            } else {
                Ok(Some(count))
            }
        }
        Err(why) => Err(format!("its samples cannot be counted: {why}")),
    })
}

/// Returns why the numbers are old, if they are.
fn stale(metric: &Metric, asked: &Asked, server: &Server<'_>) -> Result<Option<String>, Trouble> {
    let (Some(series), Some(fresh)) = (&asked.series, &metric.fresh) else { return Ok(None) };
    // All of it is Prometheus' own time: no other clock plays a part.
    let found = instant(&format!("time() - max(timestamp({series}))"), server, None)?;
    Ok(match found {
        Ok(Some(age)) if age.is_finite() => {
            let age_ms = (age * 1_000.0).round() as i64;
            let limit_ms = i64::try_from(fresh.max_age.ms).unwrap_or(i64::MAX);
            if age_ms > limit_ms {
                Some(format!(
                    "it is stale: the newest sample of {series} is {} s old, at most {} may be",
                    age_ms / 1_000,
                    fresh.max_age
                ))
            } else if age_ms < -AHEAD_MAX_MS {
                Some(format!("the newest sample of {series} is {} s ahead of Prometheus' clock", -age_ms / 1_000))
            } else {
                None
            }
        }
        Ok(_) => Some(format!("it is stale: there is no sample of {series} any more")),
        Err(why) => Some(why),
    })
}
