//! What ends a command: a sentence, a code with a page, a hint, an exit code.

use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use cli::Exit;

/// Why a command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    code: &'static str,
    message: String,
    hint: Option<String>,
    exit: u8,
}

/// The exit code of a server that has to be started again, as service managers know it (`EX_TEMPFAIL` of `sysexits.h`).
pub(crate) const START_AGAIN: u8 = 75;

impl Failure {
    /// Returns a failure with its code (a page under `core/errors`) and a sentence fragment.
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, exit: Exit::Broken as u8 }
    }

    /// Returns the failure of an error, with everything that led to it.
    pub(crate) fn of(code: &'static str, error: &dyn std::error::Error) -> Self {
        Self::new(code, chain(error))
    }

    /// Returns the failure as one of what was asked for: the command line or a file is wrong.
    #[must_use]
    pub(crate) fn usage(mut self) -> Self {
        self.exit = Exit::Usage as u8;
        self
    }

    /// Returns the failure as one that a new process is free of.
    #[must_use]
    pub(crate) fn start_again(mut self) -> Self {
        self.exit = START_AGAIN;
        self
    }

    /// Returns the failure with what mends it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Returns an error with everything that led to it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Says the failure on standard error and returns the exit code.
pub(crate) fn report(failure: &Failure) -> ExitCode {
    // Where standard error is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{failure}");
    ExitCode::from(failure.exit)
}
