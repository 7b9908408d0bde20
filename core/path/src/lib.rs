//! Golden path, service and environment files become a plan: parse, schema, constraints, compile.
//!
//! Texts go in, values and diagnostics come out. This room reads no file, asks no plugin and knows no clock: whoever calls
//! it hands in the text, what the plugins said of themselves and what the target can do. It decides how a release will
//! move; what happens while it moves is [`machine`](../machine)'s.
//!
//! ```text
//! text -> text::yaml -> rules (GoldenPath, Service, Environment) -> compile -> model::Plan -> plan::explain
//! ```
//!
//! In reading order:
#![forbid(unsafe_code)]

mod text {
    //! From a text to a tree that knows its places, and back to a person with what is wrong.
    pub(crate) mod diagnostic;
    pub(crate) mod node;
    pub(crate) mod reader;
    pub(crate) mod source;
    pub(crate) mod suggest;
    pub(crate) mod units;
    pub(crate) mod yaml;
}

mod expression;
mod schema;
mod template;

mod rules {
    //! What the three kinds of files say, checked as far as one file alone can be checked.
    pub(crate) mod environment;
    pub(crate) mod golden_path;
    pub(crate) mod header;
    pub(crate) mod health;
    pub(crate) mod plugins;
    pub(crate) mod policies;
    pub(crate) mod service;
    pub(crate) mod strategy;
}

mod compile;
mod plan;
mod version;

pub use compile::input::{
    Change, CompileInput, Migration, PluginCatalog, PluginFacts, PluginKind, ReleaseInput, RestoreInput, Risk, TargetDescriptor,
};
pub use compile::restore::restore_plan;
pub use compile::{compile, release_of};
pub use plan::explain::{ExplainedStep, Summary, explain, summarise};
pub use plan::render::render_plan;
pub use rules::environment::{Environment, Tier, parse_environment};
pub use rules::golden_path::{GoldenPath, parse_path};
pub use rules::policies::default_policies;
pub use rules::service::{Service, parse_service};
pub use text::diagnostic::{Diagnostic, render_diagnostics};
pub use text::source::Place;
pub use version::{Lock, PathVersion, PluginPin};
