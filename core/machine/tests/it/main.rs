//! The machine's tests: tables per command and situation, then random walks that check every invariant after every event.

mod approvals;
mod invariants;
mod legality;
mod pauses;
mod plans;
mod policies;
mod reports;
mod support;
mod time;
mod walks;
mod watches;
mod way_back;
