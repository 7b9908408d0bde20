//! A health check over what Prometheus knows: PromQL for candidate, stable and the time before, and conditions in CEL that say which
//! numbers are good and which are bad.
//!
//! Prometheus is asked for numbers; it never decides. Where a number is not known (nothing found, stale, no number, too few samples,
//! Prometheus away) the check says so and is inconclusive: no data is not healthy. The README of this folder has the settings, the
//! grant, and a table of everything bad that can come in, with the test of each row.
//!
//! Credentials are the operator's: the host adds them to requests to the place that the grant names, and nothing here sees them.
//!
//! In reading order: [`settings`] is how it is set up, [`condition`] reads and evaluates CEL, [`question`] fills PromQL for each party,
//! [`server`] asks, [`reading`] turns answers into a number or into why there is none, [`judge`] holds numbers against conditions.

mod condition;
mod judge;
mod number;
mod question;
mod reading;
mod server;
mod settings;

pub use condition::Condition;
pub use number::{Selector, Span};
pub use settings::{Bounds, Empty, Fresh, Metric, Range, Role, Samples, Settings, Take};
use towpath_sdk::powers::clock;
use towpath_sdk::prelude::*;

use judge::Finding;
use question::Questions;
use reading::Numbers;
use server::{Server, Trouble};

/// The shortest watch that anything can be said about, in milliseconds: PromQL's windows are whole seconds here.
const ELAPSED_MIN_MS: u64 = 1_000;

/// The check.
pub struct HealthPrometheus;

impl HealthCheck for HealthPrometheus {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        if let Err(sentence) = look.settings.check() {
            return Assessment::error(sentence);
        }
        if look.subjects.candidate.is_none() {
            return Assessment::inconclusive("there is no candidate to ask Prometheus about");
        }
        let elapsed_ms = u64::try_from(clock::now_ms().saturating_sub(look.window.started_ms)).unwrap_or(0);
        if elapsed_ms < ELAPSED_MIN_MS {
            return Assessment::inconclusive("the watch began less than 1 s ago, and only what came since then is looked at");
        }
        let questions = look.settings.metrics.iter().map(|metric| Questions::of(metric, look, elapsed_ms)).collect();
        match questions {
            Ok(questions) => ask(look, questions),
            Err(sentence) => Assessment::error(sentence),
        }
    }
}

fn ask(look: &Look<Settings>, mut questions: Vec<Questions<'_>>) -> Assessment {
    // Those that decide come first: one that only looks on must not take their time.
    questions.sort_by_key(|questions| questions.metric.role);
    let mut server = Server::new(&look.settings, &look.context);
    let mut findings = Vec::new();
    for questions in &questions {
        match Numbers::ask(questions, &mut server) {
            Ok(numbers) => findings.push(judge::judge(questions.metric, &numbers)),
            Err(Trouble::Wrong(why)) => findings.push(Finding::wrong(questions.metric, &why)),
            Err(Trouble::Away(why)) => {
                // It would not answer the others either, and each would be waited for.
                findings.push(Finding::away(questions.metric, &why));
                break;
            }
        }
    }
    judge::join(findings, server.skew())
}

towpath_sdk::export_health_check!(HealthPrometheus);

#[cfg(test)]
mod tests;
