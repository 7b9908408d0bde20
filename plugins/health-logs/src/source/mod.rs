//! Where lines come from. Each look reads the time between the last look and now, once and without what lies on a border twice: from its
//! beginning on, up to but without its end.

mod loki;
mod runtime;

use towpath_sdk::health::Subject;
use towpath_sdk::prelude::*;

use crate::settings::Settings;

/// What a look keeps of its time to judge and to answer in, in milliseconds: some thousand lines are still to be looked at.
const RESERVE_MS: u32 = 3_000;

/// Lines of one side that a look takes at most. A busy service writes some hundred a second; what is more is left out, and that is said.
pub(crate) const LINES_MAX: usize = 4_000;

/// Bytes of lines of one side that a look takes at most: each is shown to every regular expression.
pub(crate) const BYTES_MAX: usize = 1 << 20;

/// How much of a line is looked at, in bytes.
pub(crate) const LINE_BYTES_MAX: usize = 2_000;

/// One line that a side wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// When, in Unix nanoseconds.
    pub(crate) at_ns: i64,
    /// Which of the side's streams, as a number of it.
    pub(crate) stream: u64,
    pub(crate) text: String,
}

/// What was read of a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The lines in the order of time.
    pub(crate) lines: Vec<Line>,
    /// How long the time was, in milliseconds.
    pub(crate) span_ms: u64,
    /// Of how much of it the lines were read, in milliseconds: less where there were too many.
    pub(crate) read_ms: u64,
}

/// Why nothing was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The source cannot be asked, or what it says cannot be read.
    Error(String),
    /// What it says is not enough to tell.
    Unsure(String),
}

/// A side whose lines are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Of<'a> {
    pub(crate) side: Side,
    pub(crate) subject: &'a Subject,
}

/// Returns up to which instant lines are read at this look, in Unix nanoseconds.
pub(crate) fn until_ns(settings: &Settings, now_ms: i64) -> i64 {
    let settle_ms = settings.loki.as_ref().map_or(runtime::SETTLE_MS, |loki| loki.settle_ms);
    now_ms.saturating_sub(i64::from(settle_ms)).saturating_mul(1_000_000)
}

/// Reads the lines of a side between two instants, in Unix nanoseconds; the second one is not part of it.
pub(crate) fn read(look: &Look<Settings>, of: Of<'_>, from_ns: i64, until_ns: i64) -> Result<Reading, Unread> {
    if until_ns <= from_ns {
        return Ok(Reading::default());
    }
    let mut reading = match &look.settings.loki {
        Some(loki) => loki::read(look, loki, of, from_ns, until_ns)?,
        None => runtime::read(of, from_ns, until_ns)?,
    };
    reading.lines.sort_by_key(|line| line.at_ns);
    Ok(reading)
}

/// Reads the latest lines of a side before an instant, for what is usual of it; in no order.
pub(crate) fn read_before(look: &Look<Settings>, of: Of<'_>, minutes: u32, until_ns: i64) -> Result<Vec<Line>, Unread> {
    match &look.settings.loki {
        Some(loki) => loki::read_before(look, loki, of, minutes, until_ns),
        None => runtime::read_before(of, until_ns),
    }
}

/// Returns a line's text as far as it is looked at.
fn cut(mut text: String) -> String {
    if text.len() > LINE_BYTES_MAX {
        let end = (0..=LINE_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

fn span_ms(from_ns: i64, until_ns: i64) -> u64 {
    u64::try_from(until_ns.saturating_sub(from_ns) / 1_000_000).unwrap_or(0)
}
