//! From a case's file to the SDK's scripted world.

use serde_json::Value;
use towpath_sdk::powers::http::Response;
use towpath_sdk::powers::telemetry::{Aspect, Expectation, Window};
use towpath_sdk::testing::worlds::{Scripted, Series};

use super::case::{AspectForm, MeasuredForm, SeriesForm, UsualForm};
use super::{ScriptedAnswer, WorldForm};

/// What stands for the instant at which the watch began.
const STARTED: &str = "{started}";

/// Returns the world that a form describes, for a watch that began at this instant. Its programs are no part of it: they are real ones.
pub(super) fn scripted(form: &WorldForm, started_ms: i64) -> Scripted {
    let world = form.answers.iter().fold(Scripted::new(), |world, answer| world.answering(&answer.path, response(answer)));
    let world = form.telemetry.iter().fold(world, |world, one| world.measuring(series(one, started_ms)));
    let world = form.usual.iter().fold(world, |world, one| world.expecting(&one.metric, aspect(one.aspect), expectation(one)));
    match &form.runtime {
        Some(status) => world.reporting(filled(status, started_ms).to_string()),
        None => world,
    }
}

fn response(answer: &ScriptedAnswer) -> Response {
    let headers = vec![("content-type".to_owned(), answer.media_type.clone())];
    Response { headers, ..Response::new(answer.status, answer.body.as_str()) }
}

fn series(form: &SeriesForm, started_ms: i64) -> Series {
    let SeriesForm { metric, release, attributes, windows } = form.clone();
    let windows = windows.into_iter().map(|one| window(one, started_ms)).collect();
    Series { metric, release, attributes, windows }
}

fn window(form: MeasuredForm, started_ms: i64) -> Window {
    let MeasuredForm { after_ms, length_ms, count, sum, min, max, bounds, counts } = form;
    Window { start_ms: started_ms.saturating_add(after_ms), length_ms, count, sum, min, max, bounds, counts }
}

fn expectation(form: &UsualForm) -> Expectation {
    let UsualForm { minutes, mean, deviation, drift, .. } = *form;
    Expectation { minutes, mean, deviation, drift }
}

fn aspect(form: AspectForm) -> Aspect {
    match form {
        AspectForm::Mean => Aspect::Mean,
        AspectForm::Errors => Aspect::Errors,
        AspectForm::Rate => Aspect::Rate,
    }
}

/// Puts the instant in the place of every text that stands for it.
fn filled(value: &Value, started_ms: i64) -> Value {
    match value {
        Value::String(text) if text == STARTED => started_ms.into(),
        Value::Array(items) => items.iter().map(|item| filled(item, started_ms)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), filled(value, started_ms))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_beginning_of_the_watch_stands_wherever_the_case_wants_it() {
        let status = json!({ "counters": [{ "sinceUnixMs": "{started}", "name": "{started} it" }] });
        let expected = json!({ "counters": [{ "sinceUnixMs": 7, "name": "{started} it" }] });
        assert_eq!(filled(&status, 7), expected);
        assert_eq!(window(MeasuredForm { after_ms: -5, ..MeasuredForm::default() }, 7).start_ms, 2);
    }
}
