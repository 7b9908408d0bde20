//! The sandbox: compile, cache, instantiate, limit, grant; the only room that knows wasmtime.
