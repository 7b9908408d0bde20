//! What the guest may call.

use super::grant;
use crate::call::CallState;
use crate::clock;
use crate::v0_3::bindings::powers::towpath::plugin::clock::Host;

impl Host for CallState {
    async fn now_ms(&mut self) -> wasmtime::Result<i64> {
        self.enter()?;
        Ok(if grant::check(self) { clock::now_ms() } else { 0 })
    }

    async fn pause_ms(&mut self, duration: u32) -> wasmtime::Result<()> {
        self.enter()?;
        if grant::check(self) {
            tokio::time::sleep(self.time_left(duration)).await;
        }
        Ok(())
    }
}
