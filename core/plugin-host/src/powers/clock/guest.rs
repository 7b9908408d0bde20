//! What the guest may call.

use std::time::Duration;

use tokio::time::Instant;

use super::grant;
use crate::call::CallState;
use crate::clock;
use crate::v0_3::bindings::powers::towpath::plugin::clock::Host;

impl Host for CallState {
    async fn now_ms(&mut self) -> wasmtime::Result<i64> {
        self.enter()?;
        let granted = grant::check(self);
        self.used_quietly("clock", "the time".to_owned(), granted, Duration::ZERO);
        Ok(if granted { clock::now_ms() } else { 0 })
    }

    async fn pause_ms(&mut self, duration: u32) -> wasmtime::Result<()> {
        self.enter()?;
        let (granted, begun) = (grant::check(self), Instant::now());
        if granted {
            tokio::time::sleep(self.time_left(duration)).await;
        }
        self.used_quietly("clock", format!("a wait of {duration} ms"), granted, begun.elapsed());
        Ok(())
    }
}
