//! Golden paths.

use std::path::Path;

use towpath_proto::v1;

use super::catalog::{applied, documents, request, text};
use super::read;
use crate::args::PathCommand;
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::text::clean;

/// Publishing and showing.
pub(super) async fn path(client: &Client, command: &PathCommand, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.paths();
    match command {
        PathCommand::Publish(args) => {
            let document = stub.publish(request(&args.file)?).await?.into_inner();
            applied(output, "path", &document)
        }
        PathCommand::Get(args) => {
            let document = stub.get(v1::GetRequest { name: args.name.clone() }).await?.into_inner();
            text(output, &document)
        }
        PathCommand::List(_) => {
            let list = stub.list(v1::ListRequest {}).await?.into_inner();
            documents(output, &list)
        }
        PathCommand::Lint(args) => lint(&args.file, output),
    }
}

/// Checks a path file here, without a server.
pub(super) fn lint(file: &Path, output: &mut Output) -> Result<Exit, Error> {
    let (text, name) = read(file)?;
    match ::path::parse_path(&text, &name) {
        Ok(_) if output.context.json => writeln!(output.out, "{}", serde_json::json!({"file": name, "faults": []}))?,
        Ok(_) => writeln!(output.out, "{}: no faults", clean(&name))?,
        Err(found) if output.context.json => {
            let faults: Vec<String> = found.iter().map(ToString::to_string).collect();
            writeln!(output.out, "{}", serde_json::json!({"file": name, "faults": faults}))?;
            return Ok(Exit::Usage);
        }
        Err(found) => return Err(Error::File(::path::render_diagnostics(&found))),
    }
    Ok(Exit::Done)
}
