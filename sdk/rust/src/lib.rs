//! Write a Towpath plugin: implement a trait, derive the settings, done.
//!
//! A plugin is a WebAssembly component that answers questions of one kind: a [`Target`] reconciles an environment, a [`Gate`]
//! answers once before a step, a [`HealthCheck`] is asked again and again while a candidate takes traffic. It runs in a sandbox,
//! in a fresh instance for every call, with the [`powers`] that an operator granted and no others.
//!
//! The smallest complete health check:
//!
//! ```
//! use towpath_sdk::prelude::*;
//!
//! /// How the check is set up; the doc comments become the descriptions of the settings' schema.
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(rename_all = "camelCase", deny_unknown_fields)]
//! struct Settings {
//!     /// The path that must answer with success.
//!     path: String,
//! }
//!
//! struct Probe;
//!
//! impl HealthCheck for Probe {
//!     type Settings = Settings;
//!
//!     fn assess(look: &Look<Settings>) -> Assessment {
//!         let Some(endpoint) = look.candidate_endpoint() else { return Assessment::inconclusive("the candidate has no endpoint") };
//!         match powers::http::get(&format!("http://{endpoint}{}", look.settings.path)) {
//!             Ok(answer) if answer.status < 400 => Assessment::healthy("the candidate answers"),
//!             Ok(answer) => Assessment::unhealthy(format!("the candidate answers with status {}", answer.status)),
//!             Err(error) => Assessment::unhealthy(error.sentence()),
//!         }
//!     }
//! }
//!
//! towpath_sdk::export_health_check!(Probe);
//! # fn main() {}
//! ```
//!
//! What a plugin asks for stands in its `Cargo.toml`, with a reason each, and becomes the manifest that the host reads without
//! running anything:
//!
//! ```toml
//! [package.metadata.towpath]
//! kinds = ["health"]
//! powers = { http = "probes the service" }
//! ```
//!
//! Where to go on: [`guide::health`], [`guide::gate`] and [`guide::target`] for what each kind owes, [`guide::settings`],
//! [`guide::testing`], [`guide::files`] for what the tool reads, [`guide::powers`] and [`powers`] for what a plugin may do, [`helpers`] for what every target needs,
//! [`guide::publishing`] for how it comes to those who use it.

pub mod guide;

pub mod gate;
pub mod health;
pub mod helpers;
pub mod powers;
pub mod target;
pub mod testing;
pub mod units;

mod judged;
mod panics;
mod settings;

#[doc(hidden)]
pub mod bindings;

pub use bindings::types::{Context, Fault, Interval, Measurement, Side};
pub use gate::Gate;
pub use health::HealthCheck;
#[doc(hidden)]
#[cfg(target_arch = "wasm32")]
pub use settings::exported_schema;
pub use settings::settings_schema;
pub use target::Target;

/// Everything that a plugin usually needs.
pub mod prelude {
    pub use crate::gate::{Answer, Evidence, Gate, Question};
    pub use crate::health::{Assessment, HealthCheck, Look, Verdict};
    pub use crate::powers;
    pub use crate::target::{Call, Descriptor, Desired, Observation, Progress, Target};
    pub use crate::{Fault, Measurement, Side};
}

impl Fault {
    /// Returns a fault that another attempt may not meet again.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: true }
    }

    /// Returns a fault that stays.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), retryable: false }
    }
}

impl Measurement {
    /// Returns a measurement without a side and a limit.
    pub fn new(name: &str, value: f64, unit: &str) -> Self {
        let (name, unit) = (name.to_owned(), unit.to_owned());
        Self { name, value, unit, side: None, limit: None, samples: None, interval: None, test: None }
    }

    /// Returns the measurement as taken on a side.
    #[must_use]
    pub fn on(mut self, side: Side) -> Self {
        self.side = Some(side);
        self
    }

    /// Returns the measurement with the limit it is held against.
    #[must_use]
    pub fn against(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Returns the measurement with how many observations it rests on.
    #[must_use]
    pub fn of_samples(mut self, samples: u64) -> Self {
        self.samples = Some(samples);
        self
    }

    /// Returns the measurement with the bounds that the true value lies within. Bounds that are no numbers are left out.
    #[must_use]
    pub fn within(mut self, low: f64, high: f64) -> Self {
        self.interval = (low.is_finite() && high.is_finite() && low <= high).then_some(Interval { low, high });
        self
    }

    /// Returns the measurement with the test that held it against its limit.
    #[must_use]
    pub fn tested_by(mut self, test: impl Into<String>) -> Self {
        self.test = Some(test.into());
        self
    }
}
