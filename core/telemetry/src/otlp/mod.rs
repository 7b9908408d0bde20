//! From the wire to points: what OTLP's messages say, checked, in the words of this room.
//!
//! Whatever cannot be taken is counted and named in a sentence, and the rest of the request is taken: nothing here panics, and nothing is
//! guessed. The messages are those of the crate `opentelemetry-proto`.

pub(crate) mod census;
mod exponential;
mod histogram;
mod number;
mod owner;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use model::Scope;
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, DataPointFlags, Metric, ResourceMetrics};

use crate::outcome::Outcome;
use crate::point::{Identity, Kind, Point, Share, Span, quoted};
use crate::sums::Sums;
use owner::Owner;

/// Which scopes the server knows: telemetry of others is turned away.
pub trait Directory: Send + Sync + 'static {
    /// Returns whether there is such a service, and such an environment. Asked where it may block.
    fn knows(&self, scope: &Scope) -> Result<bool, NotNow>;
}

/// It cannot be said now which scopes are known. Nothing was taken: the same may be sent again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it cannot be said now which services there are: {0}")]
pub struct NotNow(pub String);

/// Points of one scope.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Whose.
    pub scope: Scope,
    /// What was measured.
    pub points: Vec<Point>,
    /// What of it cannot be taken.
    pub refused: Outcome,
}

/// Returns what a request measured, and what of it is of nobody that the server knows.
pub fn batches(request: ExportMetricsServiceRequest, directory: &dyn Directory) -> Result<(Vec<Batch>, Outcome), NotNow> {
    let mut strangers = Outcome::default();
    let mut batches = Vec::new();
    for resource in request.resource_metrics {
        match owner::of_resource(resource.resource.as_ref(), directory)? {
            Ok(owner) => {
                let mut refused = Outcome::default();
                let points = of_resource(resource, &owner, &mut refused);
                batches.push(Batch { scope: owner.scope, points, refused });
            }
            Err(why) => strangers.refuse(count(&resource), why),
        }
    }
    Ok((batches, strangers))
}

/// Returns the answer to a request: how many points were not taken, and why.
pub fn answer(outcome: &Outcome) -> ExportMetricsServiceResponse {
    let partial = || ExportMetricsPartialSuccess {
        rejected_data_points: i64::try_from(outcome.refused).unwrap_or(i64::MAX),
        error_message: outcome.sentence(),
    };
    ExportMetricsServiceResponse { partial_success: (outcome.refused > 0).then(partial) }
}

fn of_resource(resource: ResourceMetrics, owner: &Owner, outcome: &mut Outcome) -> Vec<Point> {
    let mut points = Vec::new();
    for scope in resource.scope_metrics {
        let writer = owner.writer(scope.scope.as_ref());
        for metric in scope.metrics {
            let Metric { name, unit, data, .. } = metric;
            let named = Named { metric: name.into(), unit: unit.into(), owner, writer };
            for point in data.map(|data| named.points(data)).into_iter().flatten() {
                match point {
                    Ok(Some(point)) => points.push(point),
                    // It says itself that there is nothing.
                    Ok(None) => {}
                    Err(why) => outcome.refuse(1, why),
                }
            }
        }
    }
    points
}

/// What all points of a metric have in common.
struct Named<'a> {
    metric: Arc<str>,
    unit: Arc<str>,
    owner: &'a Owner,
    writer: crate::point::Writer,
}

/// What a wire's point says beside its value.
struct Stamp {
    attributes: Vec<KeyValue>,
    at_ns: u64,
    start_ns: u64,
    flags: u32,
}

/// What a value is: a counter's increase, a histogram's sums.
type Value = (Kind, Span, Sums);

impl Named<'_> {
    fn points(&self, data: Data) -> Vec<Result<Option<Point>, String>> {
        match data {
            Data::Gauge(gauge) => self.each(gauge.data_points, number::stamp, number::of_gauge),
            Data::Sum(sum) => {
                let (span, grows) = (span_of(sum.aggregation_temporality), sum.is_monotonic);
                self.each(sum.data_points, number::stamp, |point| number::of_sum(point, span.clone()?, grows))
            }
            Data::Histogram(histogram) => {
                let span = span_of(histogram.aggregation_temporality);
                self.each(histogram.data_points, histogram::stamp, |point| histogram::value(point, span.clone()?))
            }
            Data::ExponentialHistogram(histogram) => {
                let span = span_of(histogram.aggregation_temporality);
                self.each(histogram.data_points, exponential::stamp, |point| exponential::value(point, span.clone()?))
            }
            Data::Summary(summary) => self.each(summary.data_points, summary::stamp, |point| Ok(summary::value(point))),
        }
    }

    fn each<P>(
        &self,
        points: Vec<P>,
        stamp: fn(&mut P) -> Stamp,
        value: impl Fn(&P) -> Result<Value, String>,
    ) -> Vec<Result<Option<Point>, String>> {
        points.into_iter().map(|mut point| self.point(stamp(&mut point), value(&point))).collect()
    }

    fn point(&self, stamp: Stamp, value: Result<Value, String>) -> Result<Option<Point>, String> {
        let Stamp { attributes, at_ns, start_ns, flags } = stamp;
        if flags & DataPointFlags::NoRecordedValueMask as u32 != 0 {
            return Ok(None);
        }
        let (kind, span, sums) = value.map_err(|why| format!("a value of {} cannot be taken: {why}", quoted(&self.metric)))?;
        let attributes = attributes.into_iter().map(text::of_pair).collect();
        let identity = Identity::new(&self.metric, &self.owner.release, attributes, Share::Own)?;
        let point = Point { identity, unit: Arc::clone(&self.unit), writer: self.writer, kind, span, at_ns, start_ns, sums };
        point.check()?;
        Ok(Some(point))
    }
}

/// Returns how values relate to those before, or that this is not said.
fn span_of(temporality: i32) -> Result<Span, String> {
    match AggregationTemporality::try_from(temporality) {
        Ok(AggregationTemporality::Delta) => Ok(Span::Own),
        Ok(AggregationTemporality::Cumulative) => Ok(Span::SinceStart),
        Ok(AggregationTemporality::Unspecified) | Err(_) => {
            Err(format!("its temporality is {temporality}: it must be 1 (delta) or 2 (cumulative)"))
        }
    }
}

fn count(resource: &ResourceMetrics) -> u64 {
    let points = |metric: &Metric| match &metric.data {
        None => 0,
        Some(Data::Gauge(gauge)) => gauge.data_points.len(),
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        Some(Data::Summary(summary)) => summary.data_points.len(),
    };
    resource.scope_metrics.iter().flat_map(|scope| &scope.metrics).map(points).sum::<usize>() as u64
}
