//! From numbers to a verdict.

use towpath_sdk::prelude::*;

use crate::condition::{Condition, Truth};
use crate::question::Party;
use crate::reading::{Numbers, Reading};
use crate::settings::{Metric, Role};

/// How many metrics a sentence speaks of; the others are counted.
const SPOKEN_MAX: usize = 3;

/// What came of one metric.
pub(crate) struct Finding {
    role: Role,
    verdict: Verdict,
    sentence: String,
    measurements: Vec<Measurement>,
}

impl Finding {
    /// Returns the finding that the metric cannot be asked for as it is set up.
    pub(crate) fn wrong(metric: &Metric, why: &str) -> Self {
        Self::without_numbers(metric, Verdict::Error, format!("metric {:?} {why}", metric.name))
    }

    /// Returns the finding that nobody answers.
    pub(crate) fn away(metric: &Metric, why: &str) -> Self {
        Self::without_numbers(metric, Verdict::Inconclusive, format!("Prometheus cannot be asked: {why}"))
    }

    fn without_numbers(metric: &Metric, verdict: Verdict, sentence: String) -> Self {
        Self { role: metric.role, verdict, sentence, measurements: Vec::new() }
    }
}

/// Holds the numbers of a metric against its conditions.
pub(crate) fn judge(metric: &Metric, numbers: &Numbers) -> Finding {
    let failure = metric.failure.as_ref().map(|condition| (condition, condition.truth(numbers.against())));
    let success = metric.success.as_ref().map(|condition| (condition, condition.truth(numbers.in_favour())));
    let is_endless = numbers.against()[0].is_some_and(f64::is_infinite);
    let said = in_words(metric, numbers);
    let (verdict, sentence) = match (failure, success) {
        (Some((_, Truth::Broken(why))), _) | (_, Some((_, Truth::Broken(why)))) => {
            (Verdict::Error, format!("{said}, and a condition {why}"))
        }
        (Some((condition, Truth::Yes)), _) => (Verdict::Unhealthy, format!("{said}: {}", condition.text())),
        (Some((_, Truth::Unknown)), _) | (_, Some((_, Truth::Unknown))) => (Verdict::Inconclusive, unknown(metric, numbers)),
        (None | Some((_, Truth::No)), Some((condition, Truth::Yes))) => {
            (Verdict::Healthy, format!("{said}: {}", condition.text()))
        }
        (Some((failure, Truth::No)), Some((success, Truth::No))) => {
            (Verdict::Inconclusive, format!("{said}: neither {} nor {}", success.text(), failure.text()))
        }
        (None, Some((condition, Truth::No))) => (Verdict::Unhealthy, format!("{said}, expected {}", condition.text())),
        // What is infinite is good for nothing, whatever it is compared with.
        (Some(_), None) if is_endless => (Verdict::Inconclusive, format!("{said}, which is no number")),
        (Some((condition, Truth::No)), None) => (Verdict::Healthy, format!("{said}, and not {}", condition.text())),
        (None, None) => (Verdict::Error, format!("metric {:?} has no condition", metric.name)),
    };
    Finding { role: metric.role, verdict, sentence, measurements: measurements(metric, numbers) }
}

/// Joins the findings to one verdict: unhealthy if one is, else an error, else inconclusive if one is, else healthy.
pub(crate) fn join(findings: Vec<Finding>, remark: Option<String>) -> Assessment {
    let (deciding, others): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(|finding| finding.role == Role::Decides);
    let worst = [Verdict::Unhealthy, Verdict::Error, Verdict::Inconclusive];
    let verdict =
        worst.into_iter().find(|worst| deciding.iter().any(|finding| finding.verdict == *worst)).unwrap_or(Verdict::Healthy);
    let spoken: Vec<_> = deciding.iter().filter(|finding| finding.verdict == verdict).map(|f| f.sentence.as_str()).collect();
    let mut sentence = spoken.iter().take(SPOKEN_MAX).copied().collect::<Vec<_>>().join("; ");
    if spoken.len() > SPOKEN_MAX {
        sentence.push_str(&format!("; and {} metrics more", spoken.len() - SPOKEN_MAX));
    }
    let doubtful = others.iter().find(|finding| finding.verdict != Verdict::Healthy);
    for more in doubtful.map(|finding| format!("deciding nothing: {}", finding.sentence)).into_iter().chain(remark) {
        sentence.push_str("; ");
        sentence.push_str(&more);
    }
    let assessment = match verdict {
        Verdict::Healthy => Assessment::healthy(sentence),
        Verdict::Unhealthy => Assessment::unhealthy(sentence),
        Verdict::Inconclusive => Assessment::inconclusive(sentence),
        Verdict::Error => Assessment::error(sentence),
    };
    assessment.measured(findings.into_iter().flat_map(|finding| finding.measurements))
}

/// Returns the numbers as a sentence begins with them: "error rate is 2.4 % (stable 0.3 %)".
fn in_words(metric: &Metric, numbers: &Numbers) -> String {
    let figure = |place: usize| match &numbers.0[place] {
        Some(Reading::Number { value, .. }) => Some(in_unit(*value, &metric.unit)),
        Some(Reading::Absent(_)) | None => None,
    };
    let own = figure(0).unwrap_or_else(|| "not known".to_owned());
    let [stable, baseline] =
        [("stable", 1), ("before", 2)].map(|(name, place)| figure(place).map(|figure| format!("{name} {figure}")));
    let others: Vec<_> = [stable, baseline].into_iter().flatten().collect();
    match others.is_empty() {
        true => format!("{} is {own}", metric.name),
        false => format!("{} is {own} ({})", metric.name, others.join(", ")),
    }
}

/// Returns why nobody can tell: the first number that is missing.
fn unknown(metric: &Metric, numbers: &Numbers) -> String {
    let absent = numbers.0.iter().zip(Party::ALL).find_map(|(reading, party)| match reading {
        Some(Reading::Absent(why)) => Some((party, why.clone())),
        Some(Reading::Number { value, .. }) if value.is_infinite() => Some((party, format!("the query gives {value}"))),
        Some(Reading::Number { .. }) | None => None,
    });
    match absent {
        Some((party, why)) => format!("{} of {} is not known: {why}", metric.name, party.as_str()),
        None => format!("{}, for which a condition has no value, as 0 divided by 0 has none", in_words(metric, numbers)),
    }
}

fn measurements(metric: &Metric, numbers: &Numbers) -> Vec<Measurement> {
    let name = metric.measurement();
    let limit = |condition: &Option<Condition>| condition.as_ref().and_then(|condition| condition.limit(numbers.in_favour()));
    let limit = limit(&metric.failure).or_else(|| limit(&metric.success));
    let measured = |(reading, party): (&Option<Reading>, Party)| {
        let Some(Reading::Number { value, samples }) = reading else { return None };
        let measurement = match party {
            Party::Candidate => Measurement { limit, ..Measurement::new(&name, *value, &metric.unit).on(Side::Candidate) },
            Party::Stable => Measurement::new(&name, *value, &metric.unit).on(Side::Stable),
            Party::Baseline => Measurement::new(&format!("{name}-before"), *value, &metric.unit),
        };
        value.is_finite().then_some(Measurement { samples: *samples, ..measurement })
    };
    numbers.0.iter().zip(Party::ALL).filter_map(measured).collect()
}

/// Writes a number as people read it in its unit.
fn in_unit(value: f64, unit: &str) -> String {
    match unit {
        "ratio" => format!("{} %", figure(value * 100.0)),
        "1" => figure(value),
        unit => format!("{} {unit}", figure(value)),
    }
}

/// Writes a number with three digits that say something.
fn figure(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.abs().to_string();
    }
    let whole_digits = value.abs().log10().floor();
    let decimals = (2.0 - whole_digits).clamp(0.0, 9.0) as usize;
    let text = format!("{value:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_that_say_something() {
        let said = [0.0, 0.5, 0.012_345, 1.0, 99.96, 1234.5, 0.000_001_234, -2.5, 1e12, f64::INFINITY].map(figure);
        assert_eq!(said, ["0", "0.5", "0.0123", "1", "100", "1234", "0.00000123", "-2.5", "1000000000000", "inf"]);
        assert_eq!([in_unit(0.0234, "ratio"), in_unit(250.0, "ms"), in_unit(3.0, "1")], ["2.34 %", "250 ms", "3"]);
    }
}
