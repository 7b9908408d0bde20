//! What services measure, and what is usual of it.

use tonic::{Request, Response, Status};
use towpath_proto::v1;
use towpath_proto::v1::telemetry_service_server::TelemetryService;

use crate::auth::caller;
use crate::ports::{MeasuredMetric, MeasuredScope, Usual, UsualOf};
use crate::serve::Services;

#[tonic::async_trait]
impl TelemetryService for Services {
    async fn list(&self, request: Request<v1::ListTelemetryRequest>) -> Result<Response<v1::ListTelemetryResponse>, Status> {
        caller(&request)?;
        let asked = request.into_inner();
        let Some(measured) = &self.api.measured else { return Ok(Response::new(v1::ListTelemetryResponse::default())) };
        let is_asked = |scope: &MeasuredScope| {
            (asked.service.is_empty() || asked.service == scope.scope.service.as_str())
                && (asked.environment.is_empty() || asked.environment == scope.scope.environment.as_str())
        };
        let (strangers_points, strangers_last_refusal) = measured.strangers();
        let scopes = measured.list(self.api.clock.now()).into_iter().filter(is_asked).map(view).collect();
        Ok(Response::new(v1::ListTelemetryResponse { is_on: true, scopes, strangers_points, strangers_last_refusal }))
    }
}

fn view(found: MeasuredScope) -> v1::ScopeTelemetry {
    v1::ScopeTelemetry {
        service: found.scope.service.to_string(),
        environment: found.scope.environment.to_string(),
        taken: found.taken,
        refused: found.refused,
        last_refusal: found.last_refusal,
        series: found.series,
        series_turned_away: found.series_turned_away,
        metrics: found.metrics.into_iter().map(metric).collect(),
        metrics_not_learnt: found.metrics_not_learnt,
    }
}

fn metric(found: MeasuredMetric) -> v1::MetricBaseline {
    v1::MetricBaseline { name: found.name, usual: found.usual.into_iter().map(usual).collect() }
}

fn usual(found: Usual) -> v1::Usual {
    let Usual { of, minutes, mean, deviation, drift } = found;
    let aspect = match of {
        UsualOf::Mean => v1::Aspect::Mean,
        UsualOf::Errors => v1::Aspect::Errors,
        UsualOf::Rate => v1::Aspect::Rate,
    };
    v1::Usual { aspect: aspect.into(), minutes, mean, deviation, drift }
}
