//! The powers: what a guest may ask of the host. One folder each, with the same four files: what it is (`mod`), what the guest
//! may call (`guest`), what the operator may set (`grant`), and its test (`tests`).

pub(crate) mod clock;
pub(crate) mod http;
pub(crate) mod log;
pub(crate) mod measure;
pub(crate) mod runtime;

use wasmtime::component::{HasSelf, Linker};

use crate::call::CallState;
use crate::v0_1::bindings::powers::Powers;

/// Links all powers. Linking is not granting: what was not granted answers with a refusal, and the call fails.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    Powers::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
}

/// The power's name in grants, and the line that grants it whole.
fn line(power: &str) -> String {
    format!("{power}: true")
}
