//! Compiles the contract in pure Rust: no compiler for protocol buffers needs to be installed.

use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 4] =
    ["towpath/v1/common.proto", "towpath/v1/catalog.proto", "towpath/v1/deployment.proto", "towpath/v1/telemetry.proto"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in FILES {
        println!("cargo::rerun-if-changed={file}");
    }
    let descriptors = protox::compile(FILES, ["."])?;
    #[expect(clippy::disallowed_methods, reason = "a build script is told its folder by the environment")]
    let out: PathBuf = std::env::var("OUT_DIR")?.into();
    std::fs::write(out.join("towpath.bin"), descriptors.encode_to_vec())?;
    let mut config = prost_build::Config::new();
    // With their full names, any message can be found in the descriptors: `--json` prints all of them with one function.
    config.enable_type_names();
    tonic_prost_build::configure().compile_fds_with_config(descriptors, config)?;
    Ok(())
}
