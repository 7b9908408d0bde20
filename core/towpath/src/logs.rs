//! The log: to standard error, filtered, as text or as JSON.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::Global;
use crate::settings::colored;

/// Starts logging. A filter that cannot be read is said, and replaced by the default.
pub(crate) fn start(global: &Global) {
    let filter = EnvFilter::try_new(&global.log);
    let wrong = filter.is_err();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let painted = colored(global.color, std::io::stderr().is_terminal());
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).with_ansi(painted);
    match global.log_json {
        true => log.json().init(),
        false => log.init(),
    }
    if wrong {
        tracing::warn!(filter = global.log, "the log filter cannot be read; using info");
    }
}
