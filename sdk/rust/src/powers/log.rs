//! Lines for the operator. The host keeps a bounded number of them per call and counts the rest.

pub use crate::bindings::powers::towpath::plugin::log::Level;

/// Writes a line worth knowing.
pub fn info(message: &str) {
    line(Level::Info, message);
}

/// Writes a line worth a look.
pub fn warn(message: &str) {
    line(Level::Warn, message);
}

/// Writes a line for whoever debugs the plugin.
pub fn debug(message: &str) {
    line(Level::Debug, message);
}

fn line(level: Level, message: &str) {
    #[cfg(target_arch = "wasm32")]
    crate::bindings::powers::towpath::plugin::log::line(level, message);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::with(|world| world.log(&format!("{level:?}"), message));
}
