//! Gauges and sums.

use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;

use super::{Stamp, Value};
use crate::point::{Kind, Span};
use crate::sums::Sums;

pub(super) fn stamp(point: &mut NumberDataPoint) -> Stamp {
    let NumberDataPoint { attributes, start_time_unix_nano, time_unix_nano, flags, .. } = point;
    let (at_ns, start_ns) = (*time_unix_nano, *start_time_unix_nano);
    Stamp { attributes: std::mem::take(attributes), at_ns, start_ns, flags: *flags }
}

pub(super) fn of_gauge(point: &NumberDataPoint) -> Result<Value, String> {
    Ok((Kind::Gauge, Span::Own, Sums::of_value(number(point)?)))
}

/// Returns a sum as what it measures. A total that may fall is a level like that of a gauge: what it fell by is no new beginning.
pub(super) fn of_sum(point: &NumberDataPoint, span: Span, grows: bool) -> Result<Value, String> {
    let number = number(point)?;
    match (span, grows) {
        (Span::SinceStart, false) => Ok((Kind::Gauge, Span::Own, Sums::of_value(number))),
        (Span::Own | Span::SinceStart, true) if number < 0.0 => Err(format!("it only grows, and is {number}")),
        (Span::Own | Span::SinceStart, _) => Ok((Kind::Counter, span, Sums::of_increase(number))),
    }
}

fn number(point: &NumberDataPoint) -> Result<f64, String> {
    match point.value {
        Some(Number::AsDouble(number)) => Ok(number),
        Some(Number::AsInt(number)) => Ok(number as f64),
        None => Err("it has no number".to_owned()),
    }
}
