//! What the operator may set: `{"clock": false}` takes it away.

use crate::call::CallState;
use crate::powers::line;

pub(super) fn check(state: &CallState) -> bool {
    let granted = state.grants.current().clock;
    if !granted {
        state.refuse("clock", "it asked for the time".to_owned(), line("clock"));
    }
    granted
}
