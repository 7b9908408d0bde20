//! What the operator may set: `{"measure": false}` takes it away.

use crate::call::CallState;
use crate::powers::line;

pub(super) fn check(state: &CallState) -> bool {
    let granted = state.grants.current().measure;
    if !granted {
        state.refuse("measure", "it recorded a number".to_owned(), line("measure"));
    }
    granted
}
