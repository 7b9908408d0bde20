//! `towpath plugin check`.

use std::io::{self, Write};

use cli::{Output, text};
use plugin_tool::check::{self, Anatomy, CheckOptions, Checked};

use super::args::CheckArgs;
use super::{Verdict, blocking, json, read, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &CheckArgs, output: &mut Output) -> Result<Verdict, Failure> {
    // It says how long the component takes to compile: what was compiled before would hide that.
    let options = CheckOptions { component: read(&args.file)?, compile: !args.no_compile, cache_dir: None };
    let checked = blocking(move || check::check(&options)).await?;
    if output.context.json {
        json(&checked, output)?;
    } else {
        write(&checked, &mut *output.out).map_err(unsaid)?;
    }
    Ok(if checked.refused.is_empty() { Verdict::Good } else { Verdict::Wanting })
}

fn write(checked: &Checked, out: &mut dyn Write) -> io::Result<()> {
    // What a component says of itself is a stranger's text.
    let safe = |text: &str| text::line(text);
    if let Some(manifest) = &checked.manifest {
        let kinds: Vec<_> = manifest.kinds.iter().map(ToString::to_string).collect();
        writeln!(out, "plugin      {} {}, {}", safe(&manifest.name), manifest.version, kinds.join(", "))?;
        writeln!(out, "says        {}", safe(&manifest.description))?;
        writeln!(out, "contract    towpath:plugin@{}", manifest.wit)?;
    }
    writeln!(out, "size        {} bytes", checked.bytes)?;
    if let Some(anatomy) = &checked.anatomy {
        write_anatomy(anatomy, out)?;
    }
    match checked.compile_ms {
        Some(here) => writeln!(out, "to compile  about {} ms on two cores, {here} ms here", checked.compile_ms_estimated)?,
        None => writeln!(out, "to compile  about {} ms on two cores", checked.compile_ms_estimated)?,
    }
    for power in &checked.powers {
        let how = match (&power.asked, power.imported) {
            (Some(reason), true) => format!("asked for: {}", safe(reason)),
            (Some(reason), false) => format!("asked for and not imported: {}", safe(reason)),
            (None, _) => "imported".to_owned(),
        };
        writeln!(out, "power       {:<10} {how}", safe(&power.name))?;
    }
    for warning in &checked.warnings {
        writeln!(out, "warning     {}", safe(warning))?;
    }
    for why in &checked.refused {
        writeln!(out, "refused     {}", safe(why))?;
    }
    let verdict = match (checked.refused.is_empty(), checked.compile_ms) {
        (false, _) => "a host would refuse it",
        (true, Some(_)) => "a host would take it",
        (true, None) => "nothing was found that a host would refuse; what only compiling finds was not looked for",
    };
    writeln!(out, "{verdict}")
}

fn write_anatomy(anatomy: &Anatomy, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "made of     {} modules, {} bytes of code, {} of data",
        anatomy.modules, anatomy.code_bytes, anatomy.data_bytes
    )?;
    for section in &anatomy.sections {
        writeln!(out, "section     {} ({} bytes)", text::line(&section.name), section.bytes)?;
    }
    for name in &anatomy.exports {
        writeln!(out, "exports     {}", text::line(name))?;
    }
    for name in &anatomy.imports {
        writeln!(out, "imports     {}", text::line(name))?;
    }
    Ok(())
}
