//! Programs on the server's machine that the operator allowed, each in a fresh folder of its own.

pub use crate::bindings::powers::towpath::plugin::command::{Error, File, Outcome, Request};

/// How long a program may run unless the request says otherwise.
const PATIENCE_MS: u32 = 60_000;

/// Runs a program to its end.
pub fn run(request: &Request) -> Result<Outcome, Error> {
    ask!(command::run => run_command(request))
}

impl Request {
    /// Returns a request for the program that the operator gave this name, without arguments, for a minute.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            stdin: Vec::new(),
            files: Vec::new(),
            collect: Vec::new(),
            timeout_ms: PATIENCE_MS,
        }
    }

    /// Returns the request with one more argument. No shell reads it: nothing needs to be quoted.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Returns the request with a file that is there when the program starts.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.push(File { path: path.into(), content: content.into() });
        self
    }

    /// Returns the request with a file that is read back at the end.
    #[must_use]
    pub fn collect(mut self, path: impl Into<String>) -> Self {
        self.collect.push(path.into());
        self
    }

    /// Returns the request with what is written to the program's standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Returns the request with how long the program may run.
    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout_ms = timeout_ms;
        self
    }
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Invalid(why) => format!("not a request: {why}"),
            Self::Unavailable(why) => format!("it could not be started: {why}"),
            Self::Timeout => "it did not end in time; what it did until then is not known".to_owned(),
        }
    }
}
