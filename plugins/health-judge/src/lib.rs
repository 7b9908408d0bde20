//! A health check by statistics: what Prometheus has and what services send to the server, candidate against stable, a limit, or what is
//! usual at this hour of the week.
//!
//! Two ways of judging. With `metrics`, tests that may be looked at as often as one likes (room `verdict`): each look adds what came
//! since the last one, a candidate that is not worse is called so with at most `falseAlarm` over all metrics and the whole watch, and a bad
//! one is found as soon as it can be. With `kayenta`, the rules of that judge over the points of the watch, at its end, for those who move
//! from it; the README of `verdict` says where those rules are weak.
//!
//! | Found | Verdict | Said |
//! |---|---|---|
//! | a metric proven worse | unhealthy | both shares or means with their sizes, and after how long it was certain |
//! | not proven worse, enough requests | healthy; inconclusive where `prove: good` asks for a proof | the same, "not yet certain" |
//! | no data of the candidate, or of what it is held against | inconclusive | no data is not healthy |
//! | the candidate's newest sample is older than `maxAgeSeconds` | inconclusive | how old, how old it may be |
//! | Prometheus is down, slow, answers HTML or an error, gives too much | error | what it answered |
//! | NaN, infinity | left out of means, and counted; an error in counters | how many; the number |
//! | more events than trials, negative numbers | error | both numbers |
//! | a counter that fell | what it counts since is new | |
//! | series that were turned away because the service has too many | never healthy | how many |
//! | what is usual is not known yet | inconclusive | over how many minutes, and how many are needed |
//! | settings that nothing can be judged by | error | what was found and what is expected |

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
