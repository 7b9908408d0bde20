//! `towpath plugin test`.

use std::io::{self, Write};

use cli::{Output, text};
use plugin_tool::conform::{self, Outcome, Proof, TestOptions};

use super::args::TestArgs;
use super::{Verdict, compiled, failed, json, read, unsaid};
use crate::clock;
use crate::failure::Failure;

pub(super) async fn run(args: &TestArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let case = args.case.as_deref().map(read).transpose()?;
    let folder = args.case.as_deref().and_then(std::path::Path::parent).unwrap_or(&args.file).to_owned();
    let options = TestOptions { component: read(&args.file)?, case, folder, cache_dir: compiled() };
    let proofs = conform::test(&options, clock::now_ms).await.map_err(|error| failed(&error))?;
    if output.context.json {
        json(&proofs, output)?;
    } else {
        write(&proofs, &mut *output.out).map_err(unsaid)?;
    }
    let broken = proofs.iter().any(|proof| matches!(proof.outcome, Outcome::Broken(_)));
    Ok(if broken { Verdict::Wanting } else { Verdict::Good })
}

fn write(proofs: &[Proof], out: &mut dyn Write) -> io::Result<()> {
    let (mut broken, mut not_asked) = (0, 0);
    for Proof { kind, check, outcome } in proofs {
        match outcome {
            Outcome::Holds => writeln!(out, "holds      {kind}: {check}")?,
            Outcome::Broken(why) => {
                broken += 1;
                writeln!(out, "broken     {kind}: {check}: {}", text::line(why))?;
            }
            Outcome::NotAsked(why) => {
                not_asked += 1;
                writeln!(out, "not asked  {kind}: {check}: {why}")?;
            }
        }
    }
    writeln!(out, "{} hold, {broken} are broken, {not_asked} were not asked", proofs.len() - broken - not_asked)
}
