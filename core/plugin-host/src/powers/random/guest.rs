//! What the guest may call.

use std::time::Duration;

use super::grant;
use crate::call::CallState;
use crate::v0_3::bindings::powers::towpath::plugin::random::Host;

/// The most bytes that one call gives: a key has 32.
pub(super) const BYTES_MAX: u32 = 4_096;

impl Host for CallState {
    async fn bytes(&mut self, length: u32) -> wasmtime::Result<Vec<u8>> {
        self.enter()?;
        let granted = grant::check(self);
        let length = length.min(BYTES_MAX);
        self.used_quietly("random", format!("{length} bytes"), granted, Duration::ZERO);
        if !granted {
            return Ok(Vec::new());
        }
        let mut bytes = vec![0; length as usize];
        getrandom::fill(&mut bytes).map_err(|error| wasmtime::Error::msg(format!("this machine has no randomness: {error}")))?;
        Ok(bytes)
    }
}
