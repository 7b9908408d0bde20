//! A health check by statistics: what Prometheus has and what services send to the server, candidate against stable, a limit, or what is
//! usual at this hour of the week.
//!
//! Two ways of judging. With `metrics`, tests that may be looked at as often as one likes (room `verdict`): each look adds what came
//! since the last one, a candidate that is not worse is called so with at most `falseAlarm` over all metrics and the whole watch, and a bad
//! one is found as soon as it can be. With `kayenta`, the rules of that judge over the points of the watch, at its end, for those who move
//! from it; the README of `verdict` says where those rules are weak.
//!
//! The table in `README.md` has the verdict and the sentence of each bad input.

mod answer;
mod kayenta;
mod metric;
mod sequence;
mod settings;
mod source;

pub use settings::{Against, Judge, Kayenta, MetricSettings, Prove, Role, Selection, Settings};
use towpath_sdk::prelude::*;

/// The check.
pub struct HealthJudge;

impl HealthCheck for HealthJudge {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        if let Err(sentence) = look.settings.check() {
            return Assessment::error(sentence);
        }
        let Some(candidate) = &look.subjects.candidate else {
            return Assessment::inconclusive("there is no candidate that could be judged");
        };
        match &look.settings.kayenta {
            Some(wanted) => kayenta::judge(look, wanted, candidate),
            None => sequence::judge(look, candidate),
        }
    }
}

towpath_sdk::export_health_check!(HealthJudge);

#[cfg(test)]
mod tests;
