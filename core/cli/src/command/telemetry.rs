//! What services measure, what is usual of it at this hour of the week, and how that drifts.

use towpath_proto::v1;

use super::answer;
use crate::args::TelemetryArgs;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;
use crate::text::{line, number};

const HEADER: [&str; 8] = ["SERVICE", "ENVIRONMENT", "METRIC", "WHAT", "USUAL NOW", "+/-", "MINUTES", "DRIFT OF A WEEK"];

/// Shows what services measure.
pub(super) async fn telemetry(client: &Client, args: &TelemetryArgs, output: &mut Output) -> Result<Exit, Error> {
    let request = v1::ListTelemetryRequest {
        service: args.service.clone().unwrap_or_default(),
        environment: args.environment.clone().unwrap_or_default(),
    };
    let found = client.telemetry().list(request).await?.into_inner();
    answer(output, &found, |output| for_people(&found, output))
}

fn for_people(found: &v1::ListTelemetryResponse, output: &mut Output) -> Result<(), Error> {
    if !found.is_on {
        writeln!(output.out, "this server takes no metrics; `towpath server --telemetry-listen HOST:PORT` does")?;
        return Ok(());
    }
    let rows: Vec<_> = found.scopes.iter().flat_map(rows).collect();
    let paint = output.paint();
    table::write(&mut *output.out, paint, &HEADER, &rows)?;
    for scope in &found.scopes {
        for text in said(scope) {
            writeln!(output.out, "{}", paint.faint(&line(&text)))?;
        }
    }
    if found.strangers_points > 0 {
        let text = format!("{} points of nobody that is known here: {}", found.strangers_points, found.strangers_last_refusal);
        writeln!(output.out, "{}", paint.waits(&line(&text)))?;
    }
    Ok(())
}

fn rows(scope: &v1::ScopeTelemetry) -> Vec<Vec<String>> {
    let of = |metric: &v1::MetricBaseline| {
        let row = |usual: &v1::Usual| {
            let what = match usual.aspect() {
                v1::Aspect::Mean => "mean",
                v1::Aspect::Errors => "share of errors",
                v1::Aspect::Rate => "a second",
                v1::Aspect::Unspecified => "?",
            };
            vec![
                scope.service.clone(),
                scope.environment.clone(),
                metric.name.clone(),
                what.to_owned(),
                number(usual.mean),
                number(usual.deviation),
                usual.minutes.to_string(),
                usual.drift.map_or_else(|| "not known yet".to_owned(), change),
            ]
        };
        metric.usual.iter().map(row).collect::<Vec<_>>()
    };
    scope.metrics.iter().flat_map(of).collect()
}

/// Returns a ratio as the change that it is.
fn change(ratio: f64) -> String {
    format!("{:+.1} %", (ratio - 1.0) * 100.0)
}

/// Returns what of a scope is in no row: how much came, and what could not be taken.
fn said(scope: &v1::ScopeTelemetry) -> Vec<String> {
    let place = format!("{} in {}", scope.service, scope.environment);
    let mut said = vec![format!("{place}: {} points in {} series", scope.taken, scope.series)];
    if scope.refused > 0 {
        said.push(format!("{place}: {} points refused, the last one because {}", scope.refused, scope.last_refusal));
    }
    if scope.series_turned_away > 0 {
        said.push(format!("{place}: {} series turned away in the last hour, there are too many", scope.series_turned_away));
    }
    if scope.metrics_not_learnt > 0 {
        said.push(format!("{place}: {} metrics are not learnt, there are too many", scope.metrics_not_learnt));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_a_change() {
        assert_eq!([0.5, 1.0, 1.204].map(change), ["-50.0 %", "+0.0 %", "+20.4 %"]);
    }
}
