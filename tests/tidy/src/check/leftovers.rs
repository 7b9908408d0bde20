//! What only an unfinished piece of work has: unwritten code, tests that nobody runs, a second test binary.

use crate::{File, Finding, Tree};

/// What may not stand in code, and what to do instead.
const LEFTOVERS: [(&str, &str); 3] = [
    ("todo!", "write it, or return an error that says what is not there yet"),
    ("unimplemented!", "write it, or return an error that says what is not there"),
    ("#[ignore", "a test that is not run proves nothing: mend it or delete it"),
];

/// Returns a finding for each leftover.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, source) in tree.rust() {
        for (line, code) in source.lines() {
            for (word, mend) in LEFTOVERS.iter().filter(|(word, _)| code.contains(word)) {
                findings.push(Finding::new(&file.path, line, format!("`{word}` is left over"), *mend));
            }
        }
        findings.extend(second_binary(tree, file));
    }
    findings
}

/// Each file directly in a crate's `tests` folder is a program of its own to link, and none can share helpers.
fn second_binary(tree: &Tree, file: &File) -> Option<Finding> {
    let krate = file.folder().strip_suffix("/tests")?;
    let mend = format!("make it a module of {krate}/tests/it/main.rs");
    tree.has(&format!("{krate}/Cargo.toml"))
        .then(|| Finding::new(&file.path, 1, "the file is a test binary of its own, each crate has one", mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_comments_and_texts_are_fine() {
        let tree = Tree::of([("a.rs", "// todo!()\nlet a = \"todo!\";\nfn b() {\n    todo!()\n}\n")]);
        assert_eq!(check(&tree).iter().map(|finding| finding.line).collect::<Vec<_>>(), [4]);
    }

    #[test]
    fn a_crate_has_one_test_binary() {
        let tree = Tree::of([("core/a/Cargo.toml", ""), ("core/a/tests/b.rs", ""), ("core/a/tests/it/main.rs", "")]);
        assert_eq!(check(&tree).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["core/a/tests/b.rs"]);
    }
}
