//! The power granted and taken away.

use super::guest::BYTES_MAX;
use crate::call::testing;
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::random::Host;
use crate::{Grants, Limits};

#[tokio::test]
async fn bytes_differ_and_are_bounded() {
    let mut state = testing::state(Grants::default(), Limits::default());
    let (one, other) = (state.bytes(32).await.expect("granted"), state.bytes(32).await.expect("granted"));
    assert_eq!((one.len(), other.len()), (32, 32));
    assert_ne!(one, other);
    assert_eq!(state.bytes(u32::MAX).await.expect("granted").len(), BYTES_MAX as usize);
}

#[tokio::test]
async fn without_the_grant_randomness_fails_the_call() {
    let mut state = testing::state(Grants { random: false, ..Grants::default() }, Limits::default());
    assert!(state.bytes(32).await.expect("the guest may go on").is_empty());
    assert!(matches!(state.transcript.stopped(), Some(CallErrorKind::Refused { power: "random", .. })));
}
