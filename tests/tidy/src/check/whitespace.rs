//! Characters that nobody sees but every diff.

use crate::{File, Finding, Tree};

/// Files whose form is not ours: written by a program, or with tabs that mean something.
const TABBED: [&str; 2] = ["Makefile", ".tsv"];

/// Returns a finding for trailing spaces, tabs, carriage returns and a missing last line end.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().filter(|file| !is_golden(file)).flat_map(in_file).collect()
}

/// What a program printed stays as it was printed.
fn is_golden(file: &File) -> bool {
    file.path.contains("/golden/") || file.path.contains("/snapshots/")
}

fn in_file(file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |line, what: &str, mend: &str| findings.push(Finding::new(&file.path, line, what, mend));
    let tabs_are_fine = TABBED.iter().any(|ending| file.path.ends_with(ending));
    for (index, text) in file.text.split('\n').enumerate() {
        if text.ends_with([' ', '\t', '\r']) {
            find(index + 1, "the line ends in a space, a tab or a carriage return", "take it away");
        }
        if !tabs_are_fine && text.contains('\t') {
            find(index + 1, "the line holds a tab", "write spaces, or `\\t` in a text");
        }
    }
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        find(file.text.lines().count(), "the last line has no end", "add a line end");
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_found() {
        let tree = Tree::of([("a.rs", "a \nb\n\tc\nd"), ("Makefile", "a:\n\tb\n"), ("core/a/tests/golden/b.txt", "a \n")]);
        let findings = check(&tree);
        assert_eq!(
            findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect::<Vec<_>>(),
            [("a.rs", 1), ("a.rs", 3), ("a.rs", 4)]
        );
    }
}
