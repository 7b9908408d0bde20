//! Hosts that the operator named, each with the key that it must show. The plugin never sees the operator's own key.

pub use crate::bindings::powers::towpath::plugin::ssh::{ArtifactFile, Content, Error, Outcome, Request, Upload};

/// Runs a command on a host.
pub fn run(request: &Request) -> Result<Outcome, Error> {
    ask!(ssh::run => ssh_run(request))
}

/// Puts a file onto a host.
pub fn put(upload: &Upload) -> Result<(), Error> {
    ask!(ssh::put => ssh_put(upload))
}

/// Returns a word as a POSIX shell reads it back unchanged, whatever is in it.
///
/// ```
/// use towpath_sdk::powers::ssh::quote;
///
/// assert_eq!(format!("systemctl restart {}", quote("web; rm -rf /")), "systemctl restart 'web; rm -rf /'");
/// assert_eq!(quote("it's"), r"'it'\''s'");
/// assert_eq!(quote(""), "''");
/// ```
pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Invalid(why) => format!("not a request: {why}"),
            Self::Unreachable(why) => format!("no connection, nothing ran: {why}"),
            Self::Timeout => "it did not end in time; what it did until then is not known".to_owned(),
            Self::Broken(why) => format!("the connection broke, what was done until then is not known: {why}"),
        }
    }
}
