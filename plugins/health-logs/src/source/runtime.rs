//! Lines of the local runtime: the latest thousand of a release.

use towpath_sdk::powers::runtime::{self, LogLine, LogStream};

use super::{Line, Of, Reading, Unread, cut, span_ms};

/// Lines that the power gives at most.
const GIVEN_MAX: u32 = 1_000;

/// So much younger lines are left for the next look, in milliseconds: the runtime is a process of this machine and writes a line when it reads it.
pub(super) const SETTLE_MS: u32 = 500;

pub(super) fn read(of: Of<'_>, from_ns: i64, until_ns: i64) -> Result<Reading, Unread> {
    let given = given(of)?;
    // Where all that was given is younger than where we were, there may have been more between the two.
    let oldest_ns = given.iter().map(at_ns).min().filter(|_| given.len() >= GIVEN_MAX as usize);
    let begin_ns = oldest_ns.unwrap_or(from_ns).clamp(from_ns, until_ns);
    let lines = lines(given, from_ns, until_ns);
    Ok(Reading { lines, span_ms: span_ms(from_ns, until_ns), read_ms: span_ms(begin_ns, until_ns) })
}

pub(super) fn read_before(of: Of<'_>, until_ns: i64) -> Result<Vec<Line>, Unread> {
    Ok(lines(given(of)?, i64::MIN, until_ns))
}

fn given(of: Of<'_>) -> Result<Vec<LogLine>, Unread> {
    runtime::logs(&of.subject.release, GIVEN_MAX)
        .map_err(|error| Unread::Error(format!("the {}'s lines cannot be read: {}", of.side.as_str(), error.sentence())))
}

/// Returns what was written between two instants. What the runtime says about an instance, the instance did not write.
fn lines(given: Vec<LogLine>, from_ns: i64, until_ns: i64) -> Vec<Line> {
    let wanted = given.into_iter().filter(|line| line.stream != LogStream::Runtime && (from_ns..until_ns).contains(&at_ns(line)));
    let line = |line: LogLine| {
        let stream = u64::from(line.instance) * 2 + u64::from(line.stream == LogStream::Errors);
        Line { at_ns: at_ns(&line), stream, text: cut(line.text) }
    };
    wanted.map(line).collect()
}

fn at_ns(line: &LogLine) -> i64 {
    line.at_ms.saturating_mul(1_000_000)
}
