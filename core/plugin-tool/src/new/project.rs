//! The files of a project, made of templates.

use std::path::Path;

use plugin_host::Kind;

use crate::ToolError;

/// A project before it is written.
pub(super) struct Project {
    /// Names, seen from the folder, and texts.
    pub(super) files: Vec<(String, String)>,
    /// The commands that come next.
    pub(super) next: Vec<String>,
}

impl Project {
    /// Writes the project to a new folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), ToolError> {
        for (name, text) in &self.files {
            let path = folder.join(name);
            let failed = |source| ToolError::Write { path: path.clone(), source };
            std::fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
            std::fs::write(&path, text).map_err(failed)?;
        }
        Ok(())
    }

    /// Adds the call that `towpath plugin run` is tried with, the case for `towpath plugin test`, and a page with the next commands.
    pub(super) fn explained(mut self, name: &str, kind: Kind, what: &str) -> Self {
        let (call, case) = match kind {
            Kind::Gate => (include_str!("../../templates/call-gate.json"), include_str!("../../templates/case-gate.json")),
            Kind::Health => (include_str!("../../templates/call-health.json"), include_str!("../../templates/case-health.json")),
            Kind::Target => (include_str!("../../templates/call-target.json"), include_str!("../../templates/case-target.json")),
        };
        self.files.push(("call.json".to_owned(), call.to_owned()));
        self.files.push(("case.json".to_owned(), case.to_owned()));
        let run = [
            "towpath plugin build .",
            "towpath plugin check NAME.wasm",
            "towpath plugin run NAME.wasm call.json",
            "towpath plugin test NAME.wasm --case case.json",
        ];
        self.next.extend(run.map(|line| line.replace("NAME", name)));
        let readme = include_str!("../../templates/README.md");
        let readme = readme.replace("WHAT", what).replace("NEXT", &self.next.join("\n"));
        self.files.push(("README.md".to_owned(), filled(&readme, name, kind)));
        self
    }
}

/// Returns a template with the plugin's name and kind in it.
pub(super) fn filled(template: &str, name: &str, kind: Kind) -> String {
    template.replace("PLUGIN-NAME", name).replace("PLUGIN-KIND", &kind.to_string())
}

/// Returns the contract's files for a project whose language has no SDK.
pub(super) fn contract() -> impl Iterator<Item = (String, String)> {
    plugin_build::wit::files().iter().map(|file| (format!("wit/{}", file.name), file.text.to_owned()))
}
