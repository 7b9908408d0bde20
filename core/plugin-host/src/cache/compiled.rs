//! The one deserialisation of compiled code.
#![expect(unsafe_code, reason = "compiled code is trusted by nature; the caller proved that the file is our own")]

use std::path::Path;

use wasmtime::Engine;
use wasmtime::component::Component;

/// Maps a compiled component. The file must have been written by this host: see [`super::Cache::get`].
pub(super) fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file is a regular file of our own user that nobody else can write, in a folder that nobody else can enter; only
    // `Cache::put` writes there, from `Component::serialize`, and renames whole files. The engine checks version and settings.
    unsafe { Component::deserialize_file(engine, path) }
}
