//! Exponential histograms, as explicit bounds.
//!
//! At scale s, bucket i of the positive values holds those above b^i and up to b^(i+1), where b = 2^(2^-s); negative values have buckets of
//! their own by their absolute value, and those around zero one more (OpenTelemetry, metrics data model, "ExponentialHistogram").
//!
//! Scales finer than [`SCALE_KEPT_MAX`], and such as take more than [`BUCKETS_PER_SIGN_MAX`] buckets, are made coarser: a step joins buckets 2k
//! and 2k+1, which is exact. The bounds of a coarser scale are among those of every finer one, so histograms of different scales can be
//! joined exactly at the coarser. A bound is computed from its exponent alone, which is the same number at every scale.
//!
//! A value that is exactly a bound of negative buckets is counted in the next bucket below: their buckets hold the bound that is
//! nearer to zero not, and buckets here hold their upper one.

use opentelemetry_proto::tonic::metrics::v1::ExponentialHistogramDataPoint;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as Sent;

use super::histogram::sums;
use super::{Stamp, Value};
use crate::buckets::Buckets;
use crate::limits::{BUCKETS_PER_SIGN_MAX, BUCKETS_SENT_MAX, SCALE_KEPT_MAX, SCALES};
use crate::point::{Kind, Span};

pub(super) fn stamp(point: &mut ExponentialHistogramDataPoint) -> Stamp {
    let ExponentialHistogramDataPoint { attributes, start_time_unix_nano, time_unix_nano, flags, .. } = point;
    let (at_ns, start_ns) = (*time_unix_nano, *start_time_unix_nano);
    Stamp { attributes: std::mem::take(attributes), at_ns, start_ns, flags: *flags }
}

pub(super) fn value(point: &ExponentialHistogramDataPoint, span: Span) -> Result<Value, String> {
    let ExponentialHistogramDataPoint { count, sum, min, max, .. } = point;
    Ok((Kind::Distribution, span, sums(*count, *sum, (*min, *max), buckets(point)?)))
}

/// Buckets of one sign: neighbours, the first of which has this index.
#[derive(Clone, Debug, PartialEq)]
struct Signed {
    first: i64,
    counts: Vec<u64>,
}

fn buckets(point: &ExponentialHistogramDataPoint) -> Result<Buckets, String> {
    let ExponentialHistogramDataPoint { scale, zero_count, positive, negative, zero_threshold, .. } = point;
    if !SCALES.contains(scale) {
        return Err(format!("its scale is {scale}, known are {} to {}", SCALES.start(), SCALES.end()));
    }
    if !(*zero_threshold >= 0.0 && zero_threshold.is_finite()) {
        return Err(format!("its zero threshold is {zero_threshold}"));
    }
    let (mut positive, mut negative) = (signed(positive.as_ref())?, signed(negative.as_ref())?);
    let mut scale = *scale;
    while scale > SCALE_KEPT_MAX || positive.counts.len().max(negative.counts.len()) > BUCKETS_PER_SIGN_MAX {
        (positive, negative) = (positive.coarser(), negative.coarser());
        scale -= 1;
    }
    let mut bounds = Vec::new();
    let mut counts = Vec::new();
    // From the most negative on: up to -b^(i+1) lies what belongs to the bucket before.
    for (index, count) in (negative.first..).zip(&negative.counts).collect::<Vec<_>>().into_iter().rev() {
        bounds.push(-power(scale, index + 1));
        counts.push(*count);
    }
    if !negative.counts.is_empty() {
        bounds.push(-power(scale, negative.first));
        counts.insert(0, 0);
    }
    counts.push(*zero_count);
    if !positive.counts.is_empty() {
        bounds.push(power(scale, positive.first));
    }
    for (index, count) in (positive.first..).zip(&positive.counts) {
        bounds.push(power(scale, index + 1));
        counts.push(*count);
    }
    if counts.len() == bounds.len() {
        counts.push(0);
    }
    joined(&bounds, &counts)
}

fn signed(sent: Option<&Sent>) -> Result<Signed, String> {
    let Some(Sent { offset, bucket_counts }) = sent else { return Ok(Signed { first: 0, counts: Vec::new() }) };
    let first = bucket_counts.iter().position(|count| *count > 0).unwrap_or(bucket_counts.len());
    let last = bucket_counts.iter().rposition(|count| *count > 0).map_or(first, |last| last + 1);
    let counts = bucket_counts[first..last].to_vec();
    if counts.len() > BUCKETS_SENT_MAX {
        return Err(format!("it has {} buckets of one sign, at most {BUCKETS_SENT_MAX} are taken", counts.len()));
    }
    Ok(Signed { first: i64::from(*offset) + first as i64, counts })
}

impl Signed {
    /// Returns the buckets at the next coarser scale.
    fn coarser(&self) -> Self {
        let first = self.first.div_euclid(2);
        let mut counts = Vec::new();
        for (index, count) in (self.first..).zip(&self.counts) {
            let at = usize::try_from(index.div_euclid(2) - first).expect("BUG: indices grow from the first on");
            counts.resize(counts.len().max(at + 1), 0_u64);
            counts[at] = counts[at].saturating_add(*count);
        }
        Self { first, counts }
    }
}

/// Returns the bound of an index: base^index. Infinite or 0 beyond all numbers.
fn power(scale: i32, index: i64) -> f64 {
    (index as f64 * f64::from(-scale).exp2()).exp2()
}

/// Returns buckets of which some bounds may be equal, because they are beyond all numbers: those are joined.
fn joined(bounds: &[f64], counts: &[u64]) -> Result<Buckets, String> {
    let (mut kept, mut sums) = (Vec::with_capacity(bounds.len()), Vec::with_capacity(counts.len()));
    let mut waiting = 0_u64;
    for (at, count) in counts.iter().enumerate() {
        waiting = waiting.saturating_add(*count);
        let bound = bounds.get(at).copied().unwrap_or(f64::INFINITY);
        let next = bounds.get(at + 1).copied().unwrap_or(f64::INFINITY);
        if bound.is_finite() && bound < next {
            kept.push(bound);
            sums.push(std::mem::take(&mut waiting));
        }
    }
    sums.push(waiting);
    Buckets::new(&kept, &sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(scale: i32, positive: (i32, &[u64]), zero_count: u64, negative: (i32, &[u64])) -> ExponentialHistogramDataPoint {
        let sent = |(offset, counts): (i32, &[u64])| Some(Sent { offset, bucket_counts: counts.to_vec() });
        let count = positive.1.iter().chain(negative.1).sum::<u64>() + zero_count;
        let (positive, negative) = (sent(positive), sent(negative));
        ExponentialHistogramDataPoint { scale, count, zero_count, positive, negative, ..Default::default() }
    }

    fn check(point: &ExponentialHistogramDataPoint, bounds: &[f64], counts: &[u64]) {
        let found = buckets(point).unwrap();
        assert_eq!((found.bounds(), found.counts()), (bounds, counts), "{point:?}");
        assert_eq!(found.total(), point.count);
    }

    #[test]
    fn positive_values_lie_between_powers_of_the_base() {
        // Values 1.5, 3, 3.5 and 9.
        check(&point(0, (0, &[1, 2, 0, 1]), 0, (0, &[])), &[1.0, 2.0, 4.0, 8.0, 16.0], &[0, 1, 2, 0, 1, 0]);
        check(&point(-1, (0, &[3, 1]), 0, (0, &[])), &[1.0, 4.0, 16.0], &[0, 3, 1, 0]);
        check(&point(0, (-2, &[1]), 0, (0, &[])), &[0.25, 0.5], &[0, 1, 0]);
    }

    #[test]
    fn both_signs_and_zeros_are_in_order() {
        // Values -3, -1.5, -1.5, four zeros and 1.5.
        check(&point(0, (0, &[1]), 4, (0, &[2, 1])), &[-4.0, -2.0, -1.0, 1.0, 2.0], &[0, 1, 2, 4, 1, 0]);
        check(&point(0, (0, &[]), 4, (0, &[2])), &[-2.0, -1.0], &[0, 2, 4]);
        check(&point(0, (0, &[]), 4, (0, &[])), &[], &[4]);
    }

    #[test]
    fn empty_buckets_at_the_ends_are_left_out() {
        check(&point(0, (-3, &[0, 0, 0, 1, 0, 0]), 0, (5, &[0, 0])), &[1.0, 2.0], &[0, 1, 0]);
    }

    #[test]
    fn a_fine_scale_is_made_coarser_exactly() {
        let counts: Vec<u64> = (0..160).map(|_| 1).collect();
        let found = buckets(&point(6, (-80, &counts), 0, (0, &[]))).unwrap();
        // 160 buckets at scale 6 are 40 at scale 4: from 2^(-80/64) to 2^(80/64).
        assert_eq!((found.counts().len(), found.total()), (42, 160));
        assert_eq!((found.bounds()[0], found.bounds()[40]), ((-1.25_f64).exp2(), 1.25_f64.exp2()));
        assert!(found.counts()[1..41].iter().all(|count| *count == 4), "{found:?}");
    }

    #[test]
    fn bounds_of_a_coarser_scale_are_among_those_of_a_finer_one() {
        for scale in -10..4 {
            for index in -40..40 {
                assert_eq!(power(scale, index).to_bits(), power(scale + 1, 2 * index).to_bits(), "{scale} {index}");
            }
        }
        let mut fine = buckets(&point(2, (0, &[1, 1, 1, 1, 1, 1, 1, 1]), 0, (0, &[]))).unwrap();
        fine.add(&buckets(&point(0, (0, &[10, 20]), 5, (0, &[]))).unwrap());
        assert_eq!((fine.bounds(), fine.counts()), (&[1.0, 2.0, 4.0][..], &[5, 14, 24, 0][..]));
    }

    #[test]
    fn what_is_beyond_all_numbers_is_joined() {
        check(&point(-10, (0, &[7]), 0, (0, &[])), &[1.0], &[0, 7]);
        check(&point(0, (1_022, &[1, 2, 4]), 0, (0, &[])), &[1_022.0_f64.exp2(), 1_023.0_f64.exp2()], &[0, 1, 6]);
        check(&point(0, (i32::MAX - 2, &[1, 2]), 3, (0, &[])), &[], &[6]);
        check(&point(0, (i32::MIN, &[1, 2]), 3, (0, &[])), &[0.0], &[6, 0]);
        check(&point(-10, (i32::MAX - 2, &[1]), 0, (i32::MIN, &[1])), &[0.0], &[1, 1]);
    }

    #[test]
    fn what_is_no_histogram_is_refused() {
        assert_eq!(buckets(&point(21, (0, &[1]), 0, (0, &[]))).unwrap_err(), "its scale is 21, known are -10 to 20");
        let many = vec![1; BUCKETS_SENT_MAX + 1];
        assert!(buckets(&point(0, (0, &many), 0, (0, &[]))).unwrap_err().contains("1001 buckets of one sign"));
        let threshold = ExponentialHistogramDataPoint { zero_threshold: f64::NAN, ..point(0, (0, &[1]), 0, (0, &[])) };
        assert_eq!(buckets(&threshold).unwrap_err(), "its zero threshold is NaN");
        assert!(buckets(&point(0, (0, &[]), u64::MAX, (0, &[]))).unwrap_err().contains("hold more than"));
    }
}
