//! What a plugin may do, as far as the operator granted it. One module per power; each says what it asks of the operator.
//!
//! A power that was not granted answers with an error `Refused`, whose text holds the line that would grant it. A power that the
//! plugin's manifest does not ask for is refused whatever was granted.
//!
//! Outside of WebAssembly (in a plugin's own tests) the powers act on the fake world that [`crate::testing::in_world`] set up.

/// Calls the host in a component, and the fake world everywhere else.
macro_rules! ask {
    ($interface:ident::$function:ident => $method:ident($($argument:expr),*)) => {{
        #[cfg(target_arch = "wasm32")]
        {
            crate::bindings::powers::towpath::plugin::$interface::$function($($argument),*)
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            crate::testing::with(|world| world.$method($($argument),*))
        }
    }};
}

pub mod artifact;
pub mod clock;
pub mod command;
pub mod http;
pub mod log;
pub mod measure;
pub mod random;
pub mod runtime;
pub mod secret;
pub mod ssh;
pub mod telemetry;
