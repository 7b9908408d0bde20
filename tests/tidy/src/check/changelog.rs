//! The changelog has a place for what comes next.

use crate::{Finding, Tree};

/// The changelog.
const CHANGELOG: &str = "CHANGELOG.md";

/// The section of what is not released yet.
const UNRELEASED: &str = "## [Unreleased]";

/// Returns a finding when there is no section for what is not released yet.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let has = tree.file(CHANGELOG).is_some_and(|file| file.text.lines().any(|line| line == UNRELEASED));
    let finding = || {
        Finding::new(CHANGELOG, 1, format!("there is no section `{UNRELEASED}`"), "begin one, and say there what users will see")
    };
    if has { Vec::new() } else { vec![finding()] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_section_is_there() {
        assert!(check(&Tree::of([(CHANGELOG, "# Changelog\n\n## [Unreleased]\n")])).is_empty());
        assert_eq!(check(&Tree::of([(CHANGELOG, "# Changelog\n")])).len(), 1);
    }
}
