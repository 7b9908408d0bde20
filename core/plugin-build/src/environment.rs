//! The environment of the inner cargo: what an outer cargo set for itself must not leak into the guest.

use std::ffi::OsString;
use std::process::Command;

/// What of cargo's own variables is about the machine and stays: where things are, and how to reach registries.
const KEPT: [&str; 6] = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_"];

/// What goes: cargo's words to its children, and what changes how code is compiled.
const REMOVED: [&str; 9] =
    ["CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "RUST_TARGET_PATH", "MAKEFLAGS", "MFLAGS", "DEP_", "LD_LIBRARY_PATH"];

/// Removes from the command's environment what belongs to an outer cargo.
pub(crate) fn scrub(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if leaks(&name) {
            command.env_remove(name);
        }
    }
}

fn leaks(name: &OsString) -> bool {
    let Some(name) = name.to_str() else { return false };
    REMOVED.iter().any(|start| name.starts_with(start)) && !KEPT.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_outer_cargo_set_goes_and_the_machines_stays() {
        for gone in [
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTFLAGS",
            "RUSTC_WRAPPER",
            "CARGO_TARGET_DIR",
            "CARGO_MAKEFLAGS",
            "DEP_Z_ROOT",
            "CARGO",
        ] {
            assert!(leaks(&gone.into()), "{gone}");
        }
        for kept in ["PATH", "HOME", "CARGO_HOME", "CARGO_NET_OFFLINE", "CARGO_HTTP_PROXY", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            assert!(!leaks(&kept.into()), "{kept}");
        }
    }
}
