//! The host's backends, answered by the SDK's worlds.

use async_trait::async_trait;
use plugin_host::{
    RuntimeBackend, RuntimeFault, RuntimeLogLine, RuntimeLogStream, RuntimeScope, TelemetryAspect, TelemetryBackend,
    TelemetryExpectation, TelemetryFault, TelemetryFilter, TelemetryQuery, TelemetryReading, TelemetryWindow,
};
use serde_json::Value;
use towpath_sdk::powers::runtime::{Error, LogLine, LogStream};
use towpath_sdk::powers::telemetry::{self, Aspect, Filter, Query};
use towpath_sdk::testing::World as _;

use super::world::{Kept, Stage};

#[async_trait]
impl RuntimeBackend for Stage {
    async fn apply(&self, _scope: &RuntimeScope, desired: Value) -> Result<Value, RuntimeFault> {
        self.unless_silent().await;
        let answer = match self.kept() {
            Kept::Runtime(mut runtime) => runtime.runtime_apply(&desired.to_string()),
            Kept::Documents(_) => Err(Error::Invalid("the case keeps documents; say `target.keeps: runtime`".to_owned())),
        };
        Ok(json(&answer.map_err(fault)?))
    }

    async fn status(&self, _scope: &RuntimeScope) -> Result<Option<Value>, RuntimeFault> {
        self.unless_silent().await;
        let status = match self.kept() {
            Kept::Runtime(mut runtime) => runtime.runtime_status(),
            Kept::Documents(_) => self.script().runtime_status(),
        };
        Ok(status.map_err(fault)?.as_deref().map(json))
    }

    async fn logs(&self, _scope: &RuntimeScope, release: &str, lines: u32) -> Result<Vec<RuntimeLogLine>, RuntimeFault> {
        self.unless_silent().await;
        let found = match self.kept() {
            Kept::Runtime(mut runtime) => runtime.runtime_logs(release, lines),
            Kept::Documents(_) => self.script().runtime_logs(release, lines),
        };
        Ok(found.map_err(fault)?.into_iter().map(line).collect())
    }
}

/// What is said is JSON, unless a case says otherwise on purpose.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn fault(error: Error) -> RuntimeFault {
    match error {
        Error::Superseded(highest_fence) => RuntimeFault::Superseded { highest_fence },
        Error::Invalid(why) => RuntimeFault::Invalid(why),
        Error::Refused(why) | Error::Unreachable(why) => RuntimeFault::Unreachable(why),
    }
}

fn line(line: LogLine) -> RuntimeLogLine {
    let LogLine { at_ms, instance, stream, text } = line;
    let stream = match stream {
        LogStream::Output => RuntimeLogStream::Output,
        LogStream::Errors => RuntimeLogStream::Errors,
        LogStream::Runtime => RuntimeLogStream::Runtime,
    };
    RuntimeLogLine { at_ms, instance, stream, text }
}

#[async_trait]
impl TelemetryBackend for Stage {
    async fn read(&self, _scope: &RuntimeScope, query: TelemetryQuery) -> Result<TelemetryReading, TelemetryFault> {
        self.unless_silent().await;
        let TelemetryQuery { metric, release, filters, from_ms, to_ms } = query;
        let filter = |TelemetryFilter { attribute, values, among }| Filter { attribute, values, among };
        let query = Query { metric, release, filters: filters.into_iter().map(filter).collect(), from_ms, to_ms };
        let telemetry::Reading { windows, settled_ms, series, turned_away } =
            self.script().telemetry_read(&query).map_err(unread)?;
        Ok(TelemetryReading { windows: windows.into_iter().map(window).collect(), settled_ms, series, turned_away })
    }

    async fn usual(
        &self,
        _scope: &RuntimeScope,
        metric: &str,
        aspect: TelemetryAspect,
        at_ms: i64,
    ) -> Result<Option<TelemetryExpectation>, TelemetryFault> {
        self.unless_silent().await;
        let aspect = match aspect {
            TelemetryAspect::Mean => Aspect::Mean,
            TelemetryAspect::Errors => Aspect::Errors,
            TelemetryAspect::Rate => Aspect::Rate,
        };
        let usual = self.script().telemetry_usual(metric, aspect, at_ms).map_err(unread)?;
        Ok(usual.map(|telemetry::Expectation { minutes, mean, deviation, drift }| TelemetryExpectation {
            minutes,
            mean,
            deviation,
            drift,
        }))
    }
}

fn unread(error: telemetry::Error) -> TelemetryFault {
    match error {
        telemetry::Error::Invalid(why) => TelemetryFault::Invalid(why),
        telemetry::Error::Refused(why) | telemetry::Error::Unavailable(why) => TelemetryFault::Unavailable(why),
    }
}

fn window(window: telemetry::Window) -> TelemetryWindow {
    let telemetry::Window { start_ms, length_ms, count, sum, min, max, bounds, counts } = window;
    TelemetryWindow { start_ms, length_ms, count, sum, min, max, bounds, counts }
}
