//! `towpath plugin check`: what a component is, what it asks for, and whether a host would take it. Nothing of it is run.

mod anatomy;
mod powers;

use std::path::PathBuf;
use std::time::Instant;

use plugin_host::{Limits, LoadError, Manifest};
use serde::Serialize;

use crate::ToolError;
pub use anatomy::{Anatomy, Section};

/// Bytes of code that two cores compile in a second, in a release build, as `cargo bench -p plugin-tool --bench languages` measured it:
/// 1.8 million of the JavaScript engine, 1.5 million of the Python one. Very many very small functions take three times as long.
const COMPILED_BYTES_PER_SECOND: f64 = 1_600_000.0;

/// What is checked, and how.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// The component.
    pub component: Vec<u8>,
    /// Whether the component is compiled and linked as a host does it: what does not fit is found in no other way.
    pub compile: bool,
    /// Where compiled components are kept; `None` compiles it anew.
    pub cache_dir: Option<PathBuf>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// What the component says of itself, if that can be read.
    pub manifest: Option<Manifest>,
    /// Its size.
    pub bytes: usize,
    /// What it is made of, if it is a component.
    pub anatomy: Option<Anatomy>,
    /// The powers: asked for, imported, or both.
    pub powers: Vec<PowerLine>,
    /// How long two cores take to compile it, estimated from the size of its code, in milliseconds.
    pub compile_ms_estimated: u64,
    /// How long it took here, over all cores; absent when it was not compiled.
    pub compile_ms: Option<u64>,
    /// Why a host would refuse it; empty when it would not.
    pub refused: Vec<String>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
}

/// One power.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PowerLine {
    /// Its name.
    pub name: String,
    /// The reason that the manifest gives for asking; absent when it does not ask.
    pub asked: Option<String>,
    /// Whether the component imports it.
    pub imported: bool,
}

/// Checks a component. Blocking: compiling may take seconds.
pub fn check(options: &CheckOptions) -> Result<Checked, ToolError> {
    let component = &options.component;
    let anatomy = anatomy::of(component);
    let read = Manifest::read(component);
    let mut refused = Vec::new();
    refused.extend(read.as_ref().err().map(|error| chain(error)));
    // What is no component at all says so once.
    let broken = anatomy.as_ref().err().filter(|why| !refused.iter().any(|said| said.contains(why.as_str())));
    refused.extend(broken.cloned());
    // What a host counts before it compiles anything; what cannot be read is said already.
    let shape = plugin_host::check_shape(component, &Limits::default()).err();
    refused.extend(shape.filter(|error| !matches!(error, LoadError::Manifest(_))).map(|error| chain(&error)));
    let anatomy = anatomy.ok();
    let manifest = read.ok();
    let mut warnings = Vec::new();
    let mut powers = Vec::new();
    if let (Some(anatomy), Some(manifest)) = (&anatomy, &manifest) {
        refused.extend(powers::unknown(anatomy, &manifest.wit));
        powers = powers::lines(anatomy, manifest);
        warnings = powers::warnings(manifest, &powers);
    }
    let code = anatomy.as_ref().map_or(0, |anatomy| anatomy.code_bytes);
    let mut compile_ms = None;
    if options.compile && refused.is_empty() {
        let begun = now();
        match load(options)? {
            Ok(()) => compile_ms = Some(millis(begun)),
            Err(why) => refused.push(why),
        }
    }
    let compile_ms_estimated = (code as f64 / COMPILED_BYTES_PER_SECOND * 1000.0).ceil() as u64;
    Ok(Checked { manifest, bytes: component.len(), anatomy, powers, compile_ms_estimated, compile_ms, refused, warnings })
}

/// Loads the component as a server does; the inner error is why it would be refused.
fn load(options: &CheckOptions) -> Result<Result<(), String>, ToolError> {
    let host = crate::host::start(options.cache_dir.as_deref())?;
    Ok(host.load(&options.component).map(drop).map_err(|error: LoadError| chain(&error)))
}

/// Returns an error with everything that led to it, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[expect(clippy::disallowed_methods, reason = "how long a component takes to compile is measured")]
fn now() -> Instant {
    Instant::now()
}

fn millis(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
