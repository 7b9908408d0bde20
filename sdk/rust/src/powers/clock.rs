//! The time.

/// Returns the time, in Unix milliseconds.
#[cfg(target_arch = "wasm32")]
pub fn now_ms() -> i64 {
    crate::bindings::powers::towpath::plugin::clock::now_ms()
}

/// Returns the time, in Unix milliseconds.
#[cfg(not(target_arch = "wasm32"))]
pub fn now_ms() -> i64 {
    crate::testing::with(|world| world.now_ms())
}

/// Waits, but never past the call's deadline.
#[cfg(target_arch = "wasm32")]
pub fn pause_ms(duration: u32) {
    crate::bindings::powers::towpath::plugin::clock::pause_ms(duration);
}

/// Waits, but never past the call's deadline.
#[cfg(not(target_arch = "wasm32"))]
pub fn pause_ms(duration: u32) {
    crate::testing::with(|world| world.pause_ms(duration));
}
