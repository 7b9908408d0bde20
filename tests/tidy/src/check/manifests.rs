//! Manifests say `workspace = true`: versions, features and lints are decided once, in the root manifest.

use crate::{File, Finding, Tree};

/// Returns a finding for each dependency with a version of its own, and each crate with lints of its own.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending("/Cargo.toml").filter(|file| !is_template(file)).flat_map(in_file).collect()
}

/// What is copied for a new crate outside of this workspace.
fn is_template(file: &File) -> bool {
    file.path.contains("/template")
}

fn in_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (mut section, mut lints) = (String::new(), false);
    for (line, text) in file.lines() {
        let text = text.trim();
        if text.starts_with('[') {
            section = text.trim_matches(['[', ']']).to_owned();
        } else if section == "lints" {
            lints |= text == "workspace = true";
        } else if section.ends_with("dependencies") && is_own_version(text) {
            let mend = "put it into [workspace.dependencies] of the root manifest and say `name.workspace = true` here";
            findings.push(Finding::new(&file.path, line, format!("`{text}` does not come from the workspace"), mend));
        }
    }
    if !lints {
        findings.push(Finding::new(
            &file.path,
            1,
            "the crate does not use the workspace's lints",
            "add `[lints]` with `workspace = true`",
        ));
    }
    findings
}

fn is_own_version(text: &str) -> bool {
    text.contains('=') && !text.starts_with('#') && !text.contains("workspace = true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_lints_come_from_the_workspace() {
        let good =
            "[dependencies]\na.workspace = true\nb = { workspace = true, features = [\"c\"] }\n[lints]\nworkspace = true\n";
        let bad = "[package]\nname = \"b\"\n[dev-dependencies]\n# why\na = \"1\"\n";
        let findings = check(&Tree::of([("core/a/Cargo.toml", good), ("core/b/Cargo.toml", bad), ("Cargo.toml", bad)]));
        let places = findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect::<Vec<_>>();
        assert_eq!(places, [("core/b/Cargo.toml", 5), ("core/b/Cargo.toml", 1)]);
    }
}
