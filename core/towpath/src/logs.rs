//! The log: to standard error, filtered, as text or as JSON.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::args::Common;
use crate::settings::colored;

/// Starts logging. A filter that cannot be read is said, and replaced by the default.
pub(crate) fn start(common: &Common) {
    let filter = EnvFilter::try_new(&common.log);
    let wrong = filter.is_err();
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let painted = colored(common.color, std::io::stderr().is_terminal());
    // An event that cannot be written is dropped: telling of it where it cannot be told would panic, in whatever thread it was.
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).log_internal_errors(false);
    let log = log.with_env_filter(filter).with_ansi(painted);
    match common.log_json {
        true => log.json().init(),
        false => log.init(),
    }
    if wrong {
        tracing::warn!(filter = common.log, "the log filter cannot be read; using info");
    }
}
