//! The local runtime, in the scope of the call: the host adds service and environment, fence and key.

pub use crate::bindings::powers::towpath::plugin::runtime::Error;

/// Gives the runtime an absolute desired state (a JSON object) and returns its status (JSON).
#[cfg(target_arch = "wasm32")]
pub fn apply(desired: &str) -> Result<String, Error> {
    crate::bindings::powers::towpath::plugin::runtime::apply(desired)
}

/// Gives the runtime an absolute desired state (a JSON object) and returns its status (JSON).
#[cfg(not(target_arch = "wasm32"))]
pub fn apply(desired: &str) -> Result<String, Error> {
    crate::testing::with(|world| world.runtime_apply(desired))
}

/// Returns the runtime's status of the scope (JSON); `None` when it knows nothing of it.
#[cfg(target_arch = "wasm32")]
pub fn status() -> Result<Option<String>, Error> {
    crate::bindings::powers::towpath::plugin::runtime::status()
}

/// Returns the runtime's status of the scope (JSON); `None` when it knows nothing of it.
#[cfg(not(target_arch = "wasm32"))]
pub fn status() -> Result<Option<String>, Error> {
    crate::testing::with(|world| world.runtime_status())
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Superseded(highest) => format!("the runtime has seen fence {highest}"),
            Self::Invalid(why) => format!("the runtime refuses the state: {why}"),
            Self::Unreachable(why) => format!("the runtime cannot be reached: {why}"),
        }
    }
}
