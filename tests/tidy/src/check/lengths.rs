//! Files stay short enough to read in one sitting.

use crate::{File, Finding, Tree};

/// A file that is longer holds more than one idea.
const FILE_LINES_MAX: usize = 800;

/// What files keep to by habit; a longer one is shown, not refused.
const FILE_LINES_HABIT: usize = 400;

/// Returns a finding for each Rust file that is too long.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.ending(".rs").filter_map(too_long).collect()
}

/// Returns the Rust files that are longer than the habit, with their lines.
pub fn long_files(tree: &Tree) -> Vec<(&str, usize)> {
    let lengths = tree.ending(".rs").map(|file| (file.path.as_str(), file.text.lines().count()));
    lengths.filter(|(_, lines)| *lines > FILE_LINES_HABIT).collect()
}

fn too_long(file: &File) -> Option<Finding> {
    let lines = file.text.lines().count();
    let what = format!("the file has {lines} lines, at most {FILE_LINES_MAX} are allowed");
    let mend = format!("split it by idea; files here keep to {FILE_LINES_HABIT} lines by habit");
    (lines > FILE_LINES_MAX).then(|| Finding::new(&file.path, FILE_LINES_MAX + 1, what, mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_long_file_is_found() {
        let tree = Tree::of([("a.rs", "x\n".repeat(800)), ("b.rs", "x\n".repeat(801)), ("c.md", "x\n".repeat(900))]);
        assert_eq!(check(&tree).iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["b.rs"]);
        assert_eq!(long_files(&tree), [("a.rs", 800), ("b.rs", 801)]);
    }
}
