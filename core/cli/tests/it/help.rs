//! The help texts as one golden file: what people read changes only on purpose.

use clap::{CommandFactory, Parser};
use cli::args::Command;

#[derive(Parser)]
#[command(name = "towpath", term_width = 100, after_help = cli::args::EXIT_CODES)]
struct All {
    #[command(subcommand)]
    _command: Command,
}

fn pages(command: &mut clap::Command, name: &str, to: &mut String) {
    to.push_str(&format!("$ {name} --help\n{}\n", command.render_long_help()));
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let sub_name = format!("{name} {}", sub.get_name());
        pages(sub, &sub_name, to);
    }
}

#[test]
fn the_help_texts_are_what_they_were() {
    let mut text = String::new();
    let mut command = All::command();
    command.build();
    pages(&mut command, "towpath", &mut text);
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let golden = include_str!("../golden/help.txt");
    assert!(text == golden, "the help texts changed; if that is meant, tests/golden/help.txt becomes:\n{text}");
}

#[test]
fn the_arguments_fit_each_other() {
    All::command().debug_assert();
}
