//! A health check over real traffic: what the local router counted for the candidate since the watch began, against limits and
//! against the stable side.
//!
//! Counters only grow, so the window is the difference between two readings: the first look of a watch keeps a reading in the
//! check's state, and later looks subtract it. Too few requests are not healthy, only inconclusive; but errors that would exceed the
//! limit even if every request still missing went well are reported at once. Errors beside stable's are judged by a sequential test.

mod counters;
mod judge;
mod sequence;
mod settings;
mod window;

use counters::Status;
pub use settings::{Percentile, Settings, WorseThanStable};
use towpath_sdk::powers::{clock, runtime};
use towpath_sdk::prelude::*;
use window::Baseline;

/// The check.
pub struct HealthTraffic;

impl HealthCheck for HealthTraffic {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        if let Err(sentence) = look.settings.check() {
            return Assessment::error(sentence);
        }
        let Some(candidate) = &look.subjects.candidate else {
            return Assessment::inconclusive("there is no candidate whose traffic could be judged");
        };
        match status() {
            Ok(Some(status)) => assess(look, &candidate.release, &status),
            Ok(None) => Assessment::inconclusive("the runtime knows nothing of the service"),
            Err(sentence) => Assessment::error(sentence),
        }
    }
}

fn assess(look: &Look<Settings>, release: &str, status: &Status) -> Assessment {
    let Some(counted) = status.counters.candidate.as_ref().filter(|counted| counted.release == release) else {
        return Assessment::inconclusive(format!("the runtime counts nothing for release {release} as the candidate"));
    };
    let mut baseline = Baseline::of(look, &status.counters);
    let candidate = counted.since(baseline.counters(release));
    let stable = status.counters.stable.as_ref().map(|counted| counted.since(baseline.counters(&counted.release)));
    // Where stable takes no traffic any more there is nothing to compare with; what was found while it did was said then.
    let takes_traffic = look.subjects.stable.as_ref().is_some_and(|stable| stable.basis_points > 0);
    let wanted = look.settings.worse_than_stable.filter(|_| takes_traffic || !look.settings.has_limits());
    let compared = wanted.map(|wanted| {
        let elapsed_ms = u64::try_from(clock::now_ms().saturating_sub(look.window.started_ms)).unwrap_or(0);
        baseline.sequence.judge(&look.settings, wanted, &candidate, stable.as_ref(), elapsed_ms)
    });
    let compared = match compared.transpose() {
        Ok(compared) => compared,
        Err(sentence) => return Assessment::error(sentence),
    };
    judge::judge(&look.settings, &candidate, stable.as_ref(), compared).remembering(&baseline)
}

fn status() -> Result<Option<Status>, String> {
    let status = runtime::status().map_err(|error| error.sentence())?;
    let parse = |text: &str| serde_json::from_str(text).map_err(|error| format!("the runtime's answer cannot be read: {error}"));
    status.as_deref().map(parse).transpose()
}

towpath_sdk::export_health_check!(HealthTraffic);

#[cfg(test)]
mod tests;
