//! What the guest may call.

use std::sync::Arc;

use super::{
    TelemetryAspect, TelemetryBackend, TelemetryExpectation, TelemetryFault, TelemetryFilter, TelemetryQuery, TelemetryReading,
    TelemetryWindow, grant,
};
use crate::call::CallState;
use crate::usage::Refusable;
use crate::v0_3::bindings::powers::towpath::plugin::telemetry::{
    Aspect, Error, Expectation, Filter, Host, Query, Reading, Window,
};

/// Filters of one question: more than any metric has attributes that matter.
const FILTERS_MAX: usize = 16;

/// Values of one filter: more than there are status codes.
const VALUES_MAX: usize = 100;

/// Windows that a guest is given at most, as the contract says.
const WINDOWS_MAX: usize = 400;

/// How much of a metric's name is in traces, in characters.
const NAMED_CHARS_MAX: usize = 100;

impl Host for CallState {
    async fn read(&mut self, query: Query) -> wasmtime::Result<Result<Reading, Error>> {
        let what = format!("read {}", named(&query.metric));
        self.using("telemetry", what, async |state| {
            if let Err(sentence) = grant::check(state) {
                return Ok(Err(Error::Refused(sentence)));
            }
            let query = match asked(query) {
                Ok(query) => query,
                Err(why) => return Ok(Err(Error::Invalid(why))),
            };
            let Some(backend) = backend(state) else { return Ok(Err(none())) };
            Ok(backend.read(&state.scope, query).await.map(reading).map_err(error))
        })
        .await
    }

    async fn usual(
        &mut self,
        metric: String,
        aspect: Aspect,
        at_ms: i64,
    ) -> wasmtime::Result<Result<Option<Expectation>, Error>> {
        let what = format!("usual {}", named(&metric));
        self.using("telemetry", what, async |state| {
            if let Err(sentence) = grant::check(state) {
                return Ok(Err(Error::Refused(sentence)));
            }
            let Some(backend) = backend(state) else { return Ok(Err(none())) };
            let aspect = match aspect {
                Aspect::Mean => TelemetryAspect::Mean,
                Aspect::Errors => TelemetryAspect::Errors,
                Aspect::Rate => TelemetryAspect::Rate,
            };
            Ok(backend.usual(&state.scope, &metric, aspect, at_ms).await.map(|usual| usual.map(lowered)).map_err(error))
        })
        .await
    }
}

impl Refusable for Error {
    fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Invalid(why) | Self::Unavailable(why) => why.clone(),
        }
    }
}

fn named(metric: &str) -> String {
    metric.chars().take(NAMED_CHARS_MAX).collect()
}

fn asked(query: Query) -> Result<TelemetryQuery, String> {
    let Query { metric, release, filters, from_ms, to_ms } = query;
    if from_ms > to_ms {
        return Err(format!("from {from_ms} is behind to {to_ms}"));
    }
    if filters.len() > FILTERS_MAX {
        return Err(format!("{} filters, at most {FILTERS_MAX}", filters.len()));
    }
    if let Some(filter) = filters.iter().find(|filter| filter.values.len() > VALUES_MAX) {
        return Err(format!("{} values of {}, at most {VALUES_MAX}", filter.values.len(), named(&filter.attribute)));
    }
    let filter = |Filter { attribute, values, among }| TelemetryFilter { attribute, values, among };
    Ok(TelemetryQuery { metric, release, filters: filters.into_iter().map(filter).collect(), from_ms, to_ms })
}

fn reading(reading: TelemetryReading) -> Reading {
    let TelemetryReading { windows, settled_ms, series, turned_away } = reading;
    Reading { windows: windows.into_iter().take(WINDOWS_MAX).map(window).collect(), settled_ms, series, turned_away }
}

fn window(window: TelemetryWindow) -> Window {
    let TelemetryWindow { start_ms, length_ms, count, sum, min, max, bounds, counts } = window;
    Window { start_ms, length_ms, count, sum, min, max, bounds, counts }
}

fn lowered(usual: TelemetryExpectation) -> Expectation {
    let TelemetryExpectation { minutes, mean, deviation, drift } = usual;
    Expectation { minutes, mean, deviation, drift }
}

fn backend(state: &CallState) -> Option<Arc<dyn TelemetryBackend>> {
    state.host.telemetry.clone()
}

fn none() -> Error {
    Error::Unavailable("this server keeps none; start it with --telemetry-listen".to_owned())
}

fn error(fault: TelemetryFault) -> Error {
    match fault {
        TelemetryFault::Invalid(why) => Error::Invalid(why),
        TelemetryFault::Unavailable(why) => Error::Unavailable(why),
    }
}
