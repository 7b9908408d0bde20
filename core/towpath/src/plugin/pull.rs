//! `towpath plugin pull`.

use std::io::Write;
use std::path::Path;

use cli::{Output, text};
use distribution::{Material, Pulled};
use serde_json::{Value, json};

use super::args::PullArgs;
use super::{Place, Verdict, travels, trust, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &PullArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let place = Place::of(&args.reference, &args.places)?;
    let trust = trust::given(args.key.as_deref(), args.trust.as_deref(), args.allow_unsigned)?;
    let pulled = place.pull(&trust).await.map_err(|error| travels(&error))?;
    write(&args.output, &pulled.component)
        .map_err(|error| Failure::new("TP0401", format!("{} cannot be written: {error}", args.output.display())))?;
    let signers: Vec<_> = pulled.signed_by.iter().map(ToString::to_string).collect();
    if output.context.json {
        super::json(&told(&place, &pulled, &signers), output)?;
    } else {
        say(&place, &pulled, &signers, &mut *output.out).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}

fn told(place: &Place, pulled: &Pulled, signers: &[String]) -> Value {
    let material = |one: &Material| json!({ "name": one.name, "version": one.version, "purl": one.purl, "licence": one.licence });
    let materials = pulled.sbom.as_ref().map(
        |sbom| json!({ "format": sbom.format.as_str(), "materials": sbom.components.iter().map(material).collect::<Vec<_>>() }),
    );
    json!({
        "reference": place.named(&pulled.reference),
        "manifestDigest": pulled.manifest_digest,
        "digest": distribution::digest_of(&pulled.component),
        "signedBy": signers,
        "materials": materials,
    })
}

fn say(place: &Place, pulled: &Pulled, signers: &[String], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "pulled      {}", place.named(&pulled.reference))?;
    writeln!(out, "component   {}", distribution::digest_of(&pulled.component))?;
    for signer in signers {
        // What a certificate says is a stranger's text.
        writeln!(out, "signed by   {}", text::line(signer))?;
    }
    if signers.is_empty() {
        writeln!(out, "signed by   nobody that is believed")?;
    }
    match &pulled.sbom {
        Some(sbom) => writeln!(out, "materials   {} ({})", sbom.components.len(), sbom.format.as_str()),
        None => writeln!(out, "materials   it does not say"),
    }
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
