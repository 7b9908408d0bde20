//! Histograms with explicit bounds.

use opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint;

use super::{Stamp, Value};
use crate::buckets::Buckets;
use crate::point::{Kind, Span};
use crate::sums::Sums;

pub(super) fn stamp(point: &mut HistogramDataPoint) -> Stamp {
    let HistogramDataPoint { attributes, start_time_unix_nano, time_unix_nano, flags, .. } = point;
    let (at_ns, start_ns) = (*time_unix_nano, *start_time_unix_nano);
    Stamp { attributes: std::mem::take(attributes), at_ns, start_ns, flags: *flags }
}

pub(super) fn value(point: &HistogramDataPoint, span: Span) -> Result<Value, String> {
    let HistogramDataPoint { count, sum, bucket_counts, explicit_bounds, min, max, .. } = point;
    let buckets = match (bucket_counts.is_empty(), explicit_bounds.is_empty()) {
        // It may come without buckets.
        (true, true) => Buckets::unbounded(*count),
        (_, _) => Buckets::new(explicit_bounds, bucket_counts)?,
    };
    Ok((Kind::Distribution, span, sums(*count, *sum, (*min, *max), buckets)))
}

/// Returns what is kept of a histogram. Without values it has neither a smallest nor a largest, whatever was sent.
pub(super) fn sums(count: u64, sum: Option<f64>, extremes: (Option<f64>, Option<f64>), buckets: Buckets) -> Sums {
    let buckets = Some(buckets);
    match count {
        0 => Sums { buckets, ..Sums::default() },
        _ => Sums { count, sum: sum.unwrap_or(f64::NAN), min: extremes.0, max: extremes.1, buckets },
    }
}
