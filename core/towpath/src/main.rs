//! The binary: reads arguments and environment once, wires the rooms, shuts down in order.
//!
//! In reading order: [`args`] is what can be said, [`settings`] resolves it with the environment, [`server`], [`runtime`] and [`up`]
//! are the long-running processes, [`wire`] joins the rooms behind the server's ports. Everything else is the `cli` room's.
#![forbid(unsafe_code)]

mod args;
mod audit;
mod backup;
mod clock;
mod data;
mod demo;
mod failure;
mod logs;
mod plugin;
mod runtime;
mod server;
mod settings;
mod signals;
mod store;
mod up;
mod verdict;
mod wire;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use cli::{Context, Exit, Output};

use crate::args::{Arguments, Command, PluginCommand};
use crate::failure::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let context = match settings::resolve(&arguments.common) {
        Ok(context) => context,
        Err(failure) => return failure::report(&failure),
    };
    let threads = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(threads) => threads,
        Err(error) => return failure::report(&Failure::of("", &error)),
    };
    threads.block_on(run(arguments, context))
}

async fn run(arguments: Arguments, context: Context) -> ExitCode {
    let data_dir = context.data_dir.clone();
    let mut output = Output { context, out: Box::new(std::io::stdout()), err: Box::new(std::io::stderr()) };
    let Arguments { common, command } = arguments;
    let done = match command {
        Command::Client(command) => return said(cli::run(&command, &mut output).await, &mut output),
        Command::Plugin(PluginCommand::Known(command)) => return said(cli::run_plugin(&command, &mut output).await, &mut output),
        Command::Demo(options) => return demo::run(&common, &options).await,
        Command::Server(args) => {
            logs::start(&common);
            server::run(&data_dir, &args).await
        }
        Command::Runtime(args) => {
            logs::start(&common);
            runtime::run(&data_dir, &args).await
        }
        Command::Up(args) => {
            logs::start(&common);
            up::run(&data_dir, &args, &common).await
        }
        Command::Plugin(PluginCommand::Local(command)) => {
            return plugin::run(&command, &mut output).await.unwrap_or_else(|failure| failure::report(&failure));
        }
        Command::Verdict(command) => {
            return verdict::run(&command, &mut output).await.unwrap_or_else(|failure| failure::report(&failure));
        }
        Command::Audit(command) => audit::run(&data_dir, &command, &mut output).await,
        Command::Backup(args) => backup::back_up(&data_dir, &args, &mut output).await,
        Command::Restore(args) => backup::restore(&data_dir, &args, &mut output).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "towpath", &mut script);
            return said(output.out.write_all(&script).map(|()| Exit::Done).map_err(cli::Error::from), &mut output);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure::report(&failure),
    }
}

/// Turns what a client command came to into an exit code; says what went wrong.
fn said(result: Result<Exit, cli::Error>, output: &mut Output) -> ExitCode {
    let exit = result.unwrap_or_else(|error| {
        // A reader that went away wants no complaint.
        let _ = cli::print_error(output, &error);
        error.exit()
    });
    ExitCode::from(exit as u8)
}
