//! Checks of the source tree that speak to the author: file, line, what is wrong, what to do.
//!
//! Here is what compiler, clippy and `deny.toml` cannot see: how long a file is, whether an error code has its page, whether a
//! document names files that exist. Every check is a pure function from a [`Tree`] to [`Finding`]s; `tests/it` asks all of them about
//! this repository.
//!
//! What this room is not: a linter of style. What rustfmt or clippy can say, they say.
//!
//! In reading order:
#![forbid(unsafe_code)]

mod finding;
mod tree;

mod rust;

mod check {
    //! One file per question.
    pub(crate) mod changelog;
    pub(crate) mod contract;
    pub(crate) mod documents;
    pub(crate) mod error_pages;
    pub(crate) mod functions;
    pub(crate) mod headers;
    pub(crate) mod leftovers;
    pub(crate) mod lengths;
    pub(crate) mod machine_paths;
    pub(crate) mod manifests;
    pub(crate) mod rooms;
    pub(crate) mod sleeps;
    pub(crate) mod whitespace;
}

pub use check::changelog::check as changelog;
pub use check::contract::check as contract;
pub use check::documents::check as documents;
pub use check::error_pages::check as error_pages;
pub use check::functions::check as functions;
pub use check::headers::check as headers;
pub use check::leftovers::check as leftovers;
pub use check::lengths::{check as lengths, long_files};
pub use check::machine_paths::check as machine_paths;
pub use check::manifests::check as manifests;
pub use check::rooms::check as rooms;
pub use check::sleeps::check as sleeps;
pub use check::whitespace::check as whitespace;
pub use finding::{Finding, report};
pub use tree::{File, Tree};
