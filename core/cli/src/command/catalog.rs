//! Services and environments.

use towpath_proto::v1;

use super::{answer, read};
use crate::args::{EnvironmentCommand, ServiceCommand};
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::output::Output;
use crate::table;
use crate::text::clean;

/// Services.
pub(super) async fn service(client: &Client, command: &ServiceCommand, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.services();
    match command {
        ServiceCommand::Apply(args) => {
            let document = stub.apply(request(&args.file)?).await?.into_inner();
            applied(output, "service", &document)
        }
        ServiceCommand::Get(args) => {
            let document = stub.get(v1::GetRequest { name: args.name.clone() }).await?.into_inner();
            text(output, &document)
        }
        ServiceCommand::List => {
            let list = stub.list(v1::ListRequest {}).await?.into_inner();
            documents(output, &list)
        }
    }
}

/// Environments.
pub(super) async fn environment(client: &Client, command: &EnvironmentCommand, output: &mut Output) -> Result<Exit, Error> {
    let mut stub = client.environments();
    match command {
        EnvironmentCommand::Apply(args) => {
            let document = stub.apply(request(&args.file)?).await?.into_inner();
            applied(output, "environment", &document)
        }
        EnvironmentCommand::Get(args) => {
            let document = stub.get(v1::GetRequest { name: args.name.clone() }).await?.into_inner();
            text(output, &document)
        }
        EnvironmentCommand::List => {
            let list = stub.list(v1::ListRequest {}).await?.into_inner();
            documents(output, &list)
        }
    }
}

/// Returns the request that carries a file.
pub(super) fn request(file: &std::path::Path) -> Result<v1::ApplyRequest, Error> {
    let (text, file_name) = read(file)?;
    Ok(v1::ApplyRequest { text, file_name })
}

/// Says what was written.
pub(super) fn applied(output: &mut Output, what: &str, document: &v1::Document) -> Result<Exit, Error> {
    answer(output, document, |output| {
        let name = match document.version.as_str() {
            "" => document.name.clone(),
            version => format!("{}@{version}", document.name),
        };
        let line = format!("{what} {name}: {} (revision {})", document.summary, document.revision);
        Ok(writeln!(output.out, "{}", clean(&line))?)
    })
}

/// Prints a document's text.
pub(super) fn text(output: &mut Output, document: &v1::Document) -> Result<Exit, Error> {
    answer(output, document, |output| Ok(writeln!(output.out, "{}", clean(document.text.trim_end()))?))
}

/// Lists documents.
pub(super) fn documents(output: &mut Output, list: &v1::ListDocumentsResponse) -> Result<Exit, Error> {
    answer(output, list, |output| {
        let row = |document: &v1::Document| {
            let version = match document.version.as_str() {
                "" => document.revision.to_string(),
                version => version.to_owned(),
            };
            vec![document.name.clone(), version, document.summary.clone()]
        };
        let rows: Vec<_> = list.documents.iter().map(row).collect();
        let paint = output.paint();
        Ok(table::write(&mut *output.out, paint, &["NAME", "VERSION", "WHAT"], &rows)?)
    })
}
