//! What the guest may call.

use super::grant;
use crate::call::CallState;
use crate::types::LogLevel;
use crate::v0_3::bindings::powers::towpath::plugin::log::{Host, Level};

impl Host for CallState {
    async fn line(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.enter()?;
        if grant::check(self) {
            let level = match level {
                Level::Debug => LogLevel::Debug,
                Level::Info => LogLevel::Info,
                Level::Warn => LogLevel::Warn,
            };
            self.transcript.log(level, &message);
        }
        Ok(())
    }
}
