//! A health check that asks the service itself: a path of the candidate, of stable or of the endpoint that callers use, or whole journeys.
//!
//! One look at a path is several probes, so that one lost packet decides nothing. It stops early once the verdict is certain.

pub mod journey;
mod probe;
mod settings;

use probe::Probe;
pub use settings::{Scheme, Settings};
use towpath_sdk::powers::{clock, http};
use towpath_sdk::prelude::*;

/// The check.
pub struct HealthHttp;

impl HealthCheck for HealthHttp {
    type Settings = Settings;

    fn assess(look: &Look<Settings>) -> Assessment {
        let settings = &look.settings;
        if let Err(sentence) = settings.check() {
            return Assessment::error(sentence);
        }
        if !settings.journeys.is_empty() {
            return journey::assess(look);
        }
        let Some(endpoint) = settings.subject.endpoint(look) else {
            return Assessment::inconclusive(format!("the {} has no endpoint to probe", settings.subject.as_str()));
        };
        judge(settings, &probes(settings, endpoint))
    }
}

/// Probes until the verdict is certain.
fn probes(settings: &Settings, endpoint: &str) -> Vec<Probe> {
    let mut probes: Vec<Probe> = Vec::new();
    for number in 0..settings.probes {
        if number > 0 {
            clock::pause_ms(settings.interval_ms);
        }
        let request = http::Request::get(format!("http://{endpoint}{}", settings.path())).timeout_ms(settings.timeout_ms);
        probes.push(Probe::of(request.send(), settings));
        if failures(&probes) >= settings.failures_needed {
            break;
        }
    }
    probes
}

fn judge(settings: &Settings, probes: &[Probe]) -> Assessment {
    let subject = settings.subject.as_str();
    let failed = failures(probes);
    let sentence = match probes.iter().rev().find_map(Probe::failure) {
        Some(failure) => format!("{failed} of {} probes of {} on the {subject} failed: {failure}", probes.len(), settings.path()),
        None => format!("the {subject} answered {} probes of {} as expected", probes.len(), settings.path()),
    };
    let assessment = match failed {
        failed if failed >= settings.failures_needed => Assessment::unhealthy(sentence),
        _ => Assessment::healthy(sentence),
    };
    // Not above: the limit is the number of failures that is still fine.
    let failures = Measurement::new("probe-failures", f64::from(failed), "1").against(f64::from(settings.failures_needed - 1));
    let failures = failures.of_samples(probes.len() as u64);
    let slowest = probes.iter().filter_map(Probe::elapsed_ms).max();
    let latency = slowest.map(|elapsed| Measurement::new("probe-latency-max", f64::from(elapsed), "ms"));
    let measurements = [Some(failures), latency].into_iter().flatten();
    assessment.measured(measurements.map(|measurement| settings.subject.placed(measurement)))
}

fn failures(probes: &[Probe]) -> u32 {
    let failed = probes.iter().filter(|probe| probe.failure().is_some()).count();
    u32::try_from(failed).unwrap_or(u32::MAX)
}

towpath_sdk::export_health_check!(HealthHttp);

#[cfg(test)]
mod tests;
