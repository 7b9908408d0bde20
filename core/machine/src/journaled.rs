//! A state that is known to be durable. Only such a state owes effects.

use core::ops::Deref;

use model::{Committed, State};

/// A state whose every event is durable: an effect before its fact cannot be written down.
#[derive(Clone, Debug)]
pub struct Journaled(State);

impl Journaled {
    /// Returns the state as durable. The receipt, which only a store makes, must cover its last event.
    pub fn new(state: State, receipt: &impl Committed) -> Self {
        assert!(
            receipt.head() == state.version,
            "BUG: the state is at version {}, the receipt covers {}",
            state.version,
            receipt.head()
        );
        Self(state)
    }

    /// Returns the plain state.
    pub fn into_inner(self) -> State {
        self.0
    }
}

impl Deref for Journaled {
    type Target = State;

    fn deref(&self) -> &State {
        &self.0
    }
}
