//! Every statement and every rule, for all databases.

pub(crate) mod append;
pub(crate) mod archive;
pub(crate) mod catalog;
pub(crate) mod lease;
pub(crate) mod read;
pub(crate) mod rows;
pub(crate) mod schema;
mod scope;
mod situation;
