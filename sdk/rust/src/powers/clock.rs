//! The time. A plugin has no clock of its own: `std::time` panics in a component.

/// Returns the time, in Unix milliseconds.
pub fn now_ms() -> i64 {
    ask!(clock::now_ms => now_ms())
}

/// Waits, but never past the call's deadline.
pub fn pause_ms(duration: u32) {
    ask!(clock::pause_ms => pause_ms(duration));
}
