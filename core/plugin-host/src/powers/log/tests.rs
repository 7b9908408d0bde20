//! The power taken away.

use crate::call::testing;
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::log::{Host, Level};
use crate::{Grants, Limits};

#[tokio::test]
async fn without_the_grant_a_line_fails_the_call() {
    let mut state = testing::state(Grants { log: false, ..Grants::default() }, Limits::default());
    state.line(Level::Info, "hello".to_owned()).await.expect("the guest may go on");
    let stopped = state.transcript.stopped();
    assert!(matches!(stopped, Some(CallErrorKind::Refused { power: "log", .. })), "{stopped:?}");
    assert!(state.transcript.take_log().is_empty());
}

#[tokio::test]
async fn a_flood_of_host_calls_ends_the_guest() {
    let mut state = testing::state(Grants::default(), Limits { host_calls: 2, ..Limits::default() });
    for _ in 0..2 {
        state.line(Level::Info, "hello".to_owned()).await.expect("within the limit");
    }
    state.line(Level::Info, "hello".to_owned()).await.expect_err("beyond the limit");
}
