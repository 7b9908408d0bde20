//! An operator installs a stranger's health check, grants it what it is refused, takes that back, and upgrades it.

use serde_json::Value;

use crate::rig::{Rig, wait_for};

/// The custom section that holds a component's manifest.
const MANIFEST: &str = "towpath:manifest";

/// Returns a first-party component with another manifest: for the server it is a stranger's, with a digest of its own.
fn stranger(name: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let bundled = bundled_plugins::all().iter().find(|plugin| plugin.name == name).unwrap();
    let (header, mut rest) = bundled.component.split_at(8);
    let mut bytes = header.to_vec();
    while !rest.is_empty() {
        let (length, digits) = number(&rest[1..]);
        let (section, after) = rest.split_at(1 + digits + length);
        let content = &section[1 + digits..];
        match section[0] == 0 && content[1..].starts_with(MANIFEST.as_bytes()) {
            false => bytes.extend_from_slice(section),
            true => {
                let mut manifest = serde_json::from_slice(&content[1 + MANIFEST.len()..]).unwrap();
                change(&mut manifest);
                let changed = [&content[..=MANIFEST.len()], manifest.to_string().as_bytes()].concat();
                bytes.push(0);
                push_number(changed.len(), &mut bytes);
                bytes.extend(changed);
            }
        }
        rest = after;
    }
    bytes
}

/// Reads a number in the form that components use (LEB128), and how many bytes it has.
fn number(bytes: &[u8]) -> (usize, usize) {
    let digits = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let value = bytes[..digits].iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    (value, digits)
}

fn push_number(mut value: usize, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
}

/// Writes a component of the name `probe` into the rig's folder and installs it.
fn install(rig: &Rig, version: &str, more: Option<&str>) -> Value {
    install_as(rig, "health-http", "probe", version, more)
}

/// Writes a first-party component under another name into the rig's folder and installs it.
pub(crate) fn install_as(rig: &Rig, like: &str, name: &str, version: &str, more: Option<&str>) -> Value {
    let component = stranger(like, |manifest| {
        manifest["name"] = name.into();
        manifest["version"] = version.into();
        if let Some(power) = more {
            manifest["powers"][power] = "to know more".into();
        }
    });
    let path = rig.folder.path().join(format!("{name}-{version}.wasm"));
    std::fs::write(&path, component).unwrap();
    rig.ask(&["plugin", "install", &path.display().to_string(), "--yes"])
}

fn refused(rig: &Rig, arguments: &[&str]) -> String {
    let output = rig.run(arguments);
    assert!(!output.status.success(), "towpath {} did it", arguments.join(" "));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_stranger_is_installed_refused_granted_revoked_and_upgraded() {
    let mut rig = Rig::start();
    let first = install(&rig, "1.0.0", None);
    assert_eq!(first["state"], "current", "{first}");
    let told = |page: &Value| page["materials"]["materials"].to_string();
    assert!(told(&first).contains("towpath-sdk"), "{first}");
    assert!(told(&rig.ask(&["plugin", "inspect", "gate-junit"])).contains("quick-xml"), "those of the program itself as well");
    let digest = first["digest"].as_str().unwrap();
    rig.register_changed(|path| path.replace("use: health-http", "use: probe"));
    rig.release("a", "");
    let id = rig.deploy("a");
    wait_for("the refusal with the line that grants it", || {
        let shown = String::from_utf8(rig.run(&["show", &id]).stdout).unwrap();
        shown.contains("subjects").then_some(())
    });
    // It may have given up by itself.
    rig.run(&["abort", &id]);
    assert_ne!(rig.wait_for_end(&id)["phase"], "succeeded");
    // What is installed and granted is there after a crash.
    let line = r#"{"http": {"subjects": true}}"#;
    let granted = rig.ask(&["plugin", "grant", "probe", "--environment", "local", "--powers", line, "--expires", "30d"]);
    assert_eq!(granted["grants"][0]["environment"], "local", "{granted}");
    rig.kill_server();
    rig.start_server();
    assert_eq!(rig.wait_for_end(&rig.deploy("a"))["phase"], "succeeded");
    let page = rig.ask(&["plugin", "inspect", "probe"]);
    assert!(page["usage"].to_string().contains("http"), "{page}");
    let latest = &page["latest_uses"][0];
    assert_eq!((&latest["power"], &latest["outcome"], &latest["why"]), (&"http".into(), &"done".into(), &"status 200".into()));
    assert!(latest["what"].to_string().contains("GET http://127.0.0.1:") && latest["service"] == "web", "{latest}");
    // Upgrades: no more powers take over the name and the grants; more powers wait.
    let second = install(&rig, "1.1.0", None);
    assert_eq!((second["state"].as_str(), second["grants"].as_array().map(Vec::len)), (Some("current"), Some(1)));
    let third = install(&rig, "2.0.0", Some("runtime"));
    assert_eq!(
        (third["state"].as_str(), third["new_powers"].to_string().contains("runtime")),
        (Some("waiting"), true),
        "{third}"
    );
    // The release pins the first digest: it is not to be removed, and still deploys with it.
    let first_one = format!("probe@{digest}");
    let said = refused(&rig, &["plugin", "remove", &first_one, "--yes"]);
    assert!(said.contains("TP0622") && said.contains("release a of web"), "{said}");
    rig.release("b", "");
    let id = rig.deploy("b");
    rig.wait_for_traffic(&id);
    let said = refused(&rig, &["plugin", "remove", "probe", "--force", "--yes"]);
    assert!(said.contains("TP0622") && said.contains(&id), "{said}");
    // Taken back in the middle of a deployment: nobody can tell any more how the candidate is, and a person is asked.
    rig.ask(&["plugin", "revoke", "probe", "--environment", "local"]);
    let shown = wait_for("the question", || Some(rig.ask(&["show", &id])).filter(|shown| shown["paused"] == true));
    assert!(shown["waiting"].as_str().unwrap().contains("the plugin may not use `http`"), "{}", shown["waiting"]);
    rig.ask(&["rollback", &id]);
    assert_eq!(rig.wait_for_end(&id)["phase"], "rolled-back");
    assert_eq!(rig.ask(&["plugin", "approve", "probe"])["version"], "2.0.0");
}

#[test]
fn a_damaged_component_is_mended_from_the_store_or_set_aside() {
    let mut rig = Rig::start();
    let digest = install(&rig, "1.0.0", None)["digest"].as_str().unwrap().replace(':', "-");
    let file = rig.data().join("plugins").join(format!("{digest}.wasm"));
    let probe = |rig: &Rig| {
        let listed = rig.ask(&["plugin", "list"]);
        listed["plugins"].as_array().unwrap().iter().find(|plugin| plugin["name"] == "probe").unwrap().clone()
    };
    let whole = std::fs::read(&file).unwrap();
    rig.kill_server();
    std::fs::write(&file, b"damaged").unwrap();
    rig.start_server();
    assert_eq!(probe(&rig)["state"], "current", "the store has it as well");
    assert!(std::fs::read(&file).unwrap() == whole);
    rig.kill_server();
    std::fs::write(&file, b"damaged").unwrap();
    let journal = rusqlite::Connection::open(rig.data().join("journal.db")).unwrap();
    assert!(journal.execute("DELETE FROM catalog WHERE kind = 'plugin-part'", []).unwrap() > 0);
    drop(journal);
    rig.start_server();
    let shown = probe(&rig);
    assert_eq!(shown["state"], "unusable", "{shown}");
    assert_eq!(shown["problem"].as_str().unwrap().matches("sha256:").count(), 2, "both digests are shown: {shown}");
    // Installed again, it is whole again.
    assert_eq!(install(&rig, "1.0.0", None)["state"], "current");
    // A copy of the journal is enough.
    let copy = rig.folder.path().join("copy.db").display().to_string();
    rig.ask(&["backup", &copy]);
    rig.kill_server();
    std::fs::remove_file(&file).unwrap();
    rig.ask(&["restore", &copy, "--replace"]);
    rig.start_server();
    assert_eq!(probe(&rig)["state"], "current");
}

#[test]
fn what_comes_from_elsewhere_is_installed_only_when_it_is_signed_by_whom_the_operator_believes() {
    let mut rig = Rig::start_runtime();
    let place = rig.folder.path().join("offline");
    let keys = distribution::generate_key_pair(b"").unwrap();
    let key = distribution::SigningKey::from_pem(&keys.private_pem, Some(b"")).unwrap();
    let signed = "registry.example/team/probe:1.0.0";
    let unsigned = "registry.example/team/probe:1.1.0";
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    threads.block_on(async {
        let folder = distribution::Folder::at(&place);
        for (reference, version) in [(signed, "1.0.0"), (unsigned, "1.1.0")] {
            let component = stranger("health-http", |manifest| {
                manifest["name"] = "probe".into();
                manifest["version"] = version.into();
            });
            folder.push(&reference.parse().unwrap(), &component, &std::collections::BTreeMap::new()).await.unwrap();
        }
        folder.sign(&signed.parse().unwrap(), &key, distribution::SignatureFormat::Bundle).await.unwrap();
    });
    rig.file("release.pub", &keys.public_pem);
    let trust = rig.file(
        "trust.json",
        r#"{"keys": {"release": {"file": "release.pub"}}, "rules": [{"references": "registry.example/team/*", "signedBy": ["release"]}]}"#,
    );
    rig.start_server_with(&["--plugin-trust", &trust]);
    let from = |reference: &str| format!("{}#{reference}", place.display());
    let said = refused(&rig, &["plugin", "install", &from(unsigned), "--yes"]);
    assert!(said.contains("TP0621") && said.contains("sign"), "{said}");
    let installed = rig.ask(&["plugin", "install", &from(signed), "--yes"]);
    assert!(installed["signed_by"].to_string().contains("release"), "{installed}");
    assert!(installed["source"].to_string().contains("probe:1.0.0@sha256:"), "pinned: {installed}");
    assert!(installed["manifest_digest"].to_string().contains("sha256:"), "{installed}");
    // No rule says anything about this place.
    let said = refused(&rig, &["plugin", "install", "127.0.0.1:9/stranger/probe:1.0.0", "--yes"]);
    assert!(said.contains("TP0621") && said.contains("127.0.0.1:9/stranger/probe"), "{said}");
}
