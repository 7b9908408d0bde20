//! What the operator may set: `{"random": false}` takes it away.

use crate::call::CallState;
use crate::powers::line;

pub(super) fn check(state: &CallState) -> bool {
    let granted = state.grants.current().random;
    if !granted {
        state.refuse("random", "it asked for random bytes".to_owned(), line("random"));
    }
    granted
}
