//! What the guest may call.

use super::grant;
use crate::call::CallState;
use crate::v0_3::bindings::powers::towpath::plugin::measure::Host;

impl Host for CallState {
    async fn record_value(&mut self, name: String, value: f64, unit: String) -> wasmtime::Result<()> {
        self.enter()?;
        if grant::check(self) {
            self.transcript.measure(&name, value, &unit);
        }
        Ok(())
    }
}
