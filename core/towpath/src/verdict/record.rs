//! The recorded data of a replay: CSV, row by row, in the order of time; read, and written down.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use csv::StringRecord;
use verdict::sample::Counts;

use super::unusable;
use crate::failure::Failure;

/// The largest record that is read, in bytes: some five million rows.
const RECORD_BYTES_MAX: u64 = 256 << 20;

/// The columns; what follows `side` may be events and trials, or value, or all three.
const COLUMNS: [&str; 6] = ["time", "metric", "side", "events", "trials", "value"];

/// What one row says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Seen {
    Counts(Counts),
    Value(f64),
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// In Unix milliseconds.
    pub(super) at_ms: i64,
    /// The place of the metric in the policy.
    pub(super) metric: usize,
    pub(super) of_candidate: bool,
    pub(super) seen: Seen,
}

/// Reads a record, and gives each row to `take`. `metrics` are the policy's, and whether each takes counts.
pub(super) fn read(
    file: &Path,
    metrics: &[(String, bool)],
    mut take: impl FnMut(Row) -> Result<(), String>,
) -> Result<(), Failure> {
    let opened = File::open(file).map_err(|error| unusable(file, error))?;
    let size = opened.metadata().map_err(|error| unusable(file, error))?.len();
    if size > RECORD_BYTES_MAX {
        return Err(unusable(file, format!("it has {size} bytes, at most {RECORD_BYTES_MAX} are read")));
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(opened);
    let places = reader
        .headers()
        .map_err(|error| unusable(file, error))
        .and_then(|found| places(found).map_err(|why| unusable(file, why)))?;
    let (mut record, mut last_ms) = (StringRecord::new(), i64::MIN);
    while reader.read_record(&mut record).map_err(|error| unusable(file, error))? {
        let line = record.position().map_or(0, csv::Position::line);
        let at = |why: String| unusable(file, format!("line {line}: {why}"));
        let row = row(&record, &places, metrics).map_err(at)?;
        if row.at_ms < last_ms {
            return Err(at(format!(
                "time is {} ms before that of the row above, expected rows in the order of time",
                last_ms - row.at_ms
            )));
        }
        last_ms = row.at_ms;
        take(row).map_err(at)?;
    }
    match last_ms {
        i64::MIN => Err(unusable(file, "it has no rows, and no data is not healthy")),
        _ => Ok(()),
    }
}

/// Where each column is.
type Places = [Option<usize>; COLUMNS.len()];

fn places(header: &StringRecord) -> Result<Places, String> {
    let mut places = Places::default();
    for (place, name) in header.iter().enumerate() {
        let column = COLUMNS.iter().position(|known| *known == name);
        let column =
            column.ok_or_else(|| format!("line 1: column {name:?} is not known, expected some of {}", COLUMNS.join(", ")))?;
        if places[column].replace(place).is_some() {
            return Err(format!("line 1: column {name:?} is there twice"));
        }
    }
    let missing = COLUMNS.iter().zip(&places).take(3).find(|(_, place)| place.is_none());
    match (missing, &places[3..]) {
        (Some((name, _)), _) => Err(format!("line 1: column {name:?} is missing")),
        (None, [Some(_), Some(_), _] | [None, None, Some(_)]) => Ok(places),
        (None, _) => Err("line 1: expected the columns events and trials, or value, or all three".to_owned()),
    }
}

fn row(record: &StringRecord, places: &Places, metrics: &[(String, bool)]) -> Result<Row, String> {
    let text = |column: usize| places[column].and_then(|place| record.get(place)).unwrap_or_default();
    let at_ms = time(text(0))
        .ok_or_else(|| format!("time is {:?}, expected like 2026-11-24T08:00:00Z or seconds since 1970", text(0)))?;
    let metric = metrics.iter().position(|(name, _)| name == text(1)).ok_or_else(|| {
        let known: Vec<_> = metrics.iter().map(|(name, _)| name.as_str()).collect();
        format!("metric is {:?}, the policy has {}", text(1), known.join(", "))
    })?;
    let of_candidate = match text(2) {
        "candidate" => true,
        "stable" => false,
        other => return Err(format!("side is {other:?}, expected candidate or stable")),
    };
    let seen = if metrics[metric].1 {
        let (events, trials) = (number(text(3), "events")?, number(text(4), "trials")?);
        Seen::Counts(Counts::from_numbers(events, trials).map_err(|bad| bad.to_string())?)
    } else {
        Seen::Value(number(text(5), "value")?)
    };
    Ok(Row { at_ms, metric, of_candidate, seen })
}

/// Writes rows as a record that [`read`] reads: whole, or not at all.
pub(super) fn write(file: &Path, metrics: &[(String, bool)], rows: &[Row]) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new("TP0702", format!("{} cannot be written: {error}", file.display()));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut whole = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
    let mut writer = csv::Writer::from_writer(std::io::BufWriter::new(whole.as_file_mut()));
    writer.write_record(COLUMNS).map_err(|error| failed(&error))?;
    for Row { at_ms, metric, of_candidate, seen } in rows {
        let (events, trials, value) = match seen {
            Seen::Counts(Counts { events, trials }) => (events.to_string(), trials.to_string(), String::new()),
            Seen::Value(value) => (String::new(), String::new(), value.to_string()),
        };
        let side = if *of_candidate { "candidate" } else { "stable" };
        let row = [&instant(*at_ms), &metrics[*metric].0, side, &events, &trials, &value];
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    let written = writer.into_inner().map_err(|error| failed(&error))?.flush();
    written.map_err(|error| failed(&error))?;
    whole.persist(file).map(drop).map_err(|error| failed(&error))
}

/// Returns an instant in UTC.
pub(super) fn instant(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |instant| format!("{instant:.3}"))
}

/// Reads an instant: RFC 3339, or seconds since 1970.
pub(super) fn time(text: &str) -> Option<i64> {
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_millisecond());
    }
    let seconds: f64 = text.parse().ok()?;
    let known = seconds.is_finite() && (0.0..1e11).contains(&seconds);
    known.then(|| (seconds * 1_000.0).round() as i64)
}

/// Returns a number; NaN and infinity are numbers here, what is made of them is the test's.
fn number(text: &str, column: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("{column} is {text:?}, expected a number"))
}
