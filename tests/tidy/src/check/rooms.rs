//! The map shows every room, and the pure rooms are pure.

use crate::{Finding, Tree};

/// The map.
const MAP: &str = "core/ARCHITECTURE.md";

/// Rooms without an operating system: nobody can read a clock or a file there by accident.
const PURE: [&str; 2] = ["model", "machine"];

/// What makes a room pure.
const NO_STD: &str = "#![cfg_attr(not(test), no_std)]";

/// Returns a finding for each room that the map leaves out, and each pure room that is not.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let map = tree.file(MAP).map_or("", |file| file.text.as_str());
    let rooms = tree.files().filter_map(|file| file.path.strip_prefix("core/")?.strip_suffix("/Cargo.toml"));
    let left_out = rooms.filter(|room| !map.contains(&format!("`{room}`")));
    let mut findings: Vec<Finding> = left_out
        .map(|room| {
            let what = format!("{MAP} does not name the room `{room}`");
            Finding::new(
                &format!("core/{room}/Cargo.toml"),
                1,
                what,
                "give it a paragraph there, and a row in the table of dependencies",
            )
        })
        .collect();
    for room in PURE {
        let path = format!("core/{room}/src/lib.rs");
        if tree.file(&path).is_none_or(|file| !file.text.contains(NO_STD)) {
            findings.push(Finding::new(&path, 1, format!("the room `{room}` is not pure"), format!("put `{NO_STD}` into it")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_on_the_map_and_pure() {
        let files = [
            (MAP, "`model` `machine`"),
            ("core/model/src/lib.rs", NO_STD),
            ("core/machine/src/lib.rs", ""),
            ("core/engine/Cargo.toml", ""),
        ];
        let whats = check(&Tree::of(files)).into_iter().map(|finding| finding.what).collect::<Vec<_>>();
        assert_eq!(whats, ["core/ARCHITECTURE.md does not name the room `engine`", "the room `machine` is not pure"]);
    }
}
