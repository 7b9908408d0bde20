//! Asks every check about this repository.

use std::path::Path;
use std::sync::OnceLock;

use tidy::{Finding, Tree};

/// Returns the repository, read once.
fn repository() -> &'static Tree {
    static TREE: OnceLock<Tree> = OnceLock::new();
    TREE.get_or_init(|| Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap())
}

#[track_caller]
fn nothing_found(check: fn(&Tree) -> Vec<Finding>) {
    let findings = check(repository());
    assert!(findings.is_empty(), "{} to mend\n\n{}", findings.len(), tidy::report(findings));
}

#[test]
fn the_repository_was_read() {
    assert!(
        repository().has("tests/tidy/tests/it/main.rs"),
        "the tree holds {} files and not this one",
        repository().files().count()
    );
}

#[test]
fn files_are_short() {
    for (path, lines) in tidy::long_files(repository()) {
        println!("{path} has {lines} lines: think of splitting it");
    }
    nothing_found(tidy::lengths);
}

#[test]
fn functions_are_short() {
    nothing_found(tidy::functions);
}

#[test]
fn files_say_what_they_are() {
    nothing_found(tidy::headers);
}

#[test]
fn nothing_is_left_over() {
    nothing_found(tidy::leftovers);
}

#[test]
fn tests_wait_for_conditions() {
    nothing_found(tidy::sleeps);
}

#[test]
fn error_codes_have_pages() {
    nothing_found(tidy::error_pages);
}

#[test]
fn documents_name_real_files() {
    nothing_found(tidy::documents);
}

#[test]
fn no_machine_is_named() {
    nothing_found(tidy::machine_paths);
}

#[test]
fn rooms_are_on_the_map() {
    nothing_found(tidy::rooms);
}

#[test]
fn manifests_follow_the_workspace() {
    nothing_found(tidy::manifests);
}

#[test]
fn the_contract_has_sentences_and_what_was_released_stays() {
    nothing_found(tidy::contract);
}

#[test]
fn the_changelog_has_a_next_section() {
    nothing_found(tidy::changelog);
}

#[test]
fn whitespace_is_clean() {
    nothing_found(tidy::whitespace);
}
