//! What the guest may call.

use std::time::Duration;

use super::grant;
use crate::call::CallState;
use crate::types::LogLevel;
use crate::v0_3::bindings::powers::towpath::plugin::log::{Host, Level};

impl Host for CallState {
    async fn line(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.enter()?;
        let granted = grant::check(self);
        let (level, named) = match level {
            Level::Debug => (LogLevel::Debug, "debug"),
            Level::Info => (LogLevel::Info, "info"),
            Level::Warn => (LogLevel::Warn, "warn"),
        };
        // The line itself is in the log.
        self.used_quietly("log", format!("a line at {named}"), granted, Duration::ZERO);
        if granted {
            self.transcript.log(level, &message);
        }
        Ok(())
    }
}
