//! What the operator may set: `measure: false` takes it away.

use crate::call::CallState;
use crate::powers::line;

pub(super) fn check(state: &CallState) -> bool {
    if !state.grants.measure {
        state.refuse("measure", "it recorded a number".to_owned(), line("measure"));
    }
    state.grants.measure
}
