//! Finding a toolchain that compiles for WebAssembly.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{BuildError, environment};

/// What guests are compiled for: no operating system, so a component imports only what its world names.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian's packages put their programs: not on the path of whoever has rustup first.
const DEBIAN_BIN: &str = "/usr/bin";

/// The linkers that Debian's packages bring, newest first.
const DEBIAN_LINKERS: [&str; 5] = ["wasm-ld-22", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19", "wasm-ld"];

/// A toolchain that compiles for WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The toolchain in use has a standard library for the target.
    Installed,
    /// Debian's packages: the standard library is compiled from its source, and linked with LLVM's linker.
    Debian {
        /// The linker.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// Finds a toolchain: the one in use (as seen from `folder`, where a `rust-toolchain.toml` may choose another) if it has the
    /// target, else Debian's.
    pub fn find(folder: &Path) -> Result<Self, BuildError> {
        let installed = installed_library(folder);
        if installed.as_deref().is_some_and(Path::is_dir) {
            return Ok(Self::Installed);
        }
        let missing_library =
            installed.map_or_else(|| "there is no rustc".to_owned(), |library| format!("{} is missing", library.display()));
        debian().map_err(|missing| BuildError::NoToolchain { why: format!("{missing_library}, and {missing}") })
    }

    /// Returns cargo, set up to compile guests with this toolchain.
    pub(crate) fn cargo(&self) -> Command {
        let program = match self {
            Self::Installed => PathBuf::from("cargo"),
            Self::Debian { .. } => Path::new(DEBIAN_BIN).join("cargo"),
        };
        let mut command = Command::new(program);
        environment::scrub(&mut command);
        if let Self::Debian { linker } = self {
            // Compiling the standard library is an unstable feature; a stable compiler has it behind this switch.
            command.env("RUSTC_BOOTSTRAP", "1").env("RUSTC", Path::new(DEBIAN_BIN).join("rustc"));
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
        }
        command
    }

    /// Returns what a build needs beside the target.
    pub(crate) fn build_arguments(&self) -> &'static [&'static str] {
        match self {
            Self::Installed => &[],
            Self::Debian { .. } => &["-Zbuild-std=std,panic_abort"],
        }
    }
}

/// Returns where the toolchain in use keeps the target's standard library, whether it is there or not.
fn installed_library(folder: &Path) -> Option<PathBuf> {
    let mut command = Command::new("rustc");
    environment::scrub(&mut command);
    let output = command.current_dir(folder).args(["--print", "target-libdir", "--target", TARGET]).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(path.trim()))
}

/// Returns Debian's toolchain, or what is missing of it.
fn debian() -> Result<Toolchain, String> {
    let bin = Path::new(DEBIAN_BIN);
    for program in ["cargo", "rustc"] {
        if !bin.join(program).is_file() {
            return Err(format!("{DEBIAN_BIN}/{program} is missing"));
        }
    }
    let output = Command::new(bin.join("rustc")).args(["--print", "sysroot"]).output().map_err(|error| error.to_string())?;
    let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let source = Path::new(&sysroot).join("lib/rustlib/src/rust/library");
    if !source.is_dir() {
        return Err(format!("{} is missing", source.display()));
    }
    let linker = DEBIAN_LINKERS.iter().map(|name| bin.join(name)).find(|linker| linker.is_file());
    linker
        .map(|linker| Toolchain::Debian { linker })
        .ok_or_else(|| format!("{DEBIAN_BIN} has none of {}", DEBIAN_LINKERS.join(", ")))
}
