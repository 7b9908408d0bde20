//! Releases.

use std::path::{Path, PathBuf};

use towpath_proto::v1;

use super::answer;
use crate::args::{ReleaseCommand, ReleaseCreateArgs};
use crate::client::Client;
use crate::clock;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;
use crate::text::{clean, duration};

/// Making and showing releases.
pub(super) async fn release(client: &Client, command: &ReleaseCommand, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.releases();
    match command {
        ReleaseCommand::Create(args) => {
            let release = stub.create(create(args)?).await?.into_inner();
            answer(output, &release, |output| {
                let line =
                    format!("release {} of {}: {} ({})", release.label, release.service, release.id, release.artifact_digest);
                Ok(writeln!(output.out, "{}", clean(&line))?)
            })
        }
        ReleaseCommand::Get(args) => {
            let request = v1::GetReleaseRequest { service: args.service.clone(), release: args.release.clone() };
            let release = stub.get(request).await?.into_inner();
            answer(output, &release, |output| one(output, &release))
        }
        ReleaseCommand::List(args) => {
            let list = stub.list(v1::ListReleasesRequest { service: args.service.clone() }).await?.into_inner();
            answer(output, &list, |output| many(output, &list.releases))
        }
    }
}

fn create(args: &ReleaseCreateArgs) -> Result<v1::CreateReleaseRequest, Error> {
    let evidence = args.evidence.iter().map(|(kind, file)| evidence(kind, file)).collect::<Result<_, _>>()?;
    Ok(v1::CreateReleaseRequest {
        service: args.service.clone(),
        label: args.label.clone(),
        artifact: artifact(&args.artifact)?,
        source_commit: args.commit.clone(),
        evidence,
    })
}

/// A folder or file here is named by its absolute path: the server has another working folder.
fn artifact(reference: &str) -> Result<String, Error> {
    let local = Path::new(reference);
    let looks_local = reference.starts_with(['.', '/', '~']) || local.exists();
    if !looks_local || reference.contains('@') && !local.exists() {
        return Ok(reference.to_owned());
    }
    let absolute = local.canonicalize().map_err(|source| Error::Unreadable { path: local.to_owned(), source })?;
    Ok(absolute.display().to_string())
}

fn evidence(kind: &str, file: &PathBuf) -> Result<v1::Evidence, Error> {
    let content = std::fs::read(file).map_err(|source| Error::Unreadable { path: file.clone(), source })?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let media_type = match file.extension().and_then(|extension| extension.to_str()) {
        Some("xml") => "application/xml",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    Ok(v1::Evidence { kind: kind.to_owned(), name, media_type: media_type.to_owned(), content, digest: String::new() })
}

fn one(output: &mut Output, release: &v1::Release) -> Result<(), Error> {
    let mut lines = vec![
        ("release", format!("{} of {}", release.label, release.service)),
        ("id", release.id.clone()),
        ("artifact", format!("{} ({})", release.artifact_digest, release.artifact)),
        ("path", format!("{} ({})", release.path, release.path_digest)),
        ("made", format!("{} ago by {}", duration(clock::now_millis() - release.created_at_ms), release.created_by)),
    ];
    if !release.source_commit.is_empty() {
        lines.push(("commit", release.source_commit.clone()));
    }
    lines.extend(release.plugins.iter().map(|pin| ("plugin", format!("{} {}", pin.name, pin.digest))));
    lines.extend(release.evidence.iter().map(|found| ("evidence", format!("{} {} {}", found.kind, found.name, found.digest))));
    for (name, value) in lines {
        writeln!(output.out, "{name:<9} {}", clean(&value))?;
    }
    Ok(())
}

fn many(output: &mut Output, releases: &[v1::Release]) -> Result<(), Error> {
    let now = clock::now_millis();
    let row = |release: &v1::Release| {
        let age = format!("{} ago", duration(now - release.created_at_ms));
        vec![release.label.clone(), release.id.clone(), release.path.clone(), age, release.artifact_digest.clone()]
    };
    let rows: Vec<_> = releases.iter().map(row).collect();
    let paint = output.paint();
    Ok(table::write(&mut *output.out, paint, &["LABEL", "ID", "PATH", "MADE", "ARTIFACT"], &rows)?)
}
