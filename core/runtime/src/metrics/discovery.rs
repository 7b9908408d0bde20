//! Which instances are ready, in the form of Prometheus' HTTP service discovery ("Writing HTTP Service Discovery").

use std::net::SocketAddr;

use model::Scope;
use serde::Serialize;

use crate::scope::{Reading, ReadyInstance};

/// A list of addresses with one set of labels. Each has one address, because instances have numbers of their own.
#[derive(Debug, Serialize)]
struct Targets<'a> {
    targets: [SocketAddr; 1],
    labels: Labels<'a>,
}

/// What is known of an instance; it becomes a part of all its series.
#[derive(Debug, Serialize)]
struct Labels<'a> {
    service: &'a str,
    environment: &'a str,
    release: &'a str,
    side: &'static str,
    /// The number that log lines carry as well. It outlives a crash, which an address does not.
    instance: String,
}

/// Returns all ready instances. None is an empty list, never an error: then Prometheus would go on with the old ones.
pub(crate) fn write(readings: &[(Scope, Reading)]) -> String {
    let all = readings.iter().flat_map(|(scope, reading)| reading.instances.iter().map(move |found| targets(scope, found)));
    let all: Vec<Targets<'_>> = all.collect();
    serde_json::to_string(&all).expect("BUG: lists of plain texts are always JSON")
}

fn targets<'a>(scope: &'a Scope, found: &'a ReadyInstance) -> Targets<'a> {
    let labels = Labels {
        service: scope.service.as_str(),
        environment: scope.environment.as_str(),
        release: &found.release,
        side: found.side.word(),
        instance: found.number.to_string(),
    };
    Targets { targets: [found.address], labels }
}
