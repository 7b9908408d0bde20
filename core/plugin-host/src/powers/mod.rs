//! The powers: what a guest may ask of the host. One folder each, with the same four files: what it is (`mod`), what the guest
//! may call (`guest`), what the operator may set (`grant`), and its test (`tests`).

pub(crate) mod artifact;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod measure;
pub(crate) mod random;
pub(crate) mod runtime;
pub(crate) mod secret;
pub(crate) mod ssh;
pub(crate) mod telemetry;

use serde_json::json;
use wasmtime::component::{HasSelf, Linker};

use crate::call::CallState;
use crate::v0_3::bindings::powers::towpath::plugin;

/// The names of all powers, as manifests and grants have them.
pub const NAMES: [&str; 11] =
    ["artifact", "clock", "command", "http", "log", "measure", "random", "runtime", "secret", "ssh", "telemetry"];

/// Links all powers. Linking is not granting: what was not granted answers with a refusal, and the call fails.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    plugin::artifact::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::command::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::secret::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::ssh::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::clock::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::http::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::log::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::measure::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::random::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::telemetry::add_to_linker::<_, HasSelf<_>>(linker, |state| state)?;
    plugin::runtime::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

/// Returns the grant that allows a power whole, as the operator writes it.
fn line(power: &str) -> String {
    json!({ power: true }).to_string()
}
