//! `towpath plugin build`: from a crate's folder to a component in a file.

use std::path::Path;

use cli::Output;
use plugin_build::Options;

use crate::args::BuildArgs;
use crate::fault::Fault;

/// Builds a plugin and writes the component.
pub(crate) fn build(args: &BuildArgs, output: &mut Output) -> Result<(), Fault> {
    let options = Options { output: plugin_build::Output::Show, ..Options::default() };
    let built = plugin_build::build(&args.folder, &options)
        .map_err(|error| Fault::broken(format!("{} cannot be built", args.folder.display()), &error))?;
    write(&args.output, &built.component)
        .map_err(|error| Fault::broken(format!("{} cannot be written", args.output.display()), &error))?;
    let (name, bytes) = (&built.manifest.name, built.component.len());
    let said = match output.context.json {
        true => {
            let file = args.output.display().to_string();
            let value = serde_json::json!({"name": name, "digest": built.digest, "bytes": bytes, "file": file});
            writeln!(output.out, "{value}")
        }
        false => writeln!(output.out, "plugin {name}: {} ({bytes} bytes) in {}", built.digest, args.output.display()),
    };
    said.map_err(|error| Fault::broken("the answer could not be written", &error))
}

/// A half-written component must never be found under the name.
fn write(path: &Path, component: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, component)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
