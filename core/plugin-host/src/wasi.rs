//! WASI with nothing granted: no files, no sockets, no environment; what is written to standard output becomes log lines.
//!
//! Components of our SDK import none of it; those of other languages do not start without it.

use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::call::CallState;

/// Random bytes in one request. An interpreter asks for a few to seed itself; the host would have to hold what is asked for.
const RANDOM_BYTES_MAX: u64 = 64 << 10;

/// Returns a world with nothing in it.
pub(crate) fn nothing(state: &CallState) -> WasiCtx {
    let output = state.transcript.output();
    let mut world = WasiCtx::builder();
    world.stdout(output.clone()).stderr(output).max_random_size(RANDOM_BYTES_MAX);
    world.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false).build()
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Built at the first use: most calls never make one.
        if self.wasi.is_none() {
            self.wasi = Some(nothing(self));
        }
        let ctx = self.wasi.as_mut().expect("BUG: set just above");
        WasiCtxView { ctx, table: &mut self.table }
    }
}
