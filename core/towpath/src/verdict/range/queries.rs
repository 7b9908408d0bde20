//! What a policy says of Prometheus: the queries of each metric and side.

use serde::Deserialize;

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::verdict) struct SourceForm {
    candidate: QueriesForm,
    #[serde(default)]
    stable: Option<QueriesForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QueriesForm {
    #[serde(default)]
    events: Option<String>,
    #[serde(default)]
    trials: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

/// The queries of one metric.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::verdict) struct Source {
    candidate: Queries,
    stable: Option<Queries>,
}

/// The queries of one side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Queries {
    /// Counters as they are.
    Counters { events: String, trials: String },
    /// Values as they are.
    Value(String),
}

impl Source {
    /// Reads what a metric says; the error is a sentence.
    pub(in crate::verdict) fn read(form: SourceForm, name: &str, takes_counts: bool, needs_stable: bool) -> Result<Self, String> {
        let wanted = if takes_counts { "events and trials" } else { "value" };
        let missing = |side: &str| format!("prometheus of metric {name:?} must have {wanted} of {side}, and nothing else");
        let read = |side: &str, form: QueriesForm| match (form.events, form.trials, form.value) {
            (Some(events), Some(trials), None) if takes_counts => Ok(Queries::Counters { events, trials }),
            (None, None, Some(value)) if !takes_counts => Ok(Queries::Value(value)),
            _ => Err(missing(side)),
        };
        let candidate = read("candidate", form.candidate)?;
        let stable = form.stable.map(|form| read("stable", form)).transpose()?;
        if needs_stable && stable.is_none() {
            return Err(missing("stable"));
        }
        Ok(Self { candidate, stable })
    }

    /// Returns the queries, with whether they are the candidate's.
    pub(super) fn sides(&self) -> impl Iterator<Item = (bool, &Queries)> {
        std::iter::once((true, &self.candidate)).chain(self.stable.as_ref().map(|stable| (false, stable)))
    }
}
