//! The contract of plugins: every word of it has a sentence, and what was released never changes.

use sha2::{Digest as _, Sha256};

use crate::{File, Finding, Tree};

/// Where the contract lies, a folder per version.
const CONTRACT: &str = "sdk/wit/";

/// The files of the released versions, with the SHA-256 of each: authors and tools of other languages have copies of them.
const RELEASED: [(&str, &str); 12] = [
    ("sdk/wit/0.1/gate.wit", "2f6204d9759186117ba468cda8d43503d315c6acbdf4739ac91d5b4d6e546f52"),
    ("sdk/wit/0.1/health.wit", "f7656bb9beb3b16c5c92da1403925f348eea3aec8c758302503c38c752ffd964"),
    ("sdk/wit/0.1/powers.wit", "8a65fac7ad2523a0a0929dcd7bca6bebddc07a9b3423c2f9b85a94dc6caf6a58"),
    ("sdk/wit/0.1/target.wit", "71fc31f039570c7663b5e593388f343a25c74644e9736e44877b6c08771c3b05"),
    ("sdk/wit/0.1/types.wit", "38b665cb9063178f9960c2d7fbe19dcab149e32925f8d70834e37c2b810ade11"),
    ("sdk/wit/0.1/worlds.wit", "3c036082d3ca27cbeee7023e5c6f0dec8f757eb5cf3fbc1d836a6a5f3fae75d0"),
    ("sdk/wit/0.2/gate.wit", "896b2b6e1e5f36ce758e7427bb3da85211eb76e70366617e2c47f178e8c8dbc4"),
    ("sdk/wit/0.2/health.wit", "e06c1e76f382c78f0143bdd85b79597e9a32ad134fbedea1c95d23e38f605bb9"),
    ("sdk/wit/0.2/powers.wit", "894775ea05ad8161a4c999334693f4b8a43951107aae146419379094b8bd0d83"),
    ("sdk/wit/0.2/target.wit", "c7f10ce586f218c0961e6c77d3669e6df6abd1b57aea7f8ae32710eb33a421a3"),
    ("sdk/wit/0.2/types.wit", "304a8ace2f9d3a9810154894545a7839f829f3586cd28d8559230093aa4df1a8"),
    ("sdk/wit/0.2/worlds.wit", "1b2f95ae0d97393cb55fd978ae04c71889c292237a5ac497d2b493423dc7a053"),
];

/// Returns a finding for each released file that is not as it was, and each word of other versions that has no sentence before it.
pub fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, &RELEASED)
}

fn check_with(tree: &Tree, released: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = released.iter().filter_map(|(path, hash)| changed(tree, path, hash)).collect();
    let is_released = |folder: &str| released.iter().any(|(path, _)| path.rsplit_once('/').is_some_and(|(of, _)| of == folder));
    for file in tree.ending(".wit").filter(|file| file.path.starts_with(CONTRACT)) {
        match is_released(file.folder()) {
            false => findings.extend(undocumented(file)),
            true if released.iter().any(|(path, _)| *path == file.path) => {}
            true => {
                let what = format!("`{}` was released without this file", file.folder());
                findings.push(Finding::new(&file.path, 1, what, "put it into the folder of a version that is not released"));
            }
        }
    }
    findings
}

fn changed(tree: &Tree, path: &str, hash: &str) -> Option<Finding> {
    let found = tree.file(path).map(|file| format!("{:x}", Sha256::digest(&file.text)));
    let what = match found {
        Some(found) if found == hash => return None,
        Some(found) => format!("the released file has SHA-256 {found}, it was released with {hash}"),
        None => "the released file is gone".to_owned(),
    };
    Some(Finding::new(path, 1, what, "restore it; what is to change changes in a new folder beside it"))
}

/// Returns a finding for each declaration without a line of documentation right before it.
fn undocumented(file: &File) -> Vec<Finding> {
    let (mut findings, mut documented, mut open) = (Vec::new(), false, 0_usize);
    for (line, text) in file.lines() {
        let text = text.trim();
        if text.starts_with("//") {
            documented |= text.starts_with("///");
            continue;
        }
        // The parameters of a function are explained with it.
        if open == 0 && is_declaration(text) && !documented {
            let what = format!("`{text}` has no sentence");
            findings.push(Finding::new(&file.path, line, what, "say in a line with `///` before it what it is"));
        }
        open = (open + text.matches('(').count()).saturating_sub(text.matches(')').count());
        documented = false;
    }
    findings
}

fn is_declaration(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(['}', ')']) && !text.starts_with("package ") && !text.starts_with("use ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_needs_a_sentence_right_before_it() {
        let text = "package a:b@1.0.0;\n/// An interface.\ninterface a {\n    use types.{x};\n    record r {\n        /// A field.\n        f: u8,\n\n        g: u8,\n    }\n\
                    /// A function.\n    go: func(\n        one: u8,\n    ) -> u8;\n    // not for readers\n    stop: func();\n}\n";
        let findings = check_with(&Tree::of([("sdk/wit/9.9/a.wit", text), ("other/a.wit", "record r {\n}\n")]), &[]);
        let places: Vec<_> = findings.iter().map(|finding| (finding.path.as_str(), finding.line)).collect();
        assert_eq!(places, [("sdk/wit/9.9/a.wit", 5), ("sdk/wit/9.9/a.wit", 9), ("sdk/wit/9.9/a.wit", 16)]);
    }

    #[test]
    fn a_released_file_is_as_it_was_and_alone_with_the_others() {
        let hash = format!("{:x}", Sha256::digest("as it was"));
        let released = [("sdk/wit/1.0/a.wit", hash.as_str())];
        let found = |files: &[(&str, &str)]| {
            let findings = check_with(&Tree::of(files.iter().copied()), &released);
            findings.into_iter().map(|finding| finding.what).collect::<Vec<_>>()
        };
        assert!(found(&[("sdk/wit/1.0/a.wit", "as it was")]).is_empty());
        assert!(found(&[("sdk/wit/1.0/a.wit", "as it was ")])[0].contains("it was released with"));
        assert!(found(&[])[0].contains("is gone"));
        let more = found(&[("sdk/wit/1.0/a.wit", "as it was"), ("sdk/wit/1.0/b.wit", "")]);
        assert!(more[0].contains("without this file"), "{more:?}");
    }
}
