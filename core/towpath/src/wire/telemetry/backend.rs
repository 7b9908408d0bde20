//! What services measure, behind the plugin host's port.

use std::sync::Arc;

use async_trait::async_trait;
use model::{EnvironmentName, Scope, ServiceName};
use plugin_host::{
    RuntimeScope, TelemetryAspect, TelemetryBackend, TelemetryExpectation, TelemetryFault, TelemetryFilter, TelemetryQuery,
    TelemetryReading, TelemetryWindow,
};
use telemetry::{Aspect, Expectation, Fault, Filter, Query, Reading, Telemetry, Window};

use crate::clock;

/// The windows of this server.
pub(super) struct Measured(pub(super) Arc<Telemetry>);

#[async_trait]
impl TelemetryBackend for Measured {
    async fn read(&self, scope: &RuntimeScope, query: TelemetryQuery) -> Result<TelemetryReading, TelemetryFault> {
        let TelemetryQuery { metric, release, filters, from_ms, to_ms } = query;
        let filter = |TelemetryFilter { attribute, values, among }| Filter { attribute, values, among };
        let filters = filters.into_iter().map(filter).collect();
        let query = Query { metric, releases: release.into_iter().collect(), filters, from_ms, to_ms };
        self.0.read(&named(scope)?, &query, clock::now_ms()).map(reading).map_err(fault)
    }

    async fn usual(
        &self,
        scope: &RuntimeScope,
        metric: &str,
        aspect: TelemetryAspect,
        at_ms: i64,
    ) -> Result<Option<TelemetryExpectation>, TelemetryFault> {
        let aspect = match aspect {
            TelemetryAspect::Mean => Aspect::Mean,
            TelemetryAspect::Errors => Aspect::Errors,
            TelemetryAspect::Rate => Aspect::Rate,
        };
        let known = self.0.usual(&named(scope)?, metric, aspect, at_ms).map_err(fault)?;
        let expectation =
            |Expectation { minutes, mean, deviation, drift }| TelemetryExpectation { minutes, mean, deviation, drift };
        Ok(known.map(expectation))
    }
}

fn named(scope: &RuntimeScope) -> Result<Scope, TelemetryFault> {
    let invalid = |error: model::InvalidName| TelemetryFault::Invalid(error.to_string());
    Ok(Scope {
        service: ServiceName::new(&scope.service).map_err(invalid)?,
        environment: EnvironmentName::new(&scope.environment).map_err(invalid)?,
    })
}

fn reading(reading: Reading) -> TelemetryReading {
    let Reading { windows, settled_ms, series, turned_away } = reading;
    TelemetryReading { windows: windows.into_iter().map(window).collect(), settled_ms, series, turned_away }
}

fn window(window: Window) -> TelemetryWindow {
    let Window { start_ms, length_ms, count, sum, min, max, bounds, counts } = window;
    TelemetryWindow { start_ms, length_ms, count, sum, min, max, bounds, counts }
}

fn fault(fault: Fault) -> TelemetryFault {
    match fault {
        Fault::Invalid(why) => TelemetryFault::Invalid(why),
        Fault::Unavailable(why) => TelemetryFault::Unavailable(why),
    }
}
