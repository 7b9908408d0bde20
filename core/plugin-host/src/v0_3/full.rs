//! What only this version says in full: measurements, and what a health check judges.

use super::bindings::{health_words, types};
use super::lift;
use crate::call::Failure;
use crate::{Measurement, Subject};

pub(super) fn measurement(measurement: types::Measurement) -> Result<Measurement, Failure> {
    let types::Measurement { name, value, unit, side, limit, samples, interval, test } = measurement;
    let interval = interval.map(|types::Interval { low, high }| (low, high));
    let measured = Measurement { name, value, unit, side: side.map(lift::side), limit, samples, interval, test };
    measured.checked().map_err(Failure::Malformed)
}

pub(super) fn subject(subject: &Subject) -> health_words::Subject {
    health_words::Subject {
        release: subject.release.clone(),
        label: subject.label.clone(),
        artifact_digest: subject.artifact_digest.clone(),
        endpoint: subject.endpoint.clone(),
        ready: subject.ready,
        wanted: subject.wanted,
        basis_points: subject.basis_points,
    }
}
