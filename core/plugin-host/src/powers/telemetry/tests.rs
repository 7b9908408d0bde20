//! The host's words win over the guest's, and a question has its limits.

use std::sync::Arc;

use super::{
    TelemetryAspect, TelemetryBackend, TelemetryExpectation, TelemetryFault, TelemetryQuery, TelemetryReading, TelemetryWindow,
};
use crate::call::{CallState, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::telemetry::{Aspect, Error, Filter, Host, Query};
use crate::{Grants, Limits, Options, RuntimeScope};

/// A server that measured more windows than anybody is given.
struct Measured;

#[async_trait::async_trait]
impl TelemetryBackend for Measured {
    async fn read(&self, scope: &RuntimeScope, query: TelemetryQuery) -> Result<TelemetryReading, TelemetryFault> {
        assert_eq!((scope.service.as_str(), scope.environment.as_str()), ("web", "test"));
        match query.metric.as_str() {
            "" => Err(TelemetryFault::Invalid("no metric".to_owned())),
            _ => Ok(TelemetryReading {
                windows: vec![TelemetryWindow::default(); 1_000],
                settled_ms: 7,
                series: 2,
                turned_away: 1,
            }),
        }
    }

    async fn usual(
        &self,
        _: &RuntimeScope,
        metric: &str,
        aspect: TelemetryAspect,
        at_ms: i64,
    ) -> Result<Option<TelemetryExpectation>, TelemetryFault> {
        assert_eq!((metric, aspect), ("time", TelemetryAspect::Errors));
        Ok((at_ms > 0).then_some(TelemetryExpectation { minutes: 60, mean: 0.5, deviation: 0.1, drift: None }))
    }
}

fn state(telemetry: Option<Arc<dyn TelemetryBackend>>) -> CallState {
    let grants = Grants { telemetry: true, ..Grants::default() };
    testing::state_on(grants, Options { telemetry, ..Options::default() })
}

fn query(metric: &str) -> Query {
    Query { metric: metric.to_owned(), release: None, filters: Vec::new(), from_ms: 0, to_ms: 10 }
}

#[tokio::test]
async fn what_was_measured_is_given_within_limits() {
    let mut state = state(Some(Arc::new(Measured)));
    let reading = state.read(query("time")).await.expect("no trap").expect("granted");
    assert_eq!((reading.windows.len(), reading.settled_ms, reading.series, reading.turned_away), (400, 7, 2, 1));
    let refused = |found: Result<_, Error>| match found {
        Err(Error::Invalid(why)) => why,
        other => panic!("expected a sentence, found {other:?}"),
    };
    assert_eq!(refused(state.read(query("")).await.expect("no trap")), "no metric");
    let backwards = Query { from_ms: 11, ..query("time") };
    assert_eq!(refused(state.read(backwards).await.expect("no trap")), "from 11 is behind to 10");
    let filter = |values: usize| Filter { attribute: "code".to_owned(), values: vec![String::new(); values], among: true };
    let many = Query { filters: vec![filter(1); 17], ..query("time") };
    assert_eq!(refused(state.read(many).await.expect("no trap")), "17 filters, at most 16");
    let long = Query { filters: vec![filter(101)], ..query("time") };
    assert_eq!(refused(state.read(long).await.expect("no trap")), "101 values of code, at most 100");
}

#[tokio::test]
async fn what_is_usual_may_not_be_known() {
    let mut state = state(Some(Arc::new(Measured)));
    let known = state.usual("time".to_owned(), Aspect::Errors, 1).await.expect("no trap").expect("granted");
    assert_eq!(known.map(|usual| (usual.minutes, usual.drift)), Some((60, None)));
    let unknown = state.usual("time".to_owned(), Aspect::Errors, 0).await.expect("no trap").expect("granted");
    assert!(unknown.is_none());
}

#[tokio::test]
async fn a_server_that_keeps_none_says_so() {
    let answer = state(None).read(query("time")).await.expect("no trap");
    assert!(matches!(&answer, Err(Error::Unavailable(why)) if why.contains("keeps none")), "{answer:?}");
}

#[tokio::test]
async fn without_the_grant_a_question_fails_the_call() {
    let mut state = testing::state(Grants::default(), Limits::default());
    let answer = state.read(query("time")).await.expect("the guest may go on");
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    let Some(CallErrorKind::Refused { power: "telemetry", line, .. }) = state.transcript.stopped() else { panic!("not refused") };
    assert_eq!(line, r#"{"telemetry":true}"#);
}
