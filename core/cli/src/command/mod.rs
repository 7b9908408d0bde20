//! One function for each thing a person can say.

mod catalog;
mod deploy;
mod list;
mod looks;
mod path;
mod plan;
mod plugin;
mod release;
mod show;
mod status;
mod steer;
mod telemetry;
mod which;

use std::path::Path;

use prost::{Message, Name};

use crate::args::{Command, PluginCommand};
use crate::client::Client;
use crate::error::{Error, Exit};
use crate::json;
use crate::output::Output;
use crate::watch;

/// Does what was said.
///
/// # Errors
/// Returns why it was not done; [`Error::exit`] has the exit code.
pub async fn run(command: &Command, output: &mut Output) -> Result<Exit, Error> {
    if let Command::Path(crate::args::PathCommand::Lint(args)) = command {
        return path::lint(&args.file, output);
    }
    let client = Client::connect(&output.context).await?;
    match command {
        Command::Service(command) => catalog::service(&client, command, output).await,
        Command::Environment(command) => catalog::environment(&client, command, output).await,
        Command::Path(command) => path::path(&client, command, output).await,
        Command::Release(command) => release::release(&client, command, output).await,
        Command::Plan(args) => plan::plan(&client, args, output).await,
        Command::Deploy(args) => deploy::deploy(&client, args, output).await,
        Command::Watch(args) => {
            let id = which::any(&client, &args.which).await?;
            watch::watch(client, &id, output).await
        }
        Command::Show(args) => show::show(&client, &args.which, output).await,
        Command::Looks(args) => looks::looks(&client, args, output).await,
        Command::Status(args) => status::status(&client, args, output).await,
        Command::Telemetry(args) => telemetry::telemetry(&client, args, output).await,
        Command::List(args) => list::list(&client, args, output).await,
        Command::Pause(args) => steer::steer(&client, steer::Verb::Pause, args, output).await,
        Command::Resume(args) => steer::steer(&client, steer::Verb::Resume, args, output).await,
        Command::Promote(args) => steer::steer(&client, steer::Verb::Promote, args, output).await,
        Command::Abort(args) => steer::steer(&client, steer::Verb::Abort, args, output).await,
        Command::Reject(args) => steer::steer(&client, steer::Verb::Reject, args, output).await,
        Command::Approve(args) => steer::approve(&client, args, output).await,
        Command::Rollback(args) => steer::rollback(client, args, output).await,
    }
}

/// Does what was said about plugins.
///
/// # Errors
/// Returns why it was not done.
pub async fn run_plugin(command: &PluginCommand, output: &mut Output) -> Result<Exit, Error> {
    let client = Client::connect(&output.context).await?;
    plugin::plugin(&client, command, output).await
}

/// Prints a message as JSON, or whatever `people` writes.
fn answer<M: Message + Name>(
    output: &mut Output,
    message: &M,
    people: impl FnOnce(&mut Output) -> Result<(), Error>,
) -> Result<Exit, Error> {
    match output.context.json {
        true => writeln!(output.out, "{}", json::of(message))?,
        false => people(output)?,
    }
    Ok(Exit::Done)
}

/// Reads a file that a person named; `-` is standard input.
fn read(path: &Path) -> Result<(String, String), Error> {
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    let name = path.display().to_string();
    Ok((text.map_err(|source| Error::Unreadable { path: path.to_owned(), source })?, name))
}

/// Returns a request id: the given one, or a new one, so that a repeated call of this process is the same request.
fn request_id(given: Option<&String>) -> String {
    given.cloned().unwrap_or_else(|| uuid::Uuid::now_v7().to_string())
}
