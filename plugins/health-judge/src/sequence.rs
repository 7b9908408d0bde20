//! One look of many: adds what came since the last one to tests that may be looked at at any time.

use serde::{Deserialize, Serialize};
use towpath_sdk::health::{Assessment, Look, Subject};
use verdict::monitor::{Monitor, Observation};
use verdict::sample::Counts;

use crate::answer;
use crate::metric::{self, above_name};
use crate::settings::{Judge, MetricSettings, Settings};
use crate::source::{ReadUpTo, Reader, Trouble, elapsed_ms};

/// What is carried from look to look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    /// Which watch: the instant it began, and of which release.
    started_ms: i64,
    release: String,
    upto: ReadUpTo,
    monitor: Option<Monitor>,
    /// How what is usual drifted when the watch began.
    #[serde(default)]
    drifts: Vec<(String, f64)>,
}

/// Takes a look.
pub(crate) fn judge(look: &Look<Settings>, candidate: &Subject) -> Assessment {
    let mut watch: Watch = look.state();
    if watch.started_ms != look.window.started_ms || watch.release != candidate.release {
        watch = Watch { started_ms: look.window.started_ms, release: candidate.release.clone(), ..Watch::default() };
    }
    // What goes wrong in the middle is read again at the next look, so that nothing is lost and nothing counted twice.
    let mut next = watch.clone();
    match read(look, candidate, &mut next) {
        Ok(assessment) => assessment.remembering(&next),
        Err(Trouble::Error(sentence)) => Assessment::error(sentence).remembering(&watch),
        Err(Trouble::NoData(sentence)) => Assessment::inconclusive(sentence).remembering(&watch),
    }
}

fn read(look: &Look<Settings>, candidate: &Subject, watch: &mut Watch) -> Result<Assessment, Trouble> {
    let monitor = match &mut watch.monitor {
        Some(monitor) => monitor,
        empty => {
            let begun = metric::begin(&look.settings)?;
            watch.drifts = begun.drifts;
            empty.insert(begun.monitor)
        }
    };
    let mut reader = Reader::new(look, candidate, watch.upto);
    for metric in &look.settings.metrics {
        observe(metric, &mut reader, monitor)?;
    }
    watch.upto = reader.upto();
    let verdict = monitor.look(elapsed_ms(look));
    let drifts = watch.drifts.iter().map(|(name, drift)| answer::drift(name, *drift));
    Ok(answer::of_verdict(&verdict, &look.settings, reader.missing()).measured(drifts))
}

/// Adds what came of a metric since the last look.
fn observe(metric: &MetricSettings, reader: &mut Reader<'_>, monitor: &mut Monitor) -> Result<(), Trouble> {
    let name = metric.name.as_str();
    let counts = |monitor: &mut Monitor, name: &str, (candidate, stable): (Counts, Counts)| {
        monitor.observe(name, &Observation::Counts { candidate, stable }).map_err(|refused| Trouble::Error(refused.to_string()))
    };
    match &metric.judge {
        Judge::Shares { events, trials, .. } => counts(monitor, name, reader.shares(events, trials, true)?),
        Judge::Limit { events, trials, .. } => counts(monitor, name, reader.shares(events, trials, false)?),
        Judge::Times { histogram, above, .. } => {
            let found = reader.above(histogram, above)?;
            above.iter().zip(found).try_for_each(|(bound, found)| counts(monitor, &above_name(name, *bound), found))
        }
        Judge::Mean { values, limit, step_seconds, .. } => {
            let (candidate, stable) = reader.values(values, *step_seconds, !limit)?;
            let seen = Observation::Values { candidate: &candidate, stable: &stable };
            monitor.observe(name, &seen).map_err(|refused| Trouble::Error(refused.to_string()))
        }
        Judge::Usual { metric, .. } => counts(monitor, name, (reader.errors(metric)?, Counts::default())),
    }
}
