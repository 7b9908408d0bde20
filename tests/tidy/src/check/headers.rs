//! Every Rust file opens with what it is.
//!
//! Not asked of `tests.rs`: it is the tests of the file that it stands beside.

use crate::{Finding, Tree};

/// Returns a finding for each Rust file that does not begin with a module comment.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let silent = tree.ending(".rs").filter(|file| file.name() != "tests.rs" && !file.text.starts_with("//!"));
    let mend = "begin it with `//!` and one sentence: what it is, and if that is not obvious, what it is not";
    silent.map(|file| Finding::new(&file.path, 1, "the file does not say what it is", mend)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_first_sentence_is_found() {
        let tree = Tree::of([("a.rs", "//! The a.\n"), ("b.rs", "use a;\n"), ("c.py", ""), ("d/tests.rs", "use super::*;\n")]);
        assert_eq!(check(&tree).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["b.rs"]);
    }
}
