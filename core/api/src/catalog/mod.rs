//! What deployments are made of: one file per service of the contract.

mod environment;
mod file;
mod path;
pub(crate) mod plugin;
mod release;
mod server;
mod service;

pub(crate) use path::versions as path_versions;
pub(crate) use release::find as find_release;
