//! Builds the first-party plugins with the tool that everyone else uses.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use plugin_build::Options;

/// The plugins that are carried, in the order of their names.
const PLUGINS: [&str; 10] = [
    "gate-junit",
    "health-alerts",
    "health-command",
    "health-http",
    "health-judge",
    "health-logs",
    "health-prometheus",
    "health-traffic",
    "target-local",
    "target-vm",
];

/// What a plugin is made of, seen from the workspace.
const SOURCES: [&str; 6] = ["plugins", "sdk", "core/prometheus", "core/verdict", "Cargo.lock", "Cargo.toml"];

fn main() -> ExitCode {
    let Err(error) = build() else { return ExitCode::SUCCESS };
    // Cargo shows these lines to whoever started it; the output of the inner cargo is among them.
    let mut next: Option<&dyn Error> = Some(error.as_ref());
    while let Some(cause) = next {
        for line in cause.to_string().lines() {
            // Nobody is left to tell when even this cannot be written.
            let _ = emit(&format!("error={line}"));
        }
        next = cause.source();
    }
    ExitCode::FAILURE
}

fn build() -> Result<(), Box<dyn Error>> {
    let workspace = workspace();
    for source in SOURCES {
        let source = workspace.join(source);
        // A path that is missing would make cargo run this script every time.
        if source.exists() {
            emit(&format!("rerun-if-changed={}", source.display()))?;
        }
    }
    let out = out_dir().ok_or("cargo sets OUT_DIR")?;
    let options = Options { target_dir: Some(guests(&out)), ..Options::default() };
    let mut table = String::from("&[\n");
    for name in PLUGINS {
        let built = plugin_build::build(&workspace.join("plugins").join(name), &options)?;
        let file = out.join(format!("{name}.wasm"));
        fs::write(&file, &built.component)?;
        writeln!(table, "    Bundled {{ name: {name:?}, digest: {:?}, component: include_bytes!({file:?}) }},", built.digest)?;
    }
    table.push(']');
    fs::write(out.join("plugins.rs"), table)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a build script is told where to write by its environment")]
fn out_dir() -> Option<PathBuf> {
    env::var_os("OUT_DIR").map(PathBuf::from)
}

/// Returns the workspace: this crate is `core/bundled-plugins` in it.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the folder where guests are compiled: beside the profiles in cargo's target folder, so that debug and release builds share
/// it and the standard library is compiled once. It is not the outer cargo's own, whose lock is held while this script runs.
fn guests(out: &Path) -> PathBuf {
    let profile = out.ancestors().find(|folder| folder.ends_with("build")).and_then(Path::parent);
    profile.and_then(Path::parent).unwrap_or(out).join("plugins")
}

/// Speaks to cargo.
fn emit(line: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    writeln!(std::io::stdout(), "cargo::{line}")
}
