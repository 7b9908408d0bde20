//! What a plugin says when it crashes: the panic's message becomes a line of log, since the trap itself carries none.

/// Has panics reported. Every exported function begins with it; the instance is fresh, so it runs once.
#[cfg(target_arch = "wasm32")]
pub(crate) fn report() {
    std::panic::set_hook(Box::new(|info| crate::powers::log::warn(&info.to_string())));
}

/// On the host the test harness reports panics.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn report() {}
