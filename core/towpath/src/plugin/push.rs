//! `towpath plugin push`.

use std::collections::BTreeMap;

use cli::Output;
use plugin_tool::check::{self, CheckOptions};

use super::args::PushArgs;
use super::{Verdict, blocking, json, read, reference, registries, travels, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &PushArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let (component, to) = (read(&args.file)?, reference(&args.reference)?);
    let options = CheckOptions { component: component.clone(), compile: false, cache_dir: None };
    let checked = blocking(move || check::check(&options)).await?;
    if let Some(why) = checked.refused.first() {
        return Err(Failure::new("TP0625", format!("{} is not published: {why}", args.file.display())).usage());
    }
    let registries = registries(&args.places)?;
    let pushed = distribution::push(&registries, &to, &component, &BTreeMap::new()).await.map_err(|error| travels(&error))?;
    if output.context.json {
        json(
            &serde_json::json!({ "reference": pushed.reference.to_string(), "manifestDigest": pushed.manifest_digest }),
            output,
        )?;
    } else {
        writeln!(output.out, "pushed {}", pushed.reference).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
