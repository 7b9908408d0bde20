//! Every code that a program can print has a page, and every page a program that can print its code.

use std::collections::BTreeMap;

use crate::{File, Finding, Tree};

/// Where the pages are.
const PAGES: &str = "core/errors";

/// What every page tells.
const SECTIONS: [&str; 3] = ["## What it means", "## What it looks like", "## How to mend it"];

/// How many digits follow the letters.
const DIGITS: usize = 4;

/// Returns a finding for each code without a page, page without a code, and page that does not tell enough.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let used = used(tree);
    let unknown = used.iter().filter(|(code, _)| tree.file(&page(code)).is_none());
    let mut findings: Vec<Finding> = unknown
        .map(|(code, (path, line))| {
            let what = format!("{code} has no page");
            Finding::new(path, *line, what, format!("write {}, or use a code of the table in {PAGES}/README.md", page(code)))
        })
        .collect();
    for file in tree.files().filter(|file| file.folder() == PAGES && file.name().starts_with("TP")) {
        findings.extend(poor_page(tree, file, &used));
    }
    findings
}

fn page(code: &str) -> String {
    format!("{PAGES}/{code}.md")
}

fn poor_page(tree: &Tree, file: &File, used: &BTreeMap<String, (String, usize)>) -> Vec<Finding> {
    let code = file.name().trim_end_matches(".md");
    let mut findings = Vec::new();
    let mut find = |what: String, mend: &str| findings.push(Finding::new(&file.path, 1, what, mend));
    if !used.contains_key(code) {
        find(format!("no program prints {code}"), "delete the page, and its line in the table");
    }
    if !file.text.starts_with(&format!("# {code}: ")) {
        find(format!("the page does not begin with `# {code}: `"), "give it that title, with what it is about behind it");
    }
    for section in SECTIONS.iter().filter(|section| !file.text.lines().any(|line| line == **section)) {
        find(format!("the page has no section `{section}`"), "write it: a reader comes here from an error message");
    }
    let index = format!("{PAGES}/README.md");
    if !tree.file(&index).is_some_and(|index| index.text.contains(&format!("]({code}.md)"))) {
        find(format!("the table in {index} has no line for {code}"), "add it, with a link");
    }
    findings
}

/// Returns every code in the programs and the contract, with its first place.
fn used(tree: &Tree) -> BTreeMap<String, (String, usize)> {
    let mut used = BTreeMap::new();
    let sources = tree.files().filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".proto"));
    // The examples in this crate are none that a program prints.
    for file in sources.filter(|file| !file.path.starts_with("tests/tidy/")) {
        for (line, text) in file.lines() {
            for code in codes(text) {
                used.entry(code).or_insert_with(|| (file.path.clone(), line));
            }
        }
    }
    used
}

fn codes(text: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric();
    let words = text.split(|c| !word(c));
    words.filter(|word| is_code(word)).map(str::to_owned).collect()
}

fn is_code(word: &str) -> bool {
    word.strip_prefix("TP").is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TP0001: it\n## What it means\n## What it looks like\n## How to mend it\n";
    const INDEX: &str = "| [TP0001](TP0001.md) | it |\n";

    #[track_caller]
    fn whats(files: &[(&str, &str)], expected: &[&str]) {
        let findings = check(&Tree::of(files.iter().copied()));
        assert_eq!(findings.iter().map(|finding| finding.what.as_str()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_code_with_a_good_page_is_fine() {
        whats(&[("a.rs", "\"TP0001\""), ("core/errors/TP0001.md", PAGE), ("core/errors/README.md", INDEX)], &[]);
    }

    #[test]
    fn a_code_without_a_page_is_found() {
        whats(&[("a.rs", "\"TP0002\"; HTTP2000; TP00021")], &["TP0002 has no page"]);
    }

    #[test]
    fn a_page_without_a_code_is_found() {
        whats(&[("core/errors/TP0001.md", PAGE), ("core/errors/README.md", INDEX)], &["no program prints TP0001"]);
    }

    #[test]
    fn a_page_tells_everything() {
        let files =
            [("a.rs", "TP0001"), ("core/errors/TP0001.md", "# TP0001: it\n## What it means\n"), ("core/errors/README.md", "")];
        whats(
            &files,
            &[
                "the page has no section `## What it looks like`",
                "the page has no section `## How to mend it`",
                "the table in core/errors/README.md has no line for TP0001",
            ],
        );
    }
}
