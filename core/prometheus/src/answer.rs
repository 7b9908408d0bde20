//! What comes back: read within limits, and what is wrong with it said in a sentence.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::series::{Data, Labels, Point, Series};

/// How much of what a server said is repeated, in characters: it goes into sentences for people.
const SAID_CHARS_MAX: usize = 200;

/// How much is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Series of one answer. More means that an expression was not summed up.
    pub series: usize,
    /// Points of all series together.
    pub points: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { series: 1_000, points: 100_000 }
    }
}

/// An answer that can be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// What the expression gave.
    pub data: Data,
    /// What the server warned of, cut: an answer with a warning may be a part of the truth.
    pub warnings: Vec<String>,
}

/// Why an answer cannot be used. Each reads as a sentence fragment.
#[derive(Clone, Debug, PartialEq)]
pub enum Unusable {
    /// The server refused the expression or could not evaluate it.
    Failed {
        /// Its word for what kind of failure it is ("bad_data", "timeout").
        kind: String,
        /// What it said.
        said: String,
    },
    /// An answer of another status that is not of this API.
    Status {
        /// The status.
        status: u16,
        /// How the answer began.
        said: String,
    },
    /// An answer that is not of this API, though its status is one of success.
    Form {
        /// What it looks like: "HTML", "no JSON".
        found: String,
        /// How the answer began.
        said: String,
    },
    /// An expression whose value is a text.
    Text {
        /// The text, cut.
        found: String,
    },
    /// A native histogram, which is no number.
    Histogram {
        /// The series.
        series: String,
    },
    /// Something that should be a number.
    Number {
        /// As it was.
        found: String,
        /// The series.
        series: String,
    },
    /// More series than are read.
    Series {
        /// How many.
        found: usize,
        /// How many are read.
        limit: usize,
    },
    /// More points than are read.
    Points {
        /// How many.
        found: usize,
        /// How many are read.
        limit: usize,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { kind, said } => write!(f, "Prometheus says {kind}: {said}"),
            Self::Status { status, said } => write!(f, "Prometheus answers with status {status}: {said:?}"),
            Self::Form { found, said } => write!(f, "the answer is {found} and not that of Prometheus' API: {said:?}"),
            Self::Text { found } => write!(f, "the query's value is the text {found:?}, expected numbers"),
            Self::Histogram { series } => {
                write!(
                    f,
                    "the value of {series} is a native histogram, expected a number; use histogram_quantile or histogram_count"
                )
            }
            Self::Number { found, series } => write!(f, "the value of {series} is {found:?}, expected a number"),
            Self::Series { found, limit } => {
                write!(f, "the query gives {found} series, at most {limit} are read; sum them up or select fewer")
            }
            Self::Points { found, limit } => {
                write!(f, "the query gives {found} points, at most {limit} are read; look at a shorter time or in longer steps")
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Reads the answer to a question.
///
/// # Errors
/// When the server failed, the answer is none of its API's, or there is more of it than is read.
pub fn read(status: u16, body: &[u8], limits: Limits) -> Result<Answer, Unusable> {
    let form: Form = match serde_json::from_slice(body) {
        Ok(form) => form,
        Err(_) if !(200..300).contains(&status) => return Err(Unusable::Status { status, said: beginning(body) }),
        Err(error) => return Err(Unusable::Form { found: kind_of(body, &error), said: beginning(body) }),
    };
    let warnings = form.warnings.iter().map(|warning| cut(warning)).collect();
    match (form.status.as_str(), form.data) {
        ("success", Some(data)) => Ok(Answer { data: data_of(data, limits)?, warnings }),
        ("error", _) => Err(Unusable::Failed { kind: cut(&form.error_type), said: cut(&form.error) }),
        _ if !(200..300).contains(&status) => Err(Unusable::Status { status, said: beginning(body) }),
        _ => Err(Unusable::Form { found: "JSON without a status of success and data".to_owned(), said: beginning(body) }),
    }
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    status: String,
    #[serde(default)]
    data: Option<DataForm>,
    #[serde(default, rename = "errorType")]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum DataForm {
    Scalar((f64, String)),
    String((f64, String)),
    Vector(Vec<SampleForm>),
    Matrix(Vec<RowForm>),
}

#[derive(Deserialize)]
struct SampleForm {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
}

#[derive(Deserialize)]
struct RowForm {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    #[serde(default)]
    histograms: Vec<serde_json::Value>,
}

fn data_of(form: DataForm, limits: Limits) -> Result<Data, Unusable> {
    match form {
        DataForm::String((_, text)) => Err(Unusable::Text { found: cut(&text) }),
        DataForm::Scalar(value) => Ok(Data::Scalar(point(&value, &Labels::default())?)),
        DataForm::Vector(samples) => {
            bounded(samples.len(), samples.len(), limits)?;
            samples.into_iter().map(sample).collect::<Result<_, _>>().map(Data::Vector)
        }
        DataForm::Matrix(rows) => {
            bounded(rows.len(), rows.iter().map(|row| row.values.len()).sum(), limits)?;
            rows.into_iter().map(row).collect::<Result<_, _>>().map(Data::Matrix)
        }
    }
}

fn bounded(series: usize, points: usize, limits: Limits) -> Result<(), Unusable> {
    if series > limits.series {
        return Err(Unusable::Series { found: series, limit: limits.series });
    }
    if points > limits.points {
        return Err(Unusable::Points { found: points, limit: limits.points });
    }
    Ok(())
}

fn sample(form: SampleForm) -> Result<Series, Unusable> {
    let labels = Labels(form.metric);
    let Some(value) = form.value else { return Err(Unusable::Histogram { series: cut(&labels.to_string()) }) };
    Ok(Series { points: vec![point(&value, &labels)?], labels })
}

fn row(form: RowForm) -> Result<Series, Unusable> {
    let labels = Labels(form.metric);
    if form.values.is_empty() && !form.histograms.is_empty() {
        return Err(Unusable::Histogram { series: cut(&labels.to_string()) });
    }
    let points = form.values.iter().map(|value| point(value, &labels)).collect::<Result<_, _>>()?;
    Ok(Series { labels, points })
}

#[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates; no answer is from so far away")]
fn point((seconds, text): &(f64, String), labels: &Labels) -> Result<Point, Unusable> {
    // "NaN", "+Inf" and "-Inf" are how the API writes them, and how they are read.
    let value: f64 = text.parse().map_err(|_| Unusable::Number { found: cut(text), series: cut(&labels.to_string()) })?;
    Ok(Point { at_ms: (seconds * 1_000.0).round() as i64, value })
}

fn kind_of(body: &[u8], error: &serde_json::Error) -> String {
    let begins = String::from_utf8_lossy(&body[..body.len().min(64)]).trim_start().to_ascii_lowercase();
    match () {
        () if body.is_empty() => "empty".to_owned(),
        () if begins.starts_with('<') => "HTML".to_owned(),
        () if begins.starts_with('{') => format!("JSON of another form ({})", cut(&error.to_string())),
        () => "no JSON".to_owned(),
    }
}

fn beginning(body: &[u8]) -> String {
    let some = &body[..body.len().min(SAID_CHARS_MAX * 4)];
    cut(String::from_utf8_lossy(some).trim())
}

/// Returns the beginning of a text on one line.
fn cut(text: &str) -> String {
    let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    let mut cut: String = line.take(SAID_CHARS_MAX).collect();
    if text.chars().count() > SAID_CHARS_MAX {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests;
