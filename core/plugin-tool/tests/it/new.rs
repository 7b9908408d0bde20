//! Every project that `new` makes passes its own tests, builds, and answers the call that it brings.

use std::path::{Path, PathBuf};
use std::process::Command;

use plugin_host::Kind;
use plugin_tool::ToolError;
use plugin_tool::check::{CheckOptions, check};
use plugin_tool::conform::Outcome;
use plugin_tool::new::{Language, NewOptions, new};
use plugin_tool::run::{RunOptions, run};

use crate::conform::prove_all;
use crate::fixture::{now_ms, workshop};

/// Makes a project in a fresh folder.
fn make(kind: Kind, language: Language) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join(format!("my-{kind}"));
    let sdk = (language == Language::Rust).then(|| test_plugins::workspace().join("sdk/rust"));
    let made = new(&NewOptions { folder: folder.clone(), kind, language, sdk }).expect("a project");
    assert!(made.files.contains(&"README.md".to_owned()) && made.files.contains(&"call.json".to_owned()), "{made:?}");
    let readme = std::fs::read_to_string(folder.join("README.md")).expect("a page");
    assert!(readme.contains(&format!("towpath plugin run my-{kind}.wasm call.json")), "{readme}");
    (root, folder)
}

/// Runs the project's own tests, builds it, checks it, and runs the call that it brings.
async fn prove(kind: Kind, language: Language, mut tests: Command, expect: &str) {
    let (_root, folder) = make(kind, language);
    let finished = tests.current_dir(&folder).output().expect("the language's own runner starts");
    let said = String::from_utf8_lossy(&finished.stdout) + String::from_utf8_lossy(&finished.stderr);
    assert!(finished.status.success(), "{kind} in {language:?}: {said}");

    let component = workshop().build(&folder);
    let checked = check(&CheckOptions { component: component.clone(), compile: true, cache_dir: Some(workshop().compiled()) })
        .expect("checked");
    assert_eq!((checked.refused, checked.warnings), (Vec::new(), Vec::new()), "{kind} in {language:?}");
    assert_eq!(checked.manifest.expect("a manifest").kinds, [kind]);

    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file of the project");
    let options = RunOptions {
        component: component.clone(),
        call: read("call.json"),
        folder: folder.clone(),
        cache_dir: Some(workshop().compiled()),
    };
    let said = run(&options, now_ms).await.expect("run");
    assert!(said.error.is_none(), "{said:?}");
    let answer = said.answer.expect("an answer").to_string();
    assert!(answer.contains(expect), "{kind} in {language:?}: {answer}");

    let proofs = prove_all(component, read("case.json")).await;
    assert!(proofs.iter().all(|proof| proof.outcome == Outcome::Holds), "{kind} in {language:?}: {proofs:#?}");
}

/// What each answers to the call that it brings: nothing listens where the health check and the target ask.
fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Gate => r#""verdict":"pass""#,
        Kind::Health => r#""verdict":"unhealthy""#,
        Kind::Target => r#""retryable":true"#,
    }
}

async fn prove_rust(kind: Kind) {
    let target = workshop().guests().with_file_name("plugins-new");
    // What the workspace has locked is here already; a project of its own would take what is newest.
    let lock = test_plugins::workspace().join("Cargo.lock");
    let mut cargo = Command::new("sh");
    cargo.args(["-c", r#"cp "$0" Cargo.lock && exec cargo test --target-dir "$1""#]).args([lock, target]);
    prove(kind, Language::Rust, cargo, expected(kind)).await;
}

async fn prove_javascript(kind: Kind) {
    let mut node = Command::new("node");
    node.arg("--test");
    prove(kind, Language::JavaScript, node, expected(kind)).await;
}

async fn prove_python(kind: Kind) {
    let mut python = Command::new(workshop().tools()[1].join("python"));
    python.args(["-m", "unittest"]);
    prove(kind, Language::Python, python, expected(kind)).await;
}

#[tokio::test]
async fn in_rust_each_kind_builds_and_passes_its_tests_as_generated() {
    for kind in [Kind::Gate, Kind::Health, Kind::Target] {
        prove_rust(kind).await;
    }
}

#[tokio::test]
async fn in_javascript_each_kind_builds_and_passes_its_tests_as_generated() {
    for kind in [Kind::Gate, Kind::Health, Kind::Target] {
        prove_javascript(kind).await;
    }
}

#[tokio::test]
async fn in_python_each_kind_builds_and_passes_its_tests_as_generated() {
    for kind in [Kind::Gate, Kind::Health, Kind::Target] {
        prove_python(kind).await;
    }
}

/// Returns the libraries that were compiled for guests, and when.
fn libraries(shared: &Path) -> Vec<(PathBuf, std::time::SystemTime)> {
    let folder = shared.join("wasm32-unknown-unknown/release/deps");
    let files = std::fs::read_dir(folder).expect("cargo's folder").map(|entry| entry.expect("an entry").path());
    let libraries = files.filter(|file| file.extension().is_some_and(|ending| ending == "rlib"));
    let mut found: Vec<_> =
        libraries.map(|file| (file.clone(), file.metadata().and_then(|about| about.modified()).expect("a time"))).collect();
    found.sort();
    found
}

#[test]
fn projects_that_stand_alone_share_what_is_compiled_for_all_of_them() {
    let shared = workshop().guests();
    let build = || {
        let (_root, folder) = make(Kind::Gate, Language::Rust);
        std::fs::copy(test_plugins::workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
        let options = plugin_build::Options { shared_dir: Some(shared.clone()), ..plugin_build::Options::default() };
        let built = plugin_build::build(&folder, &options).expect("a component");
        assert!(!folder.join("target").exists(), "nothing is compiled in the project");
        built.digest
    };
    let first = build();
    let compiled = libraries(&shared);
    assert!(compiled.iter().any(|(file, _)| file.to_string_lossy().contains("libserde_json")), "{compiled:?}");
    assert_eq!((build(), libraries(&shared)), (first, compiled), "the second project compiles itself alone");
}

#[test]
fn nothing_is_written_over_and_names_are_checked() {
    let root = tempfile::tempdir().expect("a folder");
    let options = |folder: PathBuf, sdk: Option<PathBuf>| NewOptions { folder, kind: Kind::Gate, language: Language::Rust, sdk };
    let there = root.path().join("there");
    std::fs::create_dir(&there).expect("a folder");
    assert!(matches!(new(&options(there, None)), Err(ToolError::Exists { .. })));
    for name in ["My-Gate", "9", "a b", ".."] {
        assert!(matches!(new(&options(root.path().join(name), None)), Err(ToolError::Name { .. })), "{name}");
    }
    let sdk = Some(root.path().to_owned());
    assert!(matches!(new(&options(root.path().join("g"), sdk)), Err(ToolError::NoSdk { .. })));
    assert!(!root.path().join("g").exists(), "what is refused leaves nothing behind");
}

#[test]
fn without_a_path_the_sdk_is_asked_of_a_registry() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("g");
    new(&NewOptions { folder: folder.clone(), kind: Kind::Gate, language: Language::Rust, sdk: None }).expect("a project");
    assert!(cargo_toml(&folder).contains("towpath-sdk = \"0."), "{}", cargo_toml(&folder));
}

/// Packages the SDK as it would be published, and returns the folder of what a registry would give back.
fn packaged_sdk(root: &Path) -> PathBuf {
    let run = |command: &mut Command| {
        let finished = command.current_dir(root).output().expect("it starts");
        assert!(finished.status.success(), "{command:?}: {}", String::from_utf8_lossy(&finished.stderr));
    };
    let manifest = test_plugins::workspace().join("sdk/rust/Cargo.toml");
    run(Command::new(env!("CARGO"))
        .args(["package", "--no-verify", "--allow-dirty", "--offline", "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(root));
    let packages = std::fs::read_dir(root.join("package")).expect("a package").map(|entry| entry.expect("an entry").path());
    let package = packages.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "crate")).expect("a crate");
    run(Command::new("tar").arg("xzf").arg(&package));
    root.join(package.file_stem().expect("a name"))
}

#[test]
fn the_published_sdk_is_all_that_a_project_needs() {
    let root = tempfile::tempdir().expect("a folder");
    let sdk = packaged_sdk(root.path());
    assert!(sdk.join("wit/powers.wit").is_file(), "the contract is inside of it");
    let folder = root.path().join("a-check");
    new(&NewOptions { folder: folder.clone(), kind: Kind::Health, language: Language::Rust, sdk: Some(sdk) }).expect("a project");
    std::fs::copy(test_plugins::workspace().join("Cargo.lock"), folder.join("Cargo.lock")).expect("copied");
    let checked =
        check(&CheckOptions { component: workshop().build(&folder), compile: false, cache_dir: None }).expect("checked");
    assert_eq!((checked.refused, checked.warnings), (Vec::new(), Vec::new()));
    assert_eq!(checked.manifest.expect("a manifest").kinds, [Kind::Health]);
}

fn cargo_toml(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("Cargo.toml")).expect("a manifest")
}

/// What an author learns first is what is copied: not a request by hand, nor a fence beside the SDK's own.
#[test]
fn a_target_in_rust_begins_with_what_the_sdk_has_for_targets() {
    let (_root, folder) = make(Kind::Target, Language::Rust);
    let source = std::fs::read_to_string(folder.join("src/lib.rs")).expect("a source");
    for used in ["Request::new(", "Stamp::order(", "Stamp::of(", "retry::fault(", "retry::unanswered("] {
        assert!(source.contains(used), "{used} is not in it");
    }
    assert!(!source.contains("redirects_max:"), "a request is made by hand, field by field");
}
