//! The gRPC services of `towpath.v1`: the only way in.
//!
//! This room converts between the wire and the words of `model`, says who calls, and keeps the documents beside the journal
//! (services, environments, paths, releases, evidence). It decides nothing about deployments: the engine does. It knows no SQL,
//! no wasmtime and no file; plugins and artifacts are behind [`ports`].
//!
//! In reading order: [`serve`] puts the services on a socket; `deployment` and `catalog` have one file per call; `view` turns a
//! state into what people see; [`document`] is the form in which the catalog keeps things; `error` sorts what goes wrong.
#![forbid(unsafe_code)]

pub mod document;
pub mod limits;
pub mod ports;

mod artifact;
mod auth;
mod catalog;
mod codes;
mod compile;
mod deployment;
mod error;
mod measured;
mod request;
mod serve;
mod view;

pub use auth::Tokens;
pub use ports::{
    ArtifactReference, Artifacts, ArtifactsError, FetchError, Fetched, LatestUse, Material, Materials, Measured, MeasuredMetric,
    MeasuredScope, PluginInfo, PluginUsage, Plugins, PluginsError, Usual, UsualOf,
};
pub use serve::{Api, ServeError, ServerInfo, serve};
pub use view::outcome;
