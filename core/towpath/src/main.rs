//! The binary: reads arguments and environment once, wires the rooms, shuts down in order.
//!
//! In reading order: [`args`] is what can be said, [`settings`] resolves it with the environment, [`server`], [`runtime`] and [`up`]
//! are the long-running processes, [`wire`] joins the rooms behind the server's ports. Everything else is the `cli` room's.
#![forbid(unsafe_code)]

mod args;
mod clock;
mod data_dir;
mod fault;
mod logs;
mod plugin;
mod runtime;
mod server;
mod settings;
mod signals;
mod up;
mod wire;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{Exit, Output};

use crate::args::{Arguments, Command, PluginCommand};
use crate::fault::Fault;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let context = match settings::resolve(&arguments.global) {
        Ok(context) => context,
        Err(fault) => return end(&fault),
    };
    let mut output = Output { context, out: Box::new(std::io::stdout()), err: Box::new(std::io::stderr()) };
    match run(&arguments, &mut output) {
        Ok(exit) => code(exit),
        Err(Failed::Said(error)) => {
            // A reader that went away wants no complaint.
            let _ = cli::print_error(&mut output, &error);
            code(error.exit())
        }
        Err(Failed::Broke(fault)) => end(&fault),
    }
}

/// What went wrong: at the client's side of a call, or in a process of ours.
enum Failed {
    Said(cli::Error),
    Broke(Fault),
}

impl From<cli::Error> for Failed {
    fn from(error: cli::Error) -> Self {
        Self::Said(error)
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Broke(fault)
    }
}

fn run(arguments: &Arguments, output: &mut Output) -> Result<Exit, Failed> {
    let data_dir = output.context.data_dir.clone();
    match &arguments.command {
        Command::Server(args) => {
            logs::start(&arguments.global);
            tokio()?.block_on(server::run(&data_dir, args))?;
        }
        Command::Runtime(args) => {
            logs::start(&arguments.global);
            tokio()?.block_on(runtime::run(&data_dir, args))?;
        }
        Command::Up(args) => {
            logs::start(&arguments.global);
            tokio()?.block_on(up::run(&data_dir, args, &arguments.global))?;
        }
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Arguments::command(), "towpath", &mut std::io::stdout());
        }
        Command::Plugin(PluginCommand::Build(args)) => plugin::build(args, output)?,
        Command::Plugin(PluginCommand::Known(command)) => return Ok(tokio()?.block_on(cli::run_plugin(command, output))?),
        Command::Client(command) => return Ok(tokio()?.block_on(cli::run(command, output))?),
    }
    Ok(Exit::Done)
}

fn tokio() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Fault::broken("cannot start threads", &error))
}

fn end(fault: &Fault) -> ExitCode {
    // When standard error is gone, the exit code still tells.
    let _ = writeln!(std::io::stderr(), "{fault}");
    code(fault.exit)
}

fn code(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
