//! `towpath plugin key`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use cli::Output;

use super::args::KeyArgs;
use super::{Verdict, json, travels, unsaid};
use crate::failure::Failure;
use crate::settings;

pub(super) async fn run(args: &KeyArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let password = settings::key_password().ok_or_else(|| {
        let message = format!("a key is kept encrypted, and {} is not set", settings::KEY_PASSWORD);
        Failure::new("TP0625", message).usage().hint("set it to the password; to nothing for a key without one")
    })?;
    let pair = distribution::generate_key_pair(&password).map_err(|error| travels(&error))?;
    let (private, public) = (with_end(&args.name, "key"), with_end(&args.name, "pub"));
    write_new(&private, &pair.private_pem, 0o600)?;
    write_new(&public, &pair.public_pem, 0o644)?;
    if output.context.json {
        json(&serde_json::json!({ "private": private, "public": public }), output)?;
    } else {
        writeln!(output.out, "wrote {} (keep it) and {} (give it away)", private.display(), public.display()).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}

/// Returns the name with an end put to it, whatever dots are in it.
fn with_end(name: &Path, end: &str) -> PathBuf {
    let mut text = name.as_os_str().to_owned();
    text.push(".");
    text.push(end);
    text.into()
}

/// Writes a file that is not there yet: nobody loses a key to a repeated command.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), Failure> {
    let written = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = written.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|error| Failure::new("TP0401", format!("{} cannot be written: {error}", path.display())))
}
