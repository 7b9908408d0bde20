//! One question to an Alertmanager (API v2, `GET /api/v2/alerts`) and its answer.

use std::collections::BTreeMap;

use serde::Deserialize;
use towpath_sdk::helpers::text::{clean, percent_encoded};
use towpath_sdk::helpers::time::rfc3339_ms;
use towpath_sdk::powers::http::{Request, Response};
use towpath_sdk::prelude::*;

use crate::settings::Settings;

/// What a look keeps of its time to judge and to answer in, in milliseconds.
const RESERVE_MS: u32 = 500;

/// How much of an answer that is no list stands in a sentence, in characters.
const SHOWN_MAX: usize = 120;

/// Only alerts that are neither silenced nor inhibited: about the others somebody knows.
const FIRING: &str = "active=true&silenced=false&inhibited=false";

/// What an Alertmanager answered.
pub(crate) struct Answer {
    pub(crate) alerts: Vec<Alert>,
    /// When it answered by its own clock, in Unix milliseconds; to the second.
    pub(crate) date_ms: Option<i64>,
}

/// An alert that fires.
#[derive(Debug)]
pub(crate) struct Alert {
    /// Its name, fit for a sentence.
    pub(crate) name: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// When it began, as it is written.
    pub(crate) since: String,
    /// When it began, in Unix milliseconds.
    pub(crate) starts_ms: i64,
    /// When the Alertmanager last heard of it, in Unix milliseconds.
    pub(crate) updated_ms: i64,
}

/// An alert, as the API writes it; what is not needed is left out.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    labels: BTreeMap<String, String>,
    starts_at: String,
    updated_at: String,
}

/// Asks for the alerts that all filters match.
pub(crate) fn alerts(look: &Look<Settings>, filters: &[String]) -> Result<Answer, String> {
    let filters: String = filters.iter().map(|filter| format!("&filter={}", percent_encoded(filter))).collect();
    let url = format!("{}?{FIRING}{filters}", look.settings.address());
    let timeout_ms = look.settings.timeout_ms.min(look.left_ms().saturating_sub(RESERVE_MS)).max(1);
    let answer = Request::get(url).header("accept", "application/json").timeout_ms(timeout_ms).send();
    let answer = answer.map_err(|error| format!("the Alertmanager cannot be asked: {}", error.sentence()))?;
    if answer.status != 200 {
        return Err(format!("the Alertmanager answered with status {}, expected 200: {}", answer.status, begins(&answer)));
    }
    let written: Vec<Written> = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("the Alertmanager's answer is no list of alerts, it is {}: {error}", begins(&answer)))?;
    Ok(Answer { alerts: written.into_iter().map(Alert::of).collect::<Result<_, _>>()?, date_ms: answer.date_ms() })
}

impl Alert {
    fn of(written: Written) -> Result<Self, String> {
        let name = clean(written.labels.get("alertname").map_or("an alert without a name", String::as_str), 60);
        let time = |what: &str, text: &str| {
            let unread = || format!("alert {name:?} has {what} {:?}, expected a time as 2026-11-27T20:08:00Z", clean(text, 40));
            rfc3339_ms(text).ok_or_else(unread)
        };
        let (starts_ms, updated_ms) = (time("startsAt", &written.starts_at)?, time("updatedAt", &written.updated_at)?);
        Ok(Self { name, labels: written.labels, since: written.starts_at, starts_ms, updated_ms })
    }
}

/// Returns how an answer begins, and what it says that it is.
fn begins(answer: &Response) -> String {
    let kind = answer.header("content-type").map_or_else(|| "of no type".to_owned(), |kind| clean(kind, 60));
    format!("{kind}, \"{}\"", clean(&String::from_utf8_lossy(&answer.body), SHOWN_MAX))
}
