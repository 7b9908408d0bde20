//! Waits end with the call, and the power can be taken away.

use crate::call::testing;
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::clock::Host;
use crate::{Grants, Limits};

#[tokio::test(start_paused = true)]
async fn a_wait_does_not_pass_the_deadline() {
    let mut state = testing::state(Grants::default(), Limits::default());
    let begun = tokio::time::Instant::now();
    state.pause_ms(u32::MAX).await.expect("granted");
    assert_eq!(begun.elapsed(), testing::ALLOWED);
}

#[tokio::test]
async fn without_the_grant_the_time_fails_the_call() {
    let mut state = testing::state(Grants { clock: false, ..Grants::default() }, Limits::default());
    assert_eq!(state.now_ms().await.expect("the guest may go on"), 0);
    assert!(matches!(state.transcript.stopped(), Some(CallErrorKind::Refused { power: "clock", .. })));
}
