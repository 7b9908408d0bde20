//! What 0.1 and 0.2 say alike and 0.3 says with more: measurements, and what a health check judges.
//!
//! Written once and compiled into the module of either version, over that version's bindings.

use super::bindings::{health_words, types};
use super::lift;
use crate::call::Failure;
use crate::{Measurement, Subject};

pub(super) fn measurement(measurement: types::Measurement) -> Result<Measurement, Failure> {
    let types::Measurement { name, value, unit, side, limit } = measurement;
    let measured =
        Measurement { name, value, unit, side: side.map(lift::side), limit, samples: None, interval: None, test: None };
    measured.checked().map_err(Failure::Malformed)
}

pub(super) fn subject(subject: &Subject) -> health_words::Subject {
    health_words::Subject {
        release: subject.release.clone(),
        endpoint: subject.endpoint.clone(),
        ready: subject.ready,
        wanted: subject.wanted,
        basis_points: subject.basis_points,
    }
}
