//! Nothing in the repository knows the machine that it was written on, or where packages come from.

use crate::{Finding, Tree};

/// What may not stand in a file. In pieces, so that this file does not hold them.
const FORBIDDEN: [[&str; 2]; 10] = [
    ["/wo", "rk/"],
    ["/ro", "ot/"],
    ["/ho", "me/"],
    ["/tmp/tar", "get-"],
    [".lib", "rary/"],
    ["index.crates", ".io"],
    ["static.crates", ".io"],
    ["py", "pi.org"],
    ["registry.npm", "js.org"],
    ["deb.deb", "ian.org"],
];

/// Written by cargo, and names its registry.
const LOCK_FILE: &str = "Cargo.lock";

/// Returns a finding for each path of a machine and each host of a registry.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files().filter(|file| file.name() != LOCK_FILE) {
        for (line, text) in file.lines() {
            for word in FORBIDDEN.iter().map(|pieces| pieces.concat()).filter(|word| stands_in(word, text)) {
                let mend = "say it relative to the repository, or take it from the environment";
                findings.push(Finding::new(&file.path, line, format!("`{word}` holds on one machine only"), mend));
            }
        }
    }
    findings
}

/// Returns whether the text holds the word and not as the end of a longer one (`net/wo…` is fine).
fn stands_in(word: &str, text: &str) -> bool {
    text.match_indices(word).any(|(at, _)| !text[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '}' | '-' | '_')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_found() {
        let path = ["/wo", "rk/main"].concat();
        let tree = Tree::of([("a.md", format!("see\n{path}\n")), ("b.md", format!("net{path}\n")), ("Cargo.lock", path)]);
        let findings = check(&tree);
        assert_eq!(findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect::<Vec<_>>(), [("a.md", 2)]);
    }
}
