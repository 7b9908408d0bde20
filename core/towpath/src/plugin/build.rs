//! `towpath plugin build`: the same call that builds the first-party plugins.

use cli::Output;
use plugin_tool::build::{self, BuildOptions};
use serde_json::json;

use super::args::BuildArgs;
use super::{Verdict, blocking, json, unsaid};
use crate::failure::Failure;
use crate::settings;

pub(super) async fn run(args: &BuildArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let options = BuildOptions {
        folder: args.folder.clone(),
        output: args.output.clone(),
        tools: args.tools.clone(),
        target_dir: args.target_dir.clone(),
        shared_dir: settings::cache_dir().map(|cache| cache.join("guests")),
    };
    let (built, file) = blocking(move || build::build(&options)).await?;
    let bytes = built.component.len();
    if output.context.json {
        let said = json!({ "file": file, "bytes": bytes, "digest": built.digest, "manifest": built.manifest });
        json(&said, output)?;
    } else {
        writeln!(output.out, "built {} ({bytes} bytes, {})", file.display(), built.digest).map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
