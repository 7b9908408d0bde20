//! What is exposed: the families, their names and their labels.
//!
//! Names follow Prometheus' "Metric and label naming": one prefix, base units, `_total` for what only grows. The side of a counter is the one
//! that a request was sent to; the side of a gauge is the one that the release is on now.

use model::Scope;

use crate::metrics::exposition::{Exposition, Family, Kind, Label};
use crate::protocol::{BASIS_POINTS_ALL, GroupStatus, Latency, Side, SideCounters, StatusClasses};
use crate::scope::{Counted, Reading};

/// Where a number stands in what was read.
type Number<From> = fn(&From) -> u64;

/// Counters of a release on a side.
const COUNTERS: [(Family, Number<SideCounters>); 5] = [
    (Family("towpath_router_requests_total", "Requests that ended, mirrored ones included."), |c| c.requests),
    (
        Family("towpath_router_errors_total", "Requests that failed: 5xx, connect failures, time-outs, answers that broke off."),
        |c| c.errors,
    ),
    (Family("towpath_router_abandoned_total", "Requests whose caller went away before the answer began; no errors."), |c| {
        c.abandoned
    }),
    (Family("towpath_router_spilled_total", "Requests that were meant for this side and served by the other."), |c| c.spilled),
    (Family("towpath_router_mirrored_total", "Copies among the requests; nobody waited for these."), |c| c.mirrored),
];

/// Answers by class of status.
const RESPONSES: Family = Family("towpath_router_responses_total", "Answers of instances by class of status.");

/// The values of the label `class`.
const CLASSES: [(&str, Number<StatusClasses>); 5] = [
    ("1xx", |c| c.informational),
    ("2xx", |c| c.success),
    ("3xx", |c| c.redirection),
    ("4xx", |c| c.client_error),
    ("5xx", |c| c.server_error),
];

/// How long callers waited.
const DURATION: Family = Family("towpath_router_request_duration_seconds", "The time until the head of the answer.");

/// Requests that no side took.
const UNSERVED: Family = Family("towpath_router_unserved_total", "Requests answered with 503 because no side could take them.");

/// The share of the candidate.
const RATIO: Family =
    Family("towpath_router_candidate_ratio", "The candidate's share of the traffic, 0 to 1, as it was asked for.");

/// Numbers of instances.
const INSTANCES: [(Family, Number<GroupStatus>); 4] = [
    (Family("towpath_instances_wanted", "Instances that shall run."), |g| g.instances.into()),
    (Family("towpath_instances_ready", "Instances that take requests."), |g| g.ready.into()),
    (Family("towpath_instances_starting", "Instances that run and are not ready (yet, or any more)."), |g| g.starting.into()),
    (Family("towpath_instances_failed", "Instances that do not run: crashed, or refused."), |g| g.failed.into()),
];

/// Instances that are nobody's any more.
const RETIRING: Family = Family("towpath_instances_retiring", "Instances that are finishing before they stop.");

/// Restarts.
const RESTARTS: Family = Family("towpath_instance_restarts_total", "How often instances were started again after a crash.");

const MS_PER_SECOND: f64 = 1000.0;

/// Returns everything that was read in Prometheus' text format.
pub(crate) fn write(readings: &[(Scope, Reading)]) -> String {
    let mut out = Exposition::default();
    for (family, value) in COUNTERS {
        out.family(family, Kind::Counter);
        for (scope, counted) in counted(readings) {
            out.sample(family.0, &labels(scope, &counted.counters.release, counted.side), value(&counted.counters));
        }
    }
    out.family(RESPONSES, Kind::Counter);
    for (scope, counted) in counted(readings) {
        let labels = labels(scope, &counted.counters.release, counted.side);
        for (class, value) in CLASSES {
            out.sample(RESPONSES.0, &[&labels[..], &[("class", class)]].concat(), value(&counted.counters.classes));
        }
    }
    out.family(DURATION, Kind::Histogram);
    for (scope, counted) in counted(readings) {
        histogram(&mut out, &labels(scope, &counted.counters.release, counted.side), &counted.counters.latency);
    }
    services(&mut out, readings);
    instances(&mut out, readings);
    out.finish()
}

fn counted(readings: &[(Scope, Reading)]) -> impl Iterator<Item = (&Scope, &Counted)> {
    readings.iter().flat_map(|(scope, reading)| reading.counted.iter().map(move |counted| (scope, counted)))
}

fn histogram(out: &mut Exposition, labels: &[Label<'_>], latency: &Latency) {
    let name = DURATION.0;
    let bucket = format!("{name}_bucket");
    for found in &latency.buckets {
        let bound = (found.le_ms as f64 / MS_PER_SECOND).to_string();
        out.sample(&bucket, &[labels, &[("le", &bound)]].concat(), found.count);
    }
    out.sample(&bucket, &[labels, &[("le", "+Inf")]].concat(), latency.count);
    out.sample(&format!("{name}_sum"), labels, latency.sum_ms / MS_PER_SECOND);
    out.sample(&format!("{name}_count"), labels, latency.count);
}

fn services(out: &mut Exposition, readings: &[(Scope, Reading)]) {
    out.family(UNSERVED, Kind::Counter);
    for (scope, reading) in readings {
        out.sample(UNSERVED.0, &service(scope), reading.status.counters.unserved);
    }
    out.family(RATIO, Kind::Gauge);
    for (scope, reading) in readings {
        if let Some(traffic) = &reading.status.traffic {
            out.sample(RATIO.0, &service(scope), f64::from(traffic.candidate_basis_points) / f64::from(BASIS_POINTS_ALL));
        }
    }
}

fn instances(out: &mut Exposition, readings: &[(Scope, Reading)]) {
    let groups = || readings.iter().flat_map(|(scope, reading)| reading.status.groups.iter().map(move |group| (scope, group)));
    for (family, value) in INSTANCES {
        out.family(family, Kind::Gauge);
        for (scope, group) in groups() {
            out.sample(family.0, &labels(scope, &group.release, group.side), value(group));
        }
    }
    out.family(RESTARTS, Kind::Counter);
    for (scope, group) in groups() {
        out.sample(RESTARTS.0, &labels(scope, &group.release, group.side), group.restarts);
    }
    out.family(RETIRING, Kind::Gauge);
    for (scope, reading) in readings {
        let leaving: u32 = reading.status.retiring.iter().map(|group| u32::from(group.instances)).sum();
        out.sample(RETIRING.0, &service(scope), leaving);
    }
}

fn service(scope: &Scope) -> [Label<'_>; 2] {
    [("service", scope.service.as_str()), ("environment", scope.environment.as_str())]
}

fn labels<'a>(scope: &'a Scope, release: &'a str, side: Side) -> [Label<'a>; 4] {
    let [service, environment] = service(scope);
    [service, environment, ("release", release), ("side", side.word())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{LatencyBucket, SidesCounters, Status};

    fn counters() -> SideCounters {
        let classes = StatusClasses { success: 5, server_error: 1, ..StatusClasses::default() };
        let buckets = vec![LatencyBucket { le_ms: 1, count: 2 }, LatencyBucket { le_ms: 30_000, count: 6 }];
        SideCounters {
            release: "v2".to_owned(),
            since_unix_ms: 0,
            requests: 7,
            errors: 1,
            abandoned: 1,
            classes,
            spilled: 3,
            mirrored: 0,
            latency: Latency { buckets, count: 7, sum_ms: 1500.0 },
        }
    }

    fn reading() -> Reading {
        let group = GroupStatus {
            side: Side::Stable,
            release: "v2".to_owned(),
            artifact_digest: String::new(),
            instances: 2,
            ready: 1,
            starting: 0,
            failed: 1,
            restarts: 4,
            last_error: None,
            endpoints: Vec::new(),
        };
        let status = Status {
            fence: 1,
            operation_key: "k".to_owned(),
            groups: vec![group],
            retiring: Vec::new(),
            traffic: None,
            public_endpoint: None,
            converged: false,
            message: String::new(),
            counters: SidesCounters { stable: None, candidate: None, unserved: 9 },
        };
        Reading { status, counted: vec![Counted { side: Side::Candidate, counters: counters() }], instances: Vec::new() }
    }

    #[test]
    fn every_number_has_its_line() {
        let name = |text: &str| model::ServiceName::new(text).unwrap();
        let scope = Scope { service: name("web"), environment: model::EnvironmentName::new("prod").unwrap() };
        let text = write(&[(scope, reading())]);
        let labels = |side: &str| format!("service=\"web\",environment=\"prod\",release=\"v2\",side=\"{side}\"");
        let (candidate, stable) = (labels("candidate"), labels("stable"));
        for line in [
            format!("towpath_router_requests_total{{{candidate}}} 7"),
            format!("towpath_router_errors_total{{{candidate}}} 1"),
            format!("towpath_router_spilled_total{{{candidate}}} 3"),
            format!("towpath_router_responses_total{{{candidate},class=\"2xx\"}} 5"),
            format!("towpath_router_request_duration_seconds_bucket{{{candidate},le=\"0.001\"}} 2"),
            format!("towpath_router_request_duration_seconds_bucket{{{candidate},le=\"30\"}} 6"),
            format!("towpath_router_request_duration_seconds_bucket{{{candidate},le=\"+Inf\"}} 7"),
            format!("towpath_router_request_duration_seconds_sum{{{candidate}}} 1.5"),
            format!("towpath_router_request_duration_seconds_count{{{candidate}}} 7"),
            format!("towpath_instances_failed{{{stable}}} 1"),
            format!("towpath_instance_restarts_total{{{stable}}} 4"),
            "towpath_router_unserved_total{service=\"web\",environment=\"prod\"} 9".to_owned(),
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        // Nobody is served, so there is no share.
        assert!(!text.contains("towpath_router_candidate_ratio{"), "{text}");
    }
}
