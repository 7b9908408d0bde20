//! The power granted and taken away.

use crate::call::testing;
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::measure::Host;
use crate::{Grants, Limits};

#[tokio::test]
async fn finite_numbers_are_kept() {
    let mut state = testing::state(Grants::default(), Limits::default());
    for value in [1.5, f64::NAN, f64::INFINITY] {
        state.record_value("probes".to_owned(), value, "1".to_owned()).await.expect("granted");
    }
    let kept: Vec<_> = state.transcript.take_measurements().into_iter().map(|kept| kept.value).collect();
    assert_eq!(kept, [1.5]);
}

#[tokio::test]
async fn without_the_grant_a_number_fails_the_call() {
    let mut state = testing::state(Grants { measure: false, ..Grants::default() }, Limits::default());
    state.record_value("probes".to_owned(), 1.0, "1".to_owned()).await.expect("the guest may go on");
    assert!(matches!(state.transcript.stopped(), Some(CallErrorKind::Refused { power: "measure", .. })));
}
