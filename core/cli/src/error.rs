//! What can go wrong on this side, and how it is said.

use std::io;
use std::path::PathBuf;

use prost::Message;
use tonic::{Code, Status};
use towpath_proto::v1::ErrorDetail;

use crate::output::Output;
use crate::text::clean;

/// The exit codes of the program. They are part of its interface: scripts read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was done; a watched deployment succeeded.
    Done = 0,
    /// A watched deployment ended in any other way.
    NotSucceeded = 1,
    /// The command line or a file is wrong.
    Usage = 2,
    /// No server answers.
    NoServer = 3,
    /// The server refused: not known, not possible now, moved meanwhile.
    Refused = 4,
    /// The caller is not known to the server.
    NotKnown = 5,
    /// Something broke.
    Broken = 6,
}

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing says where a server is.
    #[error("no server is running on the data folder {}", data_dir.display())]
    NotRunning {
        /// The folder that was looked into.
        data_dir: PathBuf,
    },
    /// Nobody answers at the address.
    #[error("no server answers at {address}: {message}")]
    NoAnswer {
        /// Where.
        address: String,
        /// What the connection said.
        message: String,
    },
    /// The server said no.
    #[error("{message}")]
    Server {
        /// The status.
        status: Code,
        /// The sentence.
        message: String,
        /// The stable code; empty when the server gave none.
        code: String,
        /// What can be done.
        hint: String,
    },
    /// A file of the caller's has faults.
    #[error("{0}")]
    File(String),
    /// A file could not be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What was asked for does not make sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What can be done.
        hint: String,
    },
    /// The caller said no.
    #[error("not done: nobody said yes")]
    Declined,
    /// The answer could not be written.
    #[error("the answer could not be written")]
    Output(#[source] io::Error),
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Output(source)
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let detail = status.metadata().get_bin(towpath_proto::ERROR_TRAILER);
        let bytes = detail.and_then(|value| value.to_bytes().ok());
        let detail = bytes.and_then(|bytes| ErrorDetail::decode(bytes).ok()).unwrap_or_default();
        Self::Server { status: status.code(), message: status.message().to_owned(), code: detail.code, hint: detail.hint }
    }
}

impl Error {
    /// Returns the exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotRunning { .. } | Self::NoAnswer { .. } => Exit::NoServer,
            Self::File(_) | Self::Unreadable { .. } | Self::Usage { .. } => Exit::Usage,
            Self::Declined => Exit::Refused,
            Self::Output(_) => Exit::Broken,
            Self::Server { status, .. } => match status {
                Code::InvalidArgument | Code::OutOfRange => Exit::Usage,
                Code::Unauthenticated | Code::PermissionDenied => Exit::NotKnown,
                Code::Unavailable => Exit::NoServer,
                Code::Internal | Code::DataLoss | Code::Unknown | Code::Unimplemented => Exit::Broken,
                Code::Ok
                | Code::Cancelled
                | Code::DeadlineExceeded
                | Code::NotFound
                | Code::AlreadyExists
                | Code::ResourceExhausted
                | Code::FailedPrecondition
                | Code::Aborted => Exit::Refused,
            },
        }
    }

    /// Returns the stable code, or an empty text.
    pub fn code(&self) -> &str {
        match self {
            Self::NotRunning { .. } | Self::NoAnswer { .. } => "TP0301",
            Self::Server { code, .. } => code,
            Self::File(_) => "TP0101",
            Self::Unreadable { .. } | Self::Usage { .. } | Self::Declined | Self::Output(_) => "",
        }
    }

    /// Returns what can be done, or an empty text.
    pub fn hint(&self) -> &str {
        match self {
            Self::NotRunning { .. } | Self::NoAnswer { .. } => "start one with `towpath up`, or name one with --server HOST:PORT",
            Self::Server { hint, .. } | Self::Usage { hint, .. } => hint,
            Self::Declined => "answer y, or give --yes",
            Self::File(_) | Self::Unreadable { .. } | Self::Output(_) => "",
        }
    }
}

/// Prints an error for people, or as one JSON object, to `err`.
///
/// # Errors
/// Returns what the stream returns.
pub fn print_error(output: &mut Output, error: &Error) -> io::Result<()> {
    if matches!(error, Error::Output(source) if source.kind() == io::ErrorKind::BrokenPipe) {
        // Whoever read the answer has read enough, as `head` has.
        return Ok(());
    }
    let mut message = clean(&error.to_string());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&clean(&cause.to_string()));
        source = cause.source();
    }
    if output.context.json {
        let value = serde_json::json!({"error": {"message": message, "code": error.code(), "hint": error.hint()}});
        return writeln!(output.err, "{value}");
    }
    let code = if error.code().is_empty() { String::new() } else { format!("[{}]", error.code()) };
    let paint = output.paint_err();
    writeln!(output.err, "{}{}: {message}", paint.bad("error"), paint.bad(&code))?;
    match error.hint() {
        "" => Ok(()),
        hint => writeln!(output.err, "\n{}: {}", paint.good("hint"), clean(hint)),
    }
}
