//! What the operator may set: `log: false` takes it away.

use crate::call::CallState;
use crate::powers::line;

pub(super) fn check(state: &CallState) -> bool {
    if !state.grants.log {
        state.refuse("log", "it wrote a line".to_owned(), line("log"));
    }
    state.grants.log
}
