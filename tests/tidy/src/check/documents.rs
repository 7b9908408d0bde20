//! Documents name files that exist: in links, and as paths in `code`.

use crate::{File, Finding, Tree};

/// The folders whose paths documents name from the top of the repository.
const ROOTS: [&str; 6] = ["core/", "examples/", "plugins/", "proto/", "sdk/", "tests/"];

/// Characters that make a path a pattern or an example.
const PATTERN: [char; 9] = ['*', '<', '>', '{', '…', '$', ' ', '"', '('];

/// Returns a finding for each link and each path that leads nowhere.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".md").flat_map(|file| in_file(tree, file)).collect()
}

fn in_file(tree: &Tree, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_example = false;
    for (line, text) in file.lines() {
        if text.trim_start().starts_with("```") {
            in_example = !in_example;
            continue;
        }
        if in_example {
            continue;
        }
        for link in links(text).filter(|link| !leads(tree, file, link)) {
            findings.push(Finding::new(
                &file.path,
                line,
                format!("the link `{link}` leads nowhere"),
                "name a file of the repository",
            ));
        }
        for path in paths(text).filter(|path| !tree.has(path)) {
            findings.push(Finding::new(
                &file.path,
                line,
                format!("there is no `{path}`"),
                "name a file or folder of the repository",
            ));
        }
    }
    findings
}

/// Returns the targets of the line's links that are no addresses and no anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:"))
}

fn leads(tree: &Tree, file: &File, link: &str) -> bool {
    let target = link.split('#').next().unwrap_or(link);
    let mut parts: Vec<&str> = file.folder().split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return false;
                }
            }
            name => parts.push(name),
        }
    }
    parts.is_empty() || tree.has(&parts.join("/"))
}

/// Returns the paths of the repository that stand between backticks.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|code| ROOTS.iter().any(|root| code.starts_with(root)) && !code.contains(PATTERN) && !code.contains("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(text: &str, expected: &[&str]) {
        let findings = check(&Tree::of([("core/A.md", text), ("core/b/c.rs", ""), ("README.md", "")]));
        assert_eq!(findings.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn links_lead_to_files() {
        finds("[a](b/c.rs) [b](../README.md#tour) [c](https://example.com) [d](#words) [e](..)", &[]);
        finds("[a](b/d.rs)", &["the link `b/d.rs` leads nowhere"]);
        finds("[a](../../README.md)", &["the link `../../README.md` leads nowhere"]);
    }

    #[test]
    fn paths_in_code_exist() {
        finds("`core/b` `core/b/c.rs` `core/*/src` `cargo test` `core::mem`", &[]);
        finds("`core/d`", &["there is no `core/d`"]);
    }

    #[test]
    fn examples_may_name_anything() {
        finds("```\n`core/d` [a](b)\n```\n", &[]);
    }
}
