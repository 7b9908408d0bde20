//! What a call leaves behind even when it is cut off: its log, its measurements, and whether anything left the host.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::Limits;
use crate::error::{CallErrorKind, Limited};
use crate::revealed::Revealed;
use crate::types::{LogLevel, LogLine, Measurement};
use crate::usage::{PowerUse, Uses};

/// A transcript, shared between the call's store and whoever waits for the call.
pub(crate) type Shared = Arc<Transcript>;

/// What a call leaves behind.
pub(crate) struct Transcript {
    pub(crate) revealed: Revealed,
    written: Mutex<Written>,
    sent: AtomicBool,
    host_calls: AtomicU32,
    log_lines: usize,
    log_line_bytes: usize,
    measurements: usize,
}

#[derive(Default)]
struct Written {
    log: Vec<LogLine>,
    lines_cut: u32,
    measurements: Vec<Measurement>,
    uses: Uses,
    stopped: Option<CallErrorKind>,
    output: Option<MemoryOutputPipe>,
}

impl Transcript {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            revealed: Revealed::default(),
            written: Mutex::default(),
            sent: AtomicBool::new(false),
            host_calls: AtomicU32::new(0),
            log_lines: limits.log_lines,
            log_line_bytes: limits.log_line_bytes,
            measurements: limits.measurements,
        }
    }

    /// Notes that bytes that may have an effect are about to leave the host.
    pub(crate) fn note_sent(&self) {
        self.sent.store(true, Ordering::SeqCst);
    }

    /// Returns whether such bytes may have left the host.
    pub(crate) fn sent(&self) -> bool {
        self.sent.load(Ordering::SeqCst)
    }

    /// Counts a host call and returns how many there were.
    pub(crate) fn count_host_call(&self) -> u32 {
        self.host_calls.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Adds a line of log, cut to its limit and freed of control characters.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        let mut written = self.lock();
        if written.log.len() >= self.log_lines {
            written.lines_cut = written.lines_cut.saturating_add(1);
            return;
        }
        written.log.push(LogLine { level, message: self.printable(message) });
    }

    /// Adds a measurement, if there is room and it is a number.
    pub(crate) fn measure(&self, name: &str, value: f64, unit: &str) {
        let mut written = self.lock();
        if written.measurements.len() < self.measurements && value.is_finite() {
            let (name, unit) = (self.printable(name), self.printable(unit));
            written.measurements.push(Measurement::bare(name, value, unit));
        }
    }

    /// Returns a use as it may be kept: what was asked and what came of it are in part the guest's own words.
    pub(crate) fn cleaned(&self, mut used: PowerUse) -> PowerUse {
        used.each_text(|text| *text = self.printable(text));
        used
    }

    /// Adds a use of a power, if there is room.
    pub(crate) fn used(&self, used: PowerUse) {
        self.lock().uses.add(used);
    }

    /// Takes the uses of powers.
    pub(crate) fn take_uses(&self) -> Uses {
        std::mem::take(&mut self.lock().uses)
    }

    /// Notes a limit that was hit and returns the error that ends the guest.
    pub(crate) fn limited(&self, what: Limited, limit: u64) -> wasmtime::Error {
        self.stop(CallErrorKind::Limit { what, limit })
    }

    /// Notes what stops the call, unless something did before, and returns the error that ends the guest.
    pub(crate) fn stop(&self, kind: CallErrorKind) -> wasmtime::Error {
        let error = wasmtime::Error::msg(kind.to_string());
        self.lock().stopped.get_or_insert(kind);
        error
    }

    /// Returns what stopped the call.
    pub(crate) fn stopped(&self) -> Option<CallErrorKind> {
        self.lock().stopped.clone()
    }

    /// Returns the pipe that takes standard output and standard error.
    pub(crate) fn output(&self) -> MemoryOutputPipe {
        let capacity = self.log_lines * self.log_line_bytes;
        self.lock().output.get_or_insert_with(|| MemoryOutputPipe::new(capacity)).clone()
    }

    /// Takes the log; what was written to standard output comes after the lines of the power.
    pub(crate) fn take_log(&self) -> Vec<LogLine> {
        let output = self.lock().output.take();
        if let Some(output) = output {
            for line in String::from_utf8_lossy(&output.contents()).lines() {
                self.log(LogLevel::Info, line);
            }
        }
        let mut written = self.lock();
        let mut log = std::mem::take(&mut written.log);
        if written.lines_cut > 0 {
            let message = format!("{} more lines were cut", written.lines_cut);
            log.push(LogLine { level: LogLevel::Warn, message });
        }
        log
    }

    /// Takes the measurements.
    pub(crate) fn take_measurements(&self) -> Vec<Measurement> {
        std::mem::take(&mut self.lock().measurements)
    }

    /// Returns the text as it may be kept: without what was shown in confidence, without controls, cut to the limit of a line.
    pub(crate) fn printable(&self, text: &str) -> String {
        let mut text = text.to_owned();
        self.revealed.hide(&mut text);
        printable(&text, self.log_line_bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the text without control characters (they could rewrite a terminal), cut at a character's boundary.
fn printable(text: &str, bytes_max: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(bytes_max));
    for character in text.chars() {
        if kept.len() + character.len_utf8() > bytes_max {
            kept.push('…');
            break;
        }
        kept.push(if is_deceptive(character) { ' ' } else { character });
    }
    kept
}

/// Returns whether a character can make a screen show something else than what was written: controls, line separators, and those
/// that turn the direction of what follows.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_and_counted() {
        let transcript = Transcript::new(&Limits { log_lines: 2, log_line_bytes: 5, ..Limits::default() });
        for line in ["one", "two\x1b[2J", "three", "four"] {
            transcript.log(LogLevel::Info, line);
        }
        let lines: Vec<_> = transcript.take_log().into_iter().map(|line| line.message).collect();
        assert_eq!(lines, ["one", "two […", "2 more lines were cut"]);
    }

    #[test]
    fn what_stopped_first_counts() {
        let transcript = Transcript::new(&Limits::default());
        transcript.limited(Limited::Memory, 1);
        transcript.limited(Limited::Table, 2);
        assert_eq!(transcript.stopped(), Some(CallErrorKind::Limit { what: Limited::Memory, limit: 1 }));
    }
}
