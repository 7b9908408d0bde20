//! `towpath plugin new`.

use cli::Output;
use plugin_tool::new::{self, NewOptions};

use super::args::{Kind, Language, NewArgs};
use super::{Verdict, blocking, json, unsaid};
use crate::failure::Failure;

pub(super) async fn run(args: &NewArgs, output: &mut Output) -> Result<Verdict, Failure> {
    let kind = match args.kind {
        Kind::Target => plugin_host::Kind::Target,
        Kind::Gate => plugin_host::Kind::Gate,
        Kind::Health => plugin_host::Kind::Health,
    };
    let language = match args.language {
        Language::Rust => new::Language::Rust,
        Language::JavaScript => new::Language::JavaScript,
        Language::Python => new::Language::Python,
    };
    let options = NewOptions { folder: args.name.clone(), kind, language, sdk: args.sdk.clone() };
    let made = blocking(move || new::new(&options)).await?;
    if output.context.json {
        json(&made, output)?;
        return Ok(Verdict::Good);
    }
    writeln!(output.out, "made {} with {} files; next, in that folder:", made.folder.display(), made.files.len())
        .map_err(unsaid)?;
    for line in &made.next {
        writeln!(output.out, "  {line}").map_err(unsaid)?;
    }
    Ok(Verdict::Good)
}
