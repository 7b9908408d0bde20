//! What one call may use at most.

use wasmtime::ResourceLimiter;

use crate::error::Limited;
use crate::transcript::Shared;

/// What one call may use at most, and how many calls run at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory, in bytes. Enough for an interpreter of another language; a Rust plugin uses 2 MiB.
    pub memory_bytes: usize,
    /// Elements of each table. JavaScript and Python engines have some ten thousand functions.
    pub table_elements: usize,
    /// Wasm stack, in bytes; wasmtime's default.
    pub stack_bytes: usize,
    /// Bytes that the guest hands over in one host call or in its answer.
    pub output_bytes: usize,
    /// Bytes of state that is kept for the plugin's next call; it is written to the journal every time.
    pub state_bytes: usize,
    /// Calls of host functions: a health check probes some ten times, a flood is thousands.
    pub host_calls: u32,
    /// Lines of log that are kept; the rest is counted.
    pub log_lines: usize,
    /// Bytes of one line of log; the rest is cut.
    pub log_line_bytes: usize,
    /// Measurements that are kept.
    pub measurements: usize,
    /// The longest deadline of a call, in milliseconds, whatever its context says.
    pub call_ms: u64,
    /// Bytes of the body of an HTTP answer.
    pub http_response_bytes: usize,
    /// Bytes of a component file: a Python plugin has 18 MB.
    pub component_bytes: usize,
    /// Functions in one component: Python brings some thirty thousand. What a component costs to compile grows with them.
    pub component_functions: u32,
    /// Bytes of one function: the largest of an interpreter has some hundred thousand. The compiler is slower than linear in it.
    pub component_function_bytes: usize,
    /// Modules and components inside one component, at every depth together.
    pub component_parts: u32,
    /// How deep components may be nested.
    pub component_depth: u32,
    /// Bytes of the manifest in a component: a schema of settings has a few thousand.
    pub manifest_bytes: usize,
    /// How long a component may take to compile, in milliseconds. Python's takes half a minute on a small machine.
    pub compile_ms: u64,
    /// Things that a guest holds at the host through WASI: streams, timers, sockets that it was refused.
    pub resources: usize,
    /// Calls that run at once; more wait, within their deadlines. Each reserves address space, not memory.
    pub calls_at_once: u32,
    /// Calls of one plugin that run at once; and never more than there are free places, so that plugins that hang leave room to others.
    pub calls_at_once_per_plugin: u32,
    /// Calls that wait for their turn, over all deployments; more are refused.
    pub calls_waiting: u32,
    /// Calls of one deployment that wait for their turn; more are refused.
    pub calls_waiting_per_deployment: u32,
    /// HTTP requests in flight over all calls.
    pub http_requests_at_once: u32,
    /// Programs and ssh connections at once over all calls.
    pub commands_at_once: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 128 << 20,
            table_elements: 50_000,
            stack_bytes: 512 << 10,
            output_bytes: 4 << 20,
            state_bytes: 64 << 10,
            host_calls: 1_000,
            log_lines: 200,
            log_line_bytes: 2_000,
            measurements: 100,
            call_ms: 5 * 60 * 1_000,
            http_response_bytes: 4 << 20,
            component_bytes: 64 << 20,
            component_functions: 200_000,
            component_function_bytes: 1 << 20,
            component_parts: 200,
            component_depth: 16,
            manifest_bytes: 256 << 10,
            compile_ms: 2 * 60 * 1_000,
            resources: 4_096,
            calls_at_once: 64,
            calls_at_once_per_plugin: 32,
            calls_waiting: 16_384,
            calls_waiting_per_deployment: 256,
            http_requests_at_once: 64,
            commands_at_once: 16,
        }
    }
}

/// Watches the growth of one store.
pub(crate) struct Limiter {
    pub(crate) memory_bytes: usize,
    pub(crate) table_elements: usize,
    /// Bytes of linear memory in all memories of the store together.
    pub(crate) memory_used: usize,
    pub(crate) transcript: Shared,
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.memory_used + desired.saturating_sub(current);
        if used > self.memory_bytes {
            return Err(self.transcript.limited(Limited::Memory, self.memory_bytes as u64));
        }
        self.memory_used = used;
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.table_elements {
            return Err(self.transcript.limited(Limited::Table, self.table_elements as u64));
        }
        Ok(true)
    }
}
