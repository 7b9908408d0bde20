//! What Prometheus has scraped. Counters are read as raw samples, so that nothing is extrapolated: an increase is a whole number.
//!
//! All questions of a look end at one instant of Prometheus' own clock, and the next look begins there: two clocks need not agree.

use prometheus::question::FORM;
use prometheus::{Answer, Data, Labels, Limits, Point, Question, Series, answer};
use towpath_sdk::helpers::placeholders::quoted;
use towpath_sdk::powers::http::{Error, Request};
use verdict::sample::Counts;

use super::{Trouble, Whose};
use crate::settings::PrometheusSettings;

/// How long one question may take; a look has ten seconds for all of them.
const PATIENCE_MS: u32 = 4_000;

/// Series of one selection: more means that it selects more than one service's instances.
const SERIES_MAX: usize = 500;

/// Points of one answer.
const POINTS_MAX: usize = 50_000;

/// The length of the longest range that is asked for: a watch that was not looked at for longer has lost what was before.
const RANGE_SECONDS_MAX: i64 = 6 * 3_600;

/// A week.
const WEEK_SECONDS: i64 = 7 * 24 * 3_600;

/// Asks Prometheus.
pub(super) struct Asked<'a> {
    settings: Option<&'a PrometheusSettings>,
    elapsed_ms: u64,
    began_at: Option<i64>,
    /// From where to where this look reads, once it was asked what time it is.
    span: Option<(i64, i64)>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(settings: Option<&'a PrometheusSettings>, elapsed_ms: u64, upto_ms: Option<i64>) -> Self {
        Self { settings, elapsed_ms, began_at: upto_ms, span: None }
    }

    pub(super) fn upto(&self) -> Option<i64> {
        self.span.map(|(_, to)| to).or(self.began_at)
    }

    /// Returns what the selected counters have counted.
    pub(super) fn counted(&mut self, selector: &str, whose: &Whose) -> Result<f64, Trouble> {
        let series = self.samples(selector, whose)?;
        let (from, _) = self.shifted(whose)?;
        Ok(increases(&series, from)?.into_iter().map(|(_, increase)| increase).sum())
    }

    /// Returns, for each bound, how many values of a histogram were above it.
    pub(super) fn above(&mut self, selector: &str, bounds: &[f64], whose: &Whose) -> Result<Vec<Counts>, Trouble> {
        let series = self.samples(selector, whose)?;
        let (from, _) = self.shifted(whose)?;
        let increases = increases(&series, from)?;
        let up_to = |bound: f64| {
            let mut found = increases.iter().filter(|(labels, _)| le(labels) == Some(bound)).peekable();
            found.peek().is_some().then(|| found.map(|(_, increase)| increase).sum::<f64>())
        };
        if increases.is_empty() {
            return Ok(vec![Counts::default(); bounds.len()]);
        }
        let of_bound = |bound: &f64| {
            let (Some(all), Some(below)) = (up_to(f64::INFINITY), up_to(*bound)) else {
                let mut known: Vec<_> = increases.iter().filter_map(|(labels, _)| le(labels)).collect();
                known.sort_by(f64::total_cmp);
                known.dedup();
                let known: Vec<_> = known.iter().map(f64::to_string).collect();
                return Err(Trouble::Error(format!(
                    "{bound} is no bound of {selector}; its bounds are {}; select its _bucket series, with le",
                    known.join(", ")
                )));
            };
            Counts::from_numbers((all - below).max(0.0), all).map_err(|bad| Trouble::Error(bad.to_string()))
        };
        bounds.iter().map(of_bound).collect()
    }

    /// Returns the values of an expression since the last look, step by step, of all its series together.
    pub(super) fn values(&mut self, query: &str, step_seconds: u32, whose: &Whose) -> Result<Vec<f64>, Trouble> {
        let (from, to) = self.shifted(whose)?;
        let step_ms = u64::from(step_seconds) * 1_000;
        // The window begins one step on: its first instant was the last one of the look before.
        let start_ms = from.saturating_add_unsigned(step_ms);
        if start_ms > to {
            return Ok(Vec::new());
        }
        let query = self.filled(query, whose)?;
        let window = prometheus::Window { start_ms, end_ms: to, step_ms };
        let series = self.ask(&Question::Range { query, window })?.into_series();
        Ok(series.iter().flat_map(|series| &series.points).map(|point| point.value).collect())
    }

    /// Returns the raw samples of a selection, with those of some time before: counting begins at the last one of them.
    fn samples(&mut self, selector: &str, whose: &Whose) -> Result<Vec<Series>, Trouble> {
        let (from, to) = self.shifted(whose)?;
        let settings = self.settings()?;
        let seconds = (to - from + 999) / 1_000 + i64::from(settings.look_back_seconds);
        let range = seconds.clamp(1, RANGE_SECONDS_MAX);
        let query = format!("{}[{range}s]", self.filled(selector, whose)?);
        let series = match self.ask(&Question::Instant { query, at_ms: Some(to) })? {
            Data::Matrix(series) => series,
            other @ (Data::Scalar(_) | Data::Vector(_)) => {
                return Err(Trouble::Error(format!("{selector} gives a {}, expected a selector of series", other.kind())));
            }
        };
        if whose.is_candidate {
            fresh(&series, to, settings.max_age_seconds)?;
        }
        Ok(series)
    }

    fn filled(&self, text: &str, whose: &Whose) -> Result<String, Trouble> {
        whose.placeholders.fill(text, quoted).map_err(Trouble::Error)
    }

    /// Returns from where to where is read, so many weeks before.
    fn shifted(&mut self, whose: &Whose) -> Result<(i64, i64), Trouble> {
        let (from, to) = self.span()?;
        let before = i64::from(whose.weeks) * WEEK_SECONDS * 1_000;
        Ok((from - before, to - before))
    }

    fn span(&mut self) -> Result<(i64, i64), Trouble> {
        if let Some(span) = self.span {
            return Ok(span);
        }
        let now = self.now_ms()?;
        let began = self.began_at.unwrap_or_else(|| now.saturating_sub_unsigned(self.elapsed_ms));
        // A clock that was set back must not have anything counted twice.
        let span = (began, now.max(began));
        self.span = Some(span);
        Ok(span)
    }

    fn now_ms(&self) -> Result<i64, Trouble> {
        let found = self.ask(&Question::Instant { query: "time()".to_owned(), at_ms: None })?.into_series();
        match found.first().and_then(Series::newest) {
            Some(Point { value, .. }) if (0.0..1e12).contains(&value) => Ok(millis(value)),
            other => Err(Trouble::Error(format!("Prometheus says that time() is {other:?}, expected seconds since 1970"))),
        }
    }

    fn settings(&self) -> Result<&'a PrometheusSettings, Trouble> {
        self.settings.ok_or_else(|| Trouble::Error("prometheus.url is not set".to_owned()))
    }

    fn ask(&self, question: &Question) -> Result<Data, Trouble> {
        let settings = self.settings()?;
        let request = Request::new("POST", question.url(&settings.url))
            .header("content-type", FORM)
            .header("accept", "application/json")
            .body(question.form(u64::from(PATIENCE_MS)))
            .timeout_ms(PATIENCE_MS);
        let answered = request.send().map_err(|error| Trouble::Error(silent(&error)))?;
        let limits = Limits { series: SERIES_MAX, points: POINTS_MAX };
        let Answer { data, warnings } =
            answer::read(answered.status, &answered.body, limits).map_err(|why| Trouble::Error(why.to_string()))?;
        match warnings.first() {
            // A part of the truth is not judged by.
            Some(warning) => Err(Trouble::Error(format!("Prometheus warns: {warning}"))),
            None => Ok(data),
        }
    }
}

fn silent(error: &Error) -> String {
    format!("Prometheus does not answer: {}", error.sentence())
}

/// Returns that a selection has nothing recent, where it has not.
fn fresh(series: &[Series], to: i64, max_age_seconds: u32) -> Result<(), Trouble> {
    let Some(newest) = series.iter().filter_map(Series::newest).map(|point| point.at_ms).max() else { return Ok(()) };
    let age_ms = to.saturating_sub(newest);
    match age_ms > i64::from(max_age_seconds) * 1_000 {
        true => Err(Trouble::NoData(format!(
            "the candidate's newest sample is {} s old, at most {max_age_seconds} s are recent",
            age_ms / 1_000
        ))),
        false => Ok(()),
    }
}

/// Returns by how much each counter grew since an instant.
///
/// It is counted from the last sample before the instant. A series that has none is new, and all of it counts, if others have one: then
/// Prometheus was looking. If none has, Prometheus was not, and counting begins at the first sample.
fn increases(series: &[Series], from: i64) -> Result<Vec<(&Labels, f64)>, Trouble> {
    let known = series.iter().any(|series| series.points.first().is_some_and(|point| point.at_ms <= from));
    series.iter().map(|series| Ok((&series.labels, increase(series, from, known)?))).collect()
}

fn increase(series: &Series, from: i64, others_are_known: bool) -> Result<f64, Trouble> {
    if let Some(bad) = series.points.iter().find(|point| !point.value.is_finite() || point.value < 0.0) {
        let found = bad.value;
        return Err(Trouble::Error(format!("counter {} is {found}, expected a number that is not negative", series.labels)));
    }
    let before = series.points.iter().take_while(|point| point.at_ms <= from).last();
    let after = series.points.iter().skip_while(|point| point.at_ms <= from);
    let mut last = match before {
        Some(point) => point.value,
        None if others_are_known => 0.0,
        None => series.points.first().map_or(0.0, |point| point.value),
    };
    let mut grown = 0.0;
    for point in after {
        // A counter that fell began again at zero.
        grown += if point.value >= last { point.value - last } else { point.value };
        last = point.value;
    }
    Ok(grown)
}

/// Returns the upper bound that a bucket's label says.
fn le(labels: &Labels) -> Option<f64> {
    labels.0.get("le")?.parse().ok()
}

#[expect(clippy::cast_possible_truncation, reason = "the caller has bounded it")]
fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(i64, f64)]) -> Series {
        let points = points.iter().map(|&(seconds, value)| Point { at_ms: seconds * 1_000, value }).collect();
        Series { labels: Labels::default(), points }
    }

    fn check(all: &[&[(i64, f64)]], expect: &[f64]) {
        let all: Vec<_> = all.iter().map(|points| series(points)).collect();
        let found: Vec<_> = increases(&all, 100_000).expect("counters").into_iter().map(|(_, grown)| grown).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_counter_counts_from_the_last_sample_before() {
        check(&[&[(80, 5.0), (95, 7.0), (110, 9.0), (125, 9.0)]], &[2.0]);
        check(&[&[(95, 7.0)]], &[0.0]);
        // It fell: what it counts since is new.
        check(&[&[(95, 7.0), (110, 9.0), (125, 3.0), (140, 4.0)]], &[6.0]);
    }

    #[test]
    fn a_new_series_counts_whole_while_others_were_scraped() {
        check(&[&[(95, 7.0), (110, 8.0)], &[(110, 3.0), (125, 5.0)]], &[1.0, 5.0]);
        // Nothing was scraped before: an outage, and who knows since when these count.
        check(&[&[(110, 700.0), (125, 701.0)], &[(110, 3.0), (125, 5.0)]], &[1.0, 2.0]);
    }

    #[test]
    fn what_is_no_counter_is_refused() {
        for bad in [f64::NAN, f64::INFINITY, -1.0] {
            let all = [series(&[(95, 1.0), (110, bad)])];
            let found = increases(&all, 100_000);
            assert!(
                matches!(&found, Err(Trouble::Error(why)) if why.contains("expected a number that is not negative")),
                "{found:?}"
            );
        }
    }
}
