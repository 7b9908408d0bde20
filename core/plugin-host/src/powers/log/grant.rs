//! What the operator may set: `{"log": false}` takes it away.

use crate::call::CallState;
use crate::powers::line;

pub(super) fn check(state: &CallState) -> bool {
    let granted = state.grants.current().log;
    if !granted {
        state.refuse("log", "it wrote a line".to_owned(), line("log"));
    }
    granted
}
