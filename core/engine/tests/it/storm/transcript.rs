//! What happened in a storm, line by line on its own clock: everything that the engines and the storm say through `tracing`.

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use uuid::Uuid;

/// What is kept of a storm at most; a storm that says more has gone round in circles, and its beginning tells why.
const BYTES_MAX: usize = 4 << 20;

#[derive(Clone, Default)]
pub(crate) struct Transcript(Arc<Mutex<Vec<u8>>>);

impl Transcript {
    /// Returns a subscriber that writes here. Times are counted from `began`.
    pub(crate) fn subscriber(&self, began: Instant) -> impl Subscriber + Send + Sync + use<> {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("debug"))
            .with_timer(Since(began))
            .with_target(false)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
    }

    /// Returns what happened. Deployments are named by their order, for their ids differ from run to run.
    pub(crate) fn told(&self) -> String {
        let text = String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned();
        let mut ids: Vec<&str> = Vec::new();
        for word in text.split(|letter: char| !letter.is_ascii_hexdigit() && letter != '-') {
            if Uuid::try_parse(word).is_ok() && !ids.contains(&word) {
                ids.push(word);
            }
        }
        ids.iter().enumerate().fold(text.clone(), |told, (number, id)| told.replace(id, &format!("deployment-{number}")))
    }
}

impl<'a> MakeWriter<'a> for Transcript {
    type Writer = Transcript;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

impl Write for Transcript {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = self.0.lock().unwrap();
        if lines.len() < BYTES_MAX {
            lines.extend_from_slice(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Since(Instant);

impl FormatTime for Since {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{:>12.3} s", self.0.elapsed().as_secs_f64())
    }
}
