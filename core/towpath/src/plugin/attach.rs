//! `towpath plugin attach`.

use cli::Output;

use super::args::AttachArgs;
use super::{Place, Verdict, json, read, travels, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &AttachArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let place = Place::of(&args.reference, &args.places)?;
    let attached = place.attach_sbom(&read(&args.file)?).await.map_err(|error| travels(&error))?;
    if output.context.json {
        json(&serde_json::json!({ "reference": place.named(&attached) }), output)?;
    } else {
        writeln!(output.out, "attached to {}", place.named(&attached)).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
