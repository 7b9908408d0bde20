//! What a plugin says on the way of a call goes into the server's log: its lines and its numbers.
//!
//! Whose they are stands in the span around the call. The host has cleaned each text and cut it to size; how many of them there are is
//! bounded once more here: a health check looks every few seconds, and a log is for whoever reads it.

use plugin_host::{CallError, Called, LogLevel, LogLine, Measurement};

use crate::limits::{LOGGED_LINES_MAX, LOGGED_MEASUREMENTS_MAX};

/// Logs what was said in a call, whether it gave an answer or not.
pub(crate) fn log<T>(came_of_it: &Result<Called<T>, CallError>) {
    let (lines, measurements) = match came_of_it {
        Ok(called) => (&called.log, &called.measurements),
        Err(error) => (&error.log, &error.measurements),
    };
    for LogLine { level, message } in lines.iter().take(LOGGED_LINES_MAX) {
        match level {
            LogLevel::Debug => tracing::debug!(target: "plugin", "{message}"),
            LogLevel::Info => tracing::info!(target: "plugin", "{message}"),
            LogLevel::Warn => tracing::warn!(target: "plugin", "{message}"),
        }
    }
    if let Some(more) = lines.len().checked_sub(LOGGED_LINES_MAX).filter(|more| *more > 0) {
        tracing::warn!(target: "plugin", "{more} more lines of this call are not logged");
    }
    for Measurement { name, value, unit, .. } in measurements.iter().take(LOGGED_MEASUREMENTS_MAX) {
        tracing::info!(target: "plugin", measured = name, value, unit);
    }
    if let Some(more) = measurements.len().checked_sub(LOGGED_MEASUREMENTS_MAX).filter(|more| *more > 0) {
        tracing::warn!(target: "plugin", "{more} more measurements of this call are not logged");
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use plugin_host::{CallErrorKind, Uses};
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    /// Where a test's log goes.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Paper {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    /// Returns what stands in a server's log after this.
    fn logged(level: tracing::Level, work: impl FnOnce()) -> String {
        let paper = Paper::default();
        let log = tracing_subscriber::fmt().with_writer(paper.clone()).with_max_level(level).with_ansi(false).without_time();
        tracing::subscriber::with_default(log.finish(), work);
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn lines(level: LogLevel, count: usize) -> Vec<LogLine> {
        (0..count).map(|number| LogLine { level, message: format!("line {number}") }).collect()
    }

    fn number(name: &str) -> Measurement {
        let (name, unit) = (name.to_owned(), "ms".to_owned());
        Measurement { name, value: 1.5, unit, side: None, limit: None, samples: None, interval: None, test: None }
    }

    #[test]
    fn lines_and_numbers_stand_in_the_log_at_their_level_under_whose_they_are() {
        let log = [lines(LogLevel::Debug, 1), lines(LogLevel::Info, 1), lines(LogLevel::Warn, 1)].concat();
        let called = Called { answer: (), log, measurements: vec![number("latency")], uses: Uses::default(), elapsed_us: 1 };
        let said = logged(tracing::Level::INFO, || {
            let _inside = tracing::info_span!("call", deployment = "d-1", plugin = "probe").entered();
            super::log(&Ok(called));
        });
        let span = r#"call{deployment="d-1" plugin="probe"}: plugin:"#;
        let expected = [
            format!(" INFO {span} line 0"),
            format!(" WARN {span} line 0"),
            format!(" INFO {span} measured=\"latency\" value=1.5 unit=\"ms\""),
        ];
        assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_call_that_failed_has_its_lines_in_the_log_and_a_flood_is_cut_and_counted() {
        let kind = CallErrorKind::Deadline { milliseconds: 1 };
        let measurements = (0..LOGGED_MEASUREMENTS_MAX + 2).map(|_| number("latency")).collect();
        let log = lines(LogLevel::Info, LOGGED_LINES_MAX + 5);
        let error = CallError { kind, outcome_unknown: false, log, measurements, uses: Uses::default(), elapsed_us: 1 };
        let said = logged(tracing::Level::INFO, || super::log::<()>(&Err(error)));
        assert_eq!(said.lines().count(), LOGGED_LINES_MAX + 1 + LOGGED_MEASUREMENTS_MAX + 1, "{said}");
        assert!(said.contains("5 more lines of this call") && said.contains("2 more measurements of this call"), "{said}");
    }
}
