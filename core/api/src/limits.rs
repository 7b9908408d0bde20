//! The limits of what a client may ask, each with its reason.

/// The largest service, environment or path file, in bytes: real ones have a few thousand.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// The largest single piece of evidence, in bytes: the JUnit file of a large test suite has two million.
pub const EVIDENCE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How many pieces of evidence a release may have: one per kind of result and job, with room.
pub const EVIDENCE_FILES_MAX: usize = 64;

/// The longest free text that a person may send (a reason, a commit, a file's name), in bytes; it is shown on one line.
pub const TEXT_BYTES_MAX: usize = 1024;

/// The longest request id, in bytes: a UUID has 36, clients with their own scheme need a little more.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

/// The longest release label, in bytes: a version or a branch name with a build number.
pub const LABEL_BYTES_MAX: usize = 63;

/// How many deployments a page has when the client does not say.
pub const PAGE_SIZE_DEFAULT: u32 = 50;

/// The most deployments on a page: a list is read by people, and the server builds it in memory.
pub const PAGE_SIZE_MAX: u32 = 500;

/// Calls that one connection may have open at a time: a console with many watches needs tens.
pub const STREAMS_PER_CONNECTION_MAX: u32 = 128;

/// How many names of the known ones an error lists before it says "and so on".
pub const KNOWN_NAMES_SHOWN: usize = 12;

/// How much of what a program says of itself is kept: its name and version.
pub const PROGRAM_CHARS_MAX: usize = 80;

/// The largest grant, in bytes: an allow-list of a few hundred places.
pub const GRANT_BYTES_MAX: usize = 64 * 1024;
