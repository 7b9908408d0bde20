//! `towpath plugin push`.

use cli::Output;
use plugin_tool::check::{self, CheckOptions};

use super::args::PushArgs;
use super::{Place, Verdict, blocking, json, read, travels, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &PushArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let (component, to) = (read(&args.file)?, Place::of(&args.reference, &args.places)?);
    let options = CheckOptions { component: component.clone(), compile: false, cache_dir: None };
    let checked = blocking(move || check::check(&options)).await?;
    if let Some(why) = checked.refused.first() {
        return Err(Failure::new("TP0625", format!("{} is not published: {why}", args.file.display())).usage());
    }
    let pushed = to.push(&component).await.map_err(|error| travels(&error))?;
    if output.context.json {
        json(&serde_json::json!({ "reference": to.named(&pushed.reference), "manifestDigest": pushed.manifest_digest }), output)?;
    } else {
        writeln!(output.out, "pushed {}", to.named(&pushed.reference)).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
