//! Every look of a deployment's health checks with what its verdict rests on: for people, as JSON, or as CSV for a spreadsheet.

use serde_json::json;
use tokio_stream::StreamExt;
use towpath_proto::v1;

use super::which;
use crate::args::LooksArgs;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::json;
use crate::output::Output;
use crate::text::{line, time_of_day};
use crate::watch::frame;

/// The columns of the CSV form. A look without numbers is a row whose last eight columns are empty.
const COLUMNS: [&str; 14] = [
    "at_unix_ms",
    "step",
    "look",
    "check",
    "verdict",
    "sentence",
    "metric",
    "side",
    "value",
    "unit",
    "limit",
    "low",
    "high",
    "samples",
];

/// One look.
struct Taken {
    at_ms: i64,
    check: v1::CheckStatus,
}

/// Prints the looks that were taken up to now, in the order of time.
pub(super) async fn looks(client: &Client, args: &LooksArgs, output: &mut Output) -> Result<Exit, Error> {
    let deployment_id = which::any(client, &args.which).await?;
    let now = client.deployments().get(v1::GetDeploymentRequest { deployment_id: deployment_id.clone() }).await?.into_inner();
    let request = v1::WatchDeploymentRequest { deployment_id, after_version: 0 };
    let mut updates = client.deployments().watch(request).await?.into_inner();
    if args.csv {
        row(output, COLUMNS.map(str::to_owned))?;
    }
    let mut before = Vec::new();
    while let Some(update) = updates.next().await.transpose()? {
        for taken in taken(&update, &mut before) {
            match (args.csv, output.context.json) {
                (true, _) => as_csv(&taken, output)?,
                (false, true) => writeln!(output.out, "{}", as_json(&taken))?,
                (false, false) => for_people(&taken, output)?,
            }
        }
        if update.version >= now.version {
            break;
        }
    }
    Ok(Exit::Done)
}

/// Returns the looks that an update tells of: the checks that were asked once more than before it.
fn taken(update: &v1::DeploymentUpdate, before: &mut Vec<v1::CheckStatus>) -> Vec<Taken> {
    let checks = update.deployment.as_ref().map(|deployment| deployment.checks.clone()).unwrap_or_default();
    let is_new = |check: &&v1::CheckStatus| {
        let known = before.iter().find(|known| known.step == check.step && known.name == check.name);
        check.looks > known.map_or(0, |known| known.looks)
    };
    let taken = checks.iter().filter(is_new).map(|check| Taken { at_ms: update.at_ms, check: check.clone() }).collect();
    *before = checks;
    taken
}

fn for_people(taken: &Taken, output: &mut Output) -> Result<(), Error> {
    let Taken { at_ms, check } = taken;
    let paint = output.paint();
    let verdict = match check.verdict.as_str() {
        "healthy" => paint.good(&format!("{:<12}", check.verdict)),
        "unhealthy" | "error" => paint.bad(&format!("{:<12}", line(&check.verdict))),
        _ => paint.waits(&format!("{:<12}", line(&check.verdict))),
    };
    let (time, step, name, sentence) =
        (paint.faint(&time_of_day(*at_ms)), line(&check.step), line(&check.name), line(&check.sentence));
    writeln!(output.out, "{time}  {step:<12}  {name:<16}  {verdict}  {sentence}")?;
    for measured in &check.measurements {
        writeln!(output.out, "{}", paint.faint(&format!("            {}", line(&frame::measurement(measured)))))?;
    }
    Ok(())
}

fn as_json(taken: &Taken) -> serde_json::Value {
    let check = &taken.check;
    json!({
        "at_ms": taken.at_ms, "step": check.step, "look": check.looks, "check": check.name, "verdict": check.verdict,
        "sentence": check.sentence, "measurements": check.measurements.iter().map(json::of).collect::<Vec<_>>(),
    })
}

fn as_csv(taken: &Taken, output: &mut Output) -> Result<(), Error> {
    let Taken { at_ms, check } = taken;
    let look = [
        at_ms.to_string(),
        check.step.clone(),
        check.looks.to_string(),
        check.name.clone(),
        check.verdict.clone(),
        check.sentence.clone(),
    ];
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    let mut numbers: Vec<[String; 8]> = Vec::new();
    for measured in &check.measurements {
        let side = match measured.side() {
            v1::Side::Stable => "stable",
            v1::Side::Candidate => "candidate",
            v1::Side::Unspecified => "",
        };
        numbers.push([
            measured.name.clone(),
            side.to_owned(),
            measured.value.to_string(),
            measured.unit.clone(),
            number(measured.limit),
            number(measured.interval.map(|interval| interval.low)),
            number(measured.interval.map(|interval| interval.high)),
            measured.samples.map(|samples| samples.to_string()).unwrap_or_default(),
        ]);
    }
    if numbers.is_empty() {
        numbers.push(Default::default());
    }
    numbers.into_iter().try_for_each(|numbers| row(output, look.iter().cloned().chain(numbers)))
}

/// Writes a row by RFC 4180.
fn row(output: &mut Output, cells: impl IntoIterator<Item = String>) -> Result<(), Error> {
    let cells: Vec<String> = cells.into_iter().map(|cell| escaped(&line(&cell))).collect();
    writeln!(output.out, "{}", cells.join(","))?;
    Ok(())
}

/// Returns a cell as a table reads it. One that a spreadsheet would take for a formula is made a text: sentences come from plugins.
fn escaped(cell: &str) -> String {
    let text = match cell.starts_with(['=', '+', '@']) || (cell.starts_with('-') && cell.parse::<f64>().is_err()) {
        true => format!("'{cell}"),
        false => cell.to_owned(),
    };
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula_and_never_two() {
        let check = |cell: &str, expect: &str| assert_eq!(escaped(cell), expect);
        check("all is well", "all is well");
        check("5 of 10, at most 1", "\"5 of 10, at most 1\"");
        check("said \"no\"", "\"said \"\"no\"\"\"");
        check("=HYPERLINK(\"a\")", "\"'=HYPERLINK(\"\"a\"\")\"");
        check("-0.5", "-0.5");
        check("-cmd", "'-cmd");
    }
}
