//! What the guest may call.

use std::time::Duration;

use super::grant;
use crate::call::CallState;
use crate::v0_3::bindings::powers::towpath::plugin::measure::Host;

/// How much of a number's name is in traces, in characters.
const NAMED_CHARS_MAX: usize = 100;

impl Host for CallState {
    async fn record_value(&mut self, name: String, value: f64, unit: String) -> wasmtime::Result<()> {
        self.enter()?;
        let granted = grant::check(self);
        let what = name.chars().take(NAMED_CHARS_MAX).collect();
        self.used_quietly("measure", what, granted, Duration::ZERO);
        if granted {
            self.transcript.measure(&name, value, &unit);
        }
        Ok(())
    }
}
