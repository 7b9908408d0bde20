//! What a request would take in memory once it is read, before it is read: two bytes of an empty point become two hundred.
//!
//! Walks the parts of the message without making any of them, so a bomb costs as little as its bytes.

#[cfg(test)]
mod tests;

use std::mem::size_of;

use opentelemetry_proto::tonic::{common, metrics, resource};

use crate::limits::{REQUEST_DEPTH_MAX, REQUEST_PARTS_BYTES_MAX};

/// Why a request is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unusable {
    /// It is not a message.
    #[error("{0}")]
    Malformed(String),
    /// It is too much.
    #[error("{0}")]
    TooLarge(String),
    /// It can be sent again.
    #[error("{0}")]
    NotNow(String),
}

/// A part of a request that has parts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Request,
    ResourceMetrics,
    Resource,
    EntityRef,
    Name,
    ScopeMetrics,
    InstrumentationScope,
    Metric,
    Numbers,
    Number,
    Histograms,
    Histogram,
    Exponentials,
    Exponential,
    ExponentialBuckets,
    Summaries,
    Summary,
    Quantile,
    Exemplar,
    KeyValue,
    AnyValue,
    Values,
    KeyValues,
}

impl Part {
    /// Returns the part that a field of this one is, if it has parts or is one of many.
    fn of_field(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Request, 1) => Self::ResourceMetrics,
            (Self::ResourceMetrics, 1) => Self::Resource,
            (Self::ResourceMetrics, 2) => Self::ScopeMetrics,
            (Self::Resource, 3) => Self::EntityRef,
            (Self::EntityRef, 3 | 4) => Self::Name,
            (Self::ScopeMetrics, 1) => Self::InstrumentationScope,
            (Self::ScopeMetrics, 2) => Self::Metric,
            (Self::Metric, 5 | 7) => Self::Numbers,
            (Self::Metric, 9) => Self::Histograms,
            (Self::Metric, 10) => Self::Exponentials,
            (Self::Metric, 11) => Self::Summaries,
            (Self::Numbers, 1) => Self::Number,
            (Self::Histograms, 1) => Self::Histogram,
            (Self::Exponentials, 1) => Self::Exponential,
            (Self::Exponential, 8 | 9) => Self::ExponentialBuckets,
            (Self::Summaries, 1) => Self::Summary,
            (Self::Summary, 6) => Self::Quantile,
            (Self::Number, 5) | (Self::Histogram, 8) | (Self::Exponential, 11) => Self::Exemplar,
            (Self::Resource | Self::KeyValues | Self::Exponential, 1) => Self::KeyValue,
            (Self::InstrumentationScope, 3) | (Self::Metric, 12) => Self::KeyValue,
            (Self::Number | Self::Summary | Self::Exemplar, 7) | (Self::Histogram, 9) => Self::KeyValue,
            (Self::KeyValue, 2) | (Self::Values, 1) => Self::AnyValue,
            (Self::AnyValue, 5) => Self::Values,
            (Self::AnyValue, 6) => Self::KeyValues,
            (_, _) => return None,
        })
    }

    /// Returns what the part takes without its own parts.
    fn bytes(self) -> usize {
        match self {
            Self::Request => 0,
            Self::ResourceMetrics => size_of::<metrics::v1::ResourceMetrics>(),
            Self::Resource => size_of::<resource::v1::Resource>(),
            Self::EntityRef => size_of::<common::v1::EntityRef>(),
            Self::Name => size_of::<String>(),
            Self::ScopeMetrics => size_of::<metrics::v1::ScopeMetrics>(),
            Self::InstrumentationScope => size_of::<common::v1::InstrumentationScope>(),
            Self::Metric => size_of::<metrics::v1::Metric>(),
            Self::Numbers | Self::Histograms | Self::Exponentials | Self::Summaries => size_of::<metrics::v1::Sum>(),
            Self::Number => size_of::<metrics::v1::NumberDataPoint>(),
            Self::Histogram => size_of::<metrics::v1::HistogramDataPoint>(),
            Self::Exponential => size_of::<metrics::v1::ExponentialHistogramDataPoint>(),
            Self::ExponentialBuckets => size_of::<metrics::v1::exponential_histogram_data_point::Buckets>(),
            Self::Summary => size_of::<metrics::v1::SummaryDataPoint>(),
            Self::Quantile => size_of::<metrics::v1::summary_data_point::ValueAtQuantile>(),
            Self::Exemplar => size_of::<metrics::v1::Exemplar>(),
            Self::KeyValue => size_of::<common::v1::KeyValue>(),
            Self::AnyValue => size_of::<common::v1::AnyValue>(),
            Self::Values | Self::KeyValues => size_of::<Vec<()>>(),
        }
    }
}

/// Returns why a request in protobuf is not read, if so.
pub(crate) fn check(message: &[u8]) -> Result<(), Unusable> {
    walk(message, Part::Request, 0, &mut 0)
}

/// What one object of a request in JSON takes at a guess: most are attributes.
const OBJECT_BYTES: usize = 128;

/// Returns why a request in JSON is not read, if so. Every part is an object, and begins with a brace.
pub(crate) fn check_json(text: &[u8]) -> Result<(), Unusable> {
    let objects = text.iter().filter(|byte| **byte == b'{').count();
    take(objects.saturating_mul(OBJECT_BYTES), &mut 0)
}

fn take(bytes: usize, taken: &mut usize) -> Result<(), Unusable> {
    *taken = taken.saturating_add(bytes);
    match *taken > REQUEST_PARTS_BYTES_MAX {
        true => Err(Unusable::TooLarge(format!("its parts take more than {REQUEST_PARTS_BYTES_MAX} bytes: send it in pieces"))),
        false => Ok(()),
    }
}

fn walk(mut message: &[u8], part: Part, depth: usize, taken: &mut usize) -> Result<(), Unusable> {
    if depth > REQUEST_DEPTH_MAX {
        return Err(Unusable::TooLarge(format!("its values lie more than {REQUEST_DEPTH_MAX} deep in each other")));
    }
    take(part.bytes(), taken)?;
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        match tag & 7 {
            0 => {
                varint(&mut message)?;
                take(size_of::<u64>(), taken)?;
            }
            1 => {
                bytes(&mut message, 8)?;
                take(size_of::<u64>(), taken)?;
            }
            5 => {
                bytes(&mut message, 4)?;
                take(size_of::<u64>(), taken)?;
            }
            2 => {
                let length = varint(&mut message)?;
                let field = bytes(&mut message, length)?;
                match part.of_field(tag >> 3) {
                    Some(inner) => walk(field, inner, depth + 1, taken)?,
                    // A list of small numbers, one byte each, becomes one of eight bytes each.
                    None if part == Part::ExponentialBuckets => take(field.len().saturating_mul(size_of::<u64>()), taken)?,
                    None => {}
                }
                if part.of_field(tag >> 3).is_none_or(|inner| inner == Part::Name) {
                    take(field.len(), taken)?;
                }
            }
            kind => return Err(Unusable::Malformed(format!("it is not a message: it has a field of kind {kind}"))),
        }
    }
    Ok(())
}

fn varint(message: &mut &[u8]) -> Result<u64, Unusable> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let Some((byte, rest)) = message.split_first() else { return Err(cut_off()) };
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Unusable::Malformed("it is not a message: a number in it does not end".to_owned()))
}

fn bytes<'a>(message: &mut &'a [u8], length: u64) -> Result<&'a [u8], Unusable> {
    let length = usize::try_from(length).ok().filter(|length| *length <= message.len()).ok_or_else(cut_off)?;
    let (field, rest) = message.split_at(length);
    *message = rest;
    Ok(field)
}

fn cut_off() -> Unusable {
    Unusable::Malformed("it is not a message: it ends in the middle of a field".to_owned())
}
