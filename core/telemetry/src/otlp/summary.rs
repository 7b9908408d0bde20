//! Summaries: what they have in common with others is how many values there were, and their sum. Their quantiles cannot be put together.

use opentelemetry_proto::tonic::metrics::v1::SummaryDataPoint;

use super::{Stamp, Value};
use crate::buckets::Buckets;
use crate::point::{Kind, Span};
use crate::sums::Sums;

pub(super) fn stamp(point: &mut SummaryDataPoint) -> Stamp {
    let SummaryDataPoint { attributes, start_time_unix_nano, time_unix_nano, flags, .. } = point;
    let (at_ns, start_ns) = (*time_unix_nano, *start_time_unix_nano);
    Stamp { attributes: std::mem::take(attributes), at_ns, start_ns, flags: *flags }
}

pub(super) fn value(point: &SummaryDataPoint) -> Value {
    let buckets = Some(Buckets::unbounded(point.count));
    (Kind::Distribution, Span::SinceStart, Sums { count: point.count, sum: point.sum, buckets, ..Sums::default() })
}
