//! What a plugin may do, as far as the operator granted it.
//!
//! On the host (in a plugin's own tests) the powers act on the fake world that [`crate::testing::in_world`] set up.

pub mod clock;
pub mod http;
pub mod log;
pub mod measure;
pub mod runtime;
