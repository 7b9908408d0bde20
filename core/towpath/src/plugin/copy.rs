//! `towpath plugin save` and `towpath plugin load`: between a registry and a folder, with signatures and whatever else is attached.

use cli::Output;
use distribution::Folder;

use super::args::{LoadArgs, SaveArgs};
use super::{Verdict, json, reference, registries, travels, unsaid};
use crate::failure::Failure;

pub(super) async fn save(args: &SaveArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let (what, registries) = (reference(&args.reference)?, registries(&args.places)?);
    let folder = Folder::at(&args.folder);
    let saved = distribution::save(&registries, &what, &folder).await.map_err(|error| travels(&error))?;
    let plugins = folder.names().await.map_err(|error| travels(&error))?.len();
    let named = super::Place::Folder(folder, what).named(&saved);
    if output.context.json {
        json(
            &serde_json::json!({ "reference": saved.to_string(), "folder": args.folder, "install": named, "names": plugins }),
            output,
        )?;
    } else {
        writeln!(output.out, "saved {named}").map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}

pub(super) async fn load(args: &LoadArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let (what, registries) = (reference(&args.reference)?, registries(&args.places)?);
    let loaded = distribution::load(&Folder::at(&args.folder), &registries, &what).await.map_err(|error| travels(&error))?;
    if output.context.json {
        json(&serde_json::json!({ "reference": loaded.to_string() }), output)?;
    } else {
        writeln!(output.out, "loaded {loaded}").map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
