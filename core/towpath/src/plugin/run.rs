//! `towpath plugin run`.

use std::io::{self, Write};

use cli::{Output, text};
use plugin_tool::call::Said;
use plugin_tool::run::{self, RunOptions};

use super::args::RunArgs;
use super::{Verdict, compiled, failed, json, read, unsaid};
use crate::clock;
use crate::failure::Failure;

pub(super) async fn run(args: &RunArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let folder = args.call.parent().unwrap_or(&args.call).to_owned();
    let (component, call) = (read(&args.file)?, read(&args.call)?);
    let options = RunOptions { component, call, folder, cache_dir: compiled() };
    let said = run::run(&options, clock::now_ms).await.map_err(|error| failed(&error))?;
    if output.context.json {
        json(&said, output)?;
    } else {
        write(&said, &mut *output.out).map_err(unsaid)?;
    }
    Ok(if said.error.is_none() { Verdict::Good } else { Verdict::Wanting })
}

fn write(said: &Said, out: &mut dyn Write) -> io::Result<()> {
    for line in &said.log {
        writeln!(out, "log         {:<5} {}", line.level, text::line(&line.message))?;
    }
    for one in &said.measurements {
        writeln!(out, "measured    {} {} {}", text::line(&one.name), one.value, text::line(&one.unit))?;
    }
    for one in &said.uses {
        let why = one.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        let times = if one.times > 1 { format!("{} times, ", one.times) } else { String::new() };
        let (what, why) = (text::line(&one.what), text::line(&why));
        writeln!(out, "used        {:<9} {what} ({times}{}{why}, {} us)", one.power, one.outcome, one.elapsed_us)?;
    }
    if said.uses_cut > 0 {
        writeln!(out, "used        {} more", said.uses_cut)?;
    }
    writeln!(out, "took        {} us", said.elapsed_us)?;
    match (&said.answer, &said.error) {
        (Some(answer), _) => writeln!(out, "{answer:#}"),
        (None, Some(error)) => {
            writeln!(out, "stopped     {}", text::line(error))?;
            let known = if said.outcome_unknown { "may have changed" } else { "was not changed" };
            writeln!(out, "the world {known}")
        }
        (None, None) => Ok(()),
    }
}
