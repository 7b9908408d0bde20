//! An author makes a key, publishes and signs; others fetch it when they believe that key, from a real registry.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::rig::{TOWPATH, free_port, wait_for};

/// A registry that everybody may write to. Stops when dropped.
struct Registry {
    child: Child,
    address: String,
}

impl Registry {
    fn start(folder: &Path) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let (file, store) = (folder.join("registry.yml"), folder.join("registry"));
        let text = format!(
            "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"{address}\" }}\n",
            store.display()
        );
        fs::write(&file, text).unwrap();
        let mut command = Command::new("docker-registry");
        let started = command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = started.expect("docker-registry; install it with `apt-get install docker-registry`");
        wait_for("the registry", || TcpStream::connect(&address).ok());
        Self { child, address }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn plugin(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(TOWPATH);
    command
        .arg("plugin")
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .env("COSIGN_PASSWORD", "of the key");
    command.stdin(Stdio::null()).output().unwrap()
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = plugin(folder, arguments);
    assert!(output.status.success(), "towpath plugin {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = plugin(folder, arguments);
    assert_eq!(output.status.code(), Some(2), "towpath plugin {}", arguments.join(" "));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_an_author_signs_is_fetched_by_whom_believes_the_key_and_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let registry = Registry::start(folder);
    let component = bundled_plugins::all().iter().find(|plugin| plugin.name == "gate-junit").unwrap();
    fs::write(folder.join("gate.wasm"), component.component).unwrap();
    for name in ["release", "stranger"] {
        done(folder, &["key", name]);
    }
    assert!(refused_to_overwrite(folder), "a key that is there is not written over");
    let reference = format!("{}/team/gate:1.0.0", registry.address);
    let pushed = done(folder, &["push", "gate.wasm", &reference]);
    assert!(pushed.contains(&format!("{reference}@sha256:")), "{pushed}");

    let fetch = |key: &str| plugin(folder, &["pull", &reference, "-o", "pulled.wasm", "--key", key]);
    let unsigned = fetch("release.pub");
    let said = String::from_utf8_lossy(&unsigned.stderr).into_owned();
    assert!(!unsigned.status.success() && said.contains("TP0625"), "{said}");
    for format in ["bundle", "simple"] {
        done(folder, &["sign", &reference, "--key", "release.key", "--format", format]);
    }
    let fetched = fetch("release.pub");
    assert!(fetched.status.success(), "{}", String::from_utf8_lossy(&fetched.stderr));
    assert!(String::from_utf8_lossy(&fetched.stdout).contains(component.digest), "the digest is shown");
    assert_eq!(fs::read(folder.join("pulled.wasm")).unwrap(), component.component);

    fs::remove_file(folder.join("pulled.wasm")).unwrap();
    let stranger = fetch("stranger.pub");
    let said = String::from_utf8_lossy(&stranger.stderr).into_owned();
    assert!(!stranger.status.success() && said.contains("TP0625"), "{said}");
    let said = refused(folder, &["pull", &reference, "-o", "pulled.wasm"]);
    assert!(said.contains("nobody is believed"), "{said}");
    assert!(!folder.join("pulled.wasm").exists(), "nothing that is not believed is written");
    let said = refused(folder, &["push", "release.pub", &reference]);
    assert!(said.contains("not a WebAssembly component"), "{said}");
}

fn refused_to_overwrite(folder: &Path) -> bool {
    let before = fs::read(folder.join("release.key")).unwrap();
    let output = plugin(folder, &["key", "release"]);
    !output.status.success() && fs::read(folder.join("release.key")).unwrap() == before
}

/// Returns the folder of an author, with a component and a key in it, and that component.
fn author() -> (TempDir, &'static bundled_plugins::Bundled) {
    let folder = tempfile::tempdir().unwrap();
    let component = bundled_plugins::all().iter().find(|plugin| plugin.name == "gate-junit").unwrap();
    fs::write(folder.path().join("gate.wasm"), component.component).unwrap();
    done(folder.path(), &["key", "release"]);
    (folder, component)
}

#[test]
fn a_signed_folder_is_made_by_commands_and_travels_to_where_there_is_no_network() {
    let (folder, component) = author();
    let folder = folder.path();
    let registry = Registry::start(folder);
    let reference = format!("{}/team/gate:1.0.0", registry.address);
    done(folder, &["push", "gate.wasm", &reference]);
    done(folder, &["sign", &reference, "--key", "release.key"]);
    // Saved from the registry, which is gone then.
    let saved = done(folder, &["save", &reference, "offline"]);
    assert!(saved.contains(&format!("saved offline#{reference}@sha256:")), "{saved}");
    drop(registry);
    let there = format!("offline#{reference}");
    let verified = done(folder, &["verify", &there, "--key", "release.pub"]);
    assert!(verified.contains("signed by"), "{verified}");
    let pulled = done(folder, &["pull", &there, "-o", "pulled.wasm", "--key", "release.pub", "--json"]);
    let pulled: serde_json::Value = serde_json::from_str(&pulled).unwrap();
    assert_eq!(fs::read(folder.join("pulled.wasm")).unwrap(), component.component);
    let materials: Vec<_> = pulled["materials"]["materials"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(pulled["materials"]["format"], "cargo-auditable");
    assert!(materials.contains(&"towpath-sdk".into()) && materials.contains(&"serde_json".into()), "{materials:?}");
    // From there into another registry.
    let other = folder.join("other");
    fs::create_dir(&other).unwrap();
    let mirror = Registry::start(&other);
    let renamed = reference.split_once('/').unwrap().1;
    let wrong = refused(folder, &["load", "offline", &format!("{}/{renamed}", mirror.address)]);
    assert!(wrong.contains("TP0625"), "a folder has plugins under their own names: {wrong}");
    // Written into a folder at once, signed there, and with a list of materials beside it.
    let own = "own#registry.example/team/plain:1.0.0";
    fs::write(folder.join("plain.wasm"), without(component.component, ".dep-v0")).unwrap();
    done(folder, &["push", "plain.wasm", own]);
    done(folder, &["sign", own, "--key", "release.key"]);
    fs::write(folder.join("list.json"), r#"{"bomFormat": "CycloneDX", "components": [{"name": "left-pad", "version": "1"}]}"#)
        .unwrap();
    done(folder, &["attach", own, "list.json"]);
    let pulled = done(folder, &["pull", own, "-o", "plain-pulled.wasm", "--key", "release.pub", "--json"]);
    let pulled: serde_json::Value = serde_json::from_str(&pulled).unwrap();
    assert_eq!(
        (&pulled["materials"]["format"], &pulled["materials"]["materials"][0]["name"]),
        (&"cyclonedx".into(), &"left-pad".into())
    );
}

#[test]
fn a_folder_is_loaded_into_the_registry_of_its_names() {
    let (folder, component) = author();
    let folder = folder.path();
    let registry = Registry::start(folder);
    let reference = format!("{}/team/gate:1.0.0", registry.address);
    done(folder, &["push", "gate.wasm", &format!("offline#{reference}")]);
    done(folder, &["sign", &format!("offline#{reference}"), "--key", "release.key"]);
    let loaded = done(folder, &["load", "offline", &reference]);
    assert!(loaded.contains(&format!("loaded {reference}@sha256:")), "{loaded}");
    done(folder, &["pull", &reference, "-o", "pulled.wasm", "--key", "release.pub"]);
    assert_eq!(fs::read(folder.join("pulled.wasm")).unwrap(), component.component);
}

/// Returns a component without its last section, which has this name.
fn without(component: &[u8], name: &str) -> Vec<u8> {
    let at = component.windows(name.len()).rposition(|bytes| bytes == name.as_bytes()).expect("the section");
    // Before the name stand its length, and before that the section's (seven bits to a byte) and its kind.
    let content = component.len() - (at - 1);
    let digits = (content.ilog2() / 7 + 1) as usize;
    component[..at - 1 - digits - 1].to_vec()
}
