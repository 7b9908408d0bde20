//! The local runtime, in the scope of the call: the host adds service and environment, fence and key.

pub use crate::bindings::powers::towpath::plugin::runtime::{Error, LogLine, LogStream};

/// Gives the runtime an absolute desired state (a JSON object) and returns its status (JSON).
pub fn apply(desired: &str) -> Result<String, Error> {
    ask!(runtime::apply => runtime_apply(desired))
}

/// Returns the runtime's status of the scope (JSON); `None` when it knows nothing of it.
pub fn status() -> Result<Option<String>, Error> {
    ask!(runtime::status => runtime_status())
}

/// Returns the latest lines that a release's instances wrote, oldest first; 1000 at most.
pub fn logs(release: &str, lines: u32) -> Result<Vec<LogLine>, Error> {
    ask!(runtime::logs => runtime_logs(release, lines))
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Superseded(highest) => format!("the runtime has seen fence {highest}"),
            Self::Invalid(why) => format!("the runtime refuses the state: {why}"),
            Self::Unreachable(why) => format!("the runtime cannot be reached: {why}"),
        }
    }
}
