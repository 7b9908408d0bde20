//! `towpath plugin pull`.

use std::io::Write;
use std::path::Path;

use cli::{Output, text};
use distribution::{KeyConfig, Pulled, Rule, Trust, TrustConfig};

use super::args::PullArgs;
use super::{Verdict, json, reference, registries, travels, unsaid};
use crate::failure::Failure;

/// How the key of the command line is called.
const GIVEN: &str = "given";

pub(super) async fn run(args: &PullArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let from = reference(&args.reference)?;
    let pulled = distribution::pull(&registries(&args.places)?, &trust(args)?, &from).await.map_err(|error| travels(&error))?;
    write(&args.output, &pulled.component)
        .map_err(|error| Failure::new("TP0401", format!("{} cannot be written: {error}", args.output.display())))?;
    let signers: Vec<_> = pulled.signed_by.iter().map(ToString::to_string).collect();
    if output.context.json {
        let digest = distribution::digest_of(&pulled.component);
        json(&serde_json::json!({ "reference": pulled.reference.to_string(), "digest": digest, "signedBy": signers }), output)?;
    } else {
        say(&pulled, &signers, &mut *output.out).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}

fn say(pulled: &Pulled, signers: &[String], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "pulled      {}", pulled.reference)?;
    writeln!(out, "component   {}", distribution::digest_of(&pulled.component))?;
    for signer in signers {
        // What a certificate says is a stranger's text.
        writeln!(out, "signed by   {}", text::line(signer))?;
    }
    if signers.is_empty() {
        writeln!(out, "signed by   nobody that is believed")?;
    }
    match &pulled.sbom {
        Some(sbom) => writeln!(out, "materials   {}", sbom.components.len()),
        None => writeln!(out, "materials   it does not say"),
    }
}

/// Returns whom the command line says to believe.
fn trust(args: &PullArgs) -> Result<Trust, Failure> {
    let trust = match (&args.key, &args.trust, args.allow_unsigned) {
        (Some(key), ..) => {
            let keys = [(GIVEN.to_owned(), KeyConfig { file: key.clone(), transparency_log: false })].into();
            let rule = Rule { references: "**".to_owned(), signed_by: vec![GIVEN.to_owned()], allow_unsigned: false };
            Trust::new(TrustConfig { keys, rules: vec![rule], ..TrustConfig::default() }, Path::new(""))
        }
        (None, Some(file), _) => Trust::from_file(file),
        (None, None, true) => Ok(Trust::unsigned()),
        (None, None, false) => {
            let message = "nobody is believed: neither --key, nor --trust, nor --allow-unsigned is given";
            return Err(Failure::new("TP0625", message).usage());
        }
    };
    trust.map_err(|error| travels(&error))
}

/// Writes the component, whole or not at all.
fn write(path: &Path, component: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(component)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
