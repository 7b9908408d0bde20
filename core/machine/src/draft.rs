//! A decision in the making: the events so far and the state that they lead to.

use alloc::string::String;
use alloc::vec::Vec;

use model::{Confirmed, Event, Fence, Operation, OperationKey, OperationKind, OperationResult, State, Timestamp};

use crate::apply;

/// Events decided so far. Each is applied at once, so that what follows is decided on the state it will meet.
pub(crate) struct Draft {
    /// The state after the events.
    pub(crate) state: State,
    /// The time of the decision.
    pub(crate) now: Timestamp,
    events: Vec<Event>,
}

impl Draft {
    pub(crate) fn new(state: &State, now: Timestamp) -> Self {
        Self { state: state.clone(), now, events: Vec::new() }
    }

    pub(crate) fn into_events(self) -> Vec<Event> {
        self.events
    }

    pub(crate) fn push(&mut self, event: Event) {
        apply::apply_to(&mut self.state, &event);
        self.events.push(event);
    }

    /// Intends an operation: takes its key, and its fence where it changes the world.
    pub(crate) fn intend(&mut self, name: &str, kind: OperationKind, asks_for: Option<Confirmed>) {
        self.intend_not_before(self.now, name, kind, asks_for);
    }

    /// Intends an operation that is not to be performed before an instant.
    pub(crate) fn intend_not_before(
        &mut self,
        not_before: Timestamp,
        name: &str,
        kind: OperationKind,
        asks_for: Option<Confirmed>,
    ) {
        let fence: Option<Fence> = kind.changes_the_world().then(|| self.state.fence.next());
        let operation = Operation {
            key: OperationKey::of(&self.state.id, name, self.state.generation + 1),
            fence,
            kind,
            attempt: 1,
            failures: 0,
            outcome_unknown: false,
            not_before,
            intended_at: self.now,
            plugin_state: None,
            message: String::new(),
        };
        self.push(Event::OperationIntended { operation, asks_for });
    }

    pub(crate) fn complete(&mut self, key: &OperationKey, attempt: u32, result: OperationResult) {
        let at = self.now;
        self.push(Event::OperationCompleted { key: key.clone(), attempt, result, at });
    }

    pub(crate) fn abandon_all(&mut self, reason: &str) {
        let keys: Vec<OperationKey> = self.state.operations.iter().map(|o| o.key.clone()).collect();
        for key in keys {
            self.push(Event::OperationAbandoned { key, reason: String::from(reason) });
        }
    }

    /// Has every open operation performed again, by somebody who first looks at what the earlier attempt did.
    pub(crate) fn reopen_all(&mut self, message: &str) {
        for operation in self.state.operations.clone() {
            let outcome_unknown = operation.outcome_unknown || operation.kind.changes_the_world();
            self.push(Event::OperationRetried {
                key: operation.key,
                attempt: operation.attempt,
                message: String::from(message),
                not_before: self.now,
                outcome_unknown,
                counts: false,
            });
        }
    }
}
