//! Hosts that the operator named, each with the key that it must show. The plugin never sees the operator's own key.

pub use crate::bindings::powers::towpath::plugin::ssh::{ArtifactFile, Content, Error, Outcome, Piece, Request, Upload};

/// Runs a command on a host.
pub fn run(request: &Request) -> Result<Outcome, Error> {
    ask!(ssh::run => ssh_run(request))
}

/// Puts a file onto a host.
pub fn put(upload: &Upload) -> Result<(), Error> {
    ask!(ssh::put => ssh_put(upload))
}

/// Runs each command on its host, different hosts side by side, those of one host one after the other. The answers are in the order of the
/// requests; when one is refused, none has run.
pub fn run_all(requests: &[Request]) -> Vec<Result<Outcome, Error>> {
    ask!(ssh::run_all => ssh_run_all(requests))
}

/// Sends pieces of the call's artifacts, in the same way. Each answer is how long the host's file is now: a file that is not complete yet
/// is continued from there.
pub fn send_all(pieces: &[Piece]) -> Vec<Result<u64, Error>> {
    ask!(ssh::send_all => ssh_send_all(pieces))
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
