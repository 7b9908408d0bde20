//! A health check over real traffic: what the local router counted for the candidate since the watch began, against limits and
//! against the stable side.
//!
//! Counters only grow, so the window is the difference between two readings: the first look of a watch keeps a reading in the
//! check's state, and later looks subtract it. Too few requests are not healthy, only inconclusive; but errors that would exceed the
//! limit even if every request still missing went well are reported at once.

mod counters;
mod judge;
mod settings;
mod window;

use counters::Status;
pub use settings::{Percentile, Settings};
use towpath_sdk::powers::runtime;
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
    let baseline = Baseline::of(look, &status.counters);
    let candidate = counted.since(baseline.counters(release));
    let stable = status.counters.stable.as_ref().map(|counted| counted.since(baseline.counters(&counted.release)));
    judge::judge(&look.settings, &candidate, stable.as_ref()).remembering(&baseline)
}

fn status() -> Result<Option<Status>, String> {
    let status = runtime::status().map_err(|error| error.sentence())?;
    let parse = |text: &str| serde_json::from_str(text).map_err(|error| format!("the runtime's answer cannot be read: {error}"));
    status.as_deref().map(parse).transpose()
}

towpath_sdk::export_health_check!(HealthTraffic);

#[cfg(test)]
mod tests;
