//! The bytes of the artifacts that the call is about: those of its desired state, and the one its context names.

pub use crate::bindings::powers::towpath::plugin::artifact::{Error, File};

/// How many bytes [`Reader`] asks for at once.
const PART_BYTES: u32 = 256 * 1024;

/// Returns the files of an artifact, by path.
pub fn files(digest: &str) -> Result<Vec<File>, Error> {
    ask!(artifact::files => artifact_files(digest))
}

/// Returns a part of a file: up to `length` bytes from `offset` on; fewer at its end, none behind it.
pub fn read(digest: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, Error> {
    ask!(artifact::read => artifact_read(digest, path, offset, length))
}

/// Returns the SHA-256 of a file's content, as 64 hexadecimal digits: what a copy elsewhere is held against.
pub fn checksum(digest: &str, path: &str) -> Result<String, Error> {
    ask!(artifact::checksum => artifact_checksum(digest, path))
}

/// Returns a reader of the file's parts.
pub fn reader(digest: impl Into<String>, path: impl Into<String>) -> Reader {
    Reader { digest: digest.into(), path: path.into(), offset: 0, ended: false }
}

/// The parts of a file, one after the other. Ends after the last one, or after an error.
#[derive(Clone, Debug)]
pub struct Reader {
    digest: String,
    path: String,
    offset: u64,
    ended: bool,
}

impl Iterator for Reader {
    type Item = Result<Vec<u8>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let part = read(&self.digest, &self.path, self.offset, PART_BYTES);
        self.ended = part.as_ref().map_or(true, Vec::is_empty);
        match part {
            Ok(part) if part.is_empty() => None,
            Ok(part) => {
                self.offset += part.len() as u64;
                Some(Ok(part))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Invalid(why) => format!("not a path in the artifact: {why}"),
            Self::Absent(why) => format!("the artifact has it not: {why}"),
            Self::Broken(why) => format!("the artifact cannot be read: {why}"),
        }
    }
}
