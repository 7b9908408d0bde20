//! `towpath plugin`: what an author does, without a server. One file per command; the work is done in `plugin-tool` and
//! `distribution`.

pub(crate) mod args;

mod attach;
mod build;
mod check;
mod copy;
mod key;
mod new;
mod place;
mod pull;
mod push;
mod run;
mod sign;
mod test;
mod trust;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use cli::{Exit, Output};
use distribution::{Fault, Reference, Registries};
use plugin_tool::ToolError;

use self::args::{LocalCommand, Places};
pub(crate) use self::place::IN_FOLDER;
use self::place::Place;
use crate::failure::{self, Failure};
use crate::settings;

/// What a command came to: done, or done and found wanting.
pub(crate) enum Verdict {
    /// All is well.
    Good,
    /// The plugin is not what it should be; what is wrong was printed.
    Wanting,
}

/// Runs a command.
pub(crate) async fn run(command: &LocalCommand, output: &mut Output) -> Result<ExitCode, Failure> {
    let verdict = match command {
        LocalCommand::New(options) => new::run(options, output).await,
        LocalCommand::Build(options) => build::run(options, output).await,
        LocalCommand::Check(options) => check::run(options, output).await,
        LocalCommand::Run(options) => run::run(options, output).await,
        LocalCommand::Test(options) => test::run(options, output).await,
        LocalCommand::Key(options) => key::run(options, output).await,
        LocalCommand::Push(options) => push::run(options, output).await,
        LocalCommand::Sign(options) => sign::run(options, output).await,
        LocalCommand::Pull(options) => pull::run(options, output).await,
        LocalCommand::Verify(options) => verify::run(options, output).await,
        LocalCommand::Save(options) => copy::save(options, output).await,
        LocalCommand::Load(options) => copy::load(options, output).await,
        LocalCommand::Attach(options) => attach::run(options, output).await,
    }?;
    Ok(match verdict {
        Verdict::Good => ExitCode::SUCCESS,
        Verdict::Wanting => ExitCode::from(Exit::NotSucceeded as u8),
    })
}

/// Returns where the code of components is kept that were compiled before, if the user has such a place: a component of Python takes
/// seconds to compile. The host takes nothing from a folder that others may write.
fn compiled() -> Option<PathBuf> {
    settings::cache_dir().map(|cache| cache.join("compiled"))
}

/// Runs work that blocks on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, ToolError> + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Failure::of("TP0405", &error))?;
    done.map_err(|error| failed(&error))
}

/// Returns the failure of an error of the tool.
fn failed(error: &ToolError) -> Failure {
    match error {
        ToolError::Build(_) => Failure::new("TP0606", failure::chain(error)),
        ToolError::Host(_) | ToolError::Load(_) => Failure::of("TP0605", error),
        ToolError::Write { .. } => Failure::of("TP0401", error),
        ToolError::World { .. } => Failure::of("TP0302", error),
        ToolError::Call { .. }
        | ToolError::Case { .. }
        | ToolError::Name { .. }
        | ToolError::Exists { .. }
        | ToolError::NoSdk { .. }
        | ToolError::Read { .. } => Failure::of("TP0610", error).usage(),
    }
}

/// Returns the failure of a plugin that does not travel.
fn travels(error: &distribution::Error) -> Failure {
    let failure = Failure::new("TP0625", failure::chain(error));
    match error.fault() {
        Fault::User | Fault::Configuration => failure.usage(),
        Fault::World => failure,
    }
}

/// Reads a reference.
fn reference(text: &str) -> Result<Reference, Failure> {
    text.parse().map_err(|error| travels(&error))
}

/// Reads what is special about registries.
fn registries(places: &Places) -> Result<Registries, Failure> {
    let read = places.registries.as_deref().map(Registries::from_file).transpose();
    Ok(read.map_err(|error| travels(&error))?.unwrap_or_default())
}

/// Reads a file that a person named.
fn read(path: &std::path::Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::new("TP0610", format!("{} cannot be read: {error}", path.display())).usage())
}

/// Returns the failure of an answer that could not be written.
fn unsaid(error: std::io::Error) -> Failure {
    Failure::of("", &error)
}

/// Writes a value as JSON.
fn json(value: &impl serde::Serialize, output: &mut Output) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of("", &error))?;
    writeln!(output.out, "{text}").map_err(unsaid)
}
