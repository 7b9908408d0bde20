//! How a plan names a plugin, and what plugins answer.

use alloc::string::String;

use crate::{Digest, Side};

/// One use of a plugin in a plan: which one exactly, and with what settings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PluginUse {
    /// The plugin's name, as the path wrote it.
    pub name: String,
    /// The component that runs, whatever the name means later.
    pub digest: Digest,
    /// Its settings: a JSON object, checked against the plugin's own schema when the plan was compiled.
    pub settings: String,
}

/// A gate's answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GateAnswer {
    /// The step may go on.
    Pass,
    /// It may not: the deployment is rejected.
    Fail,
    /// Nobody knows yet; ask again later.
    Wait,
    /// The gate could not find out. Fails closed.
    Error,
}

/// A health check's answer. Fails closed: no data is not healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The candidate is well.
    Healthy,
    /// It is not.
    Unhealthy,
    /// There is not enough to tell.
    Inconclusive,
    /// The check itself failed.
    Error,
}

/// One number that an answer rests on. Numbers are fixed-point millionths, so that states compare and hash exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Measurement {
    /// What was measured ("error-rate").
    pub name: String,
    /// Its value in millionths of the unit.
    pub value_micros: i64,
    /// Its unit ("ratio", "ms", "1").
    pub unit: String,
    /// Where it was measured, if on one side.
    pub side: Option<Side>,
    /// The limit it was held against, in millionths of the unit.
    pub limit_micros: Option<i64>,
    /// How many observations it rests on.
    pub samples: Option<u64>,
    /// Within which bounds the true value lies, as the test says.
    pub interval: Option<Interval>,
    /// The test that held it against its limit, in a few words.
    pub test: Option<String>,
}

/// Two bounds, in millionths of the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The lower bound.
    pub low_micros: i64,
    /// The upper bound.
    pub high_micros: i64,
}
