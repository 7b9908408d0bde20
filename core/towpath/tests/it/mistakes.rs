//! What people do wrong gets a sentence, a code and an exit code, and changes nothing.

use std::fs;
use std::net::TcpListener;

use crate::rig::{Rig, command, wait_for};

#[test]
fn without_a_server_a_command_says_how_to_start_one() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &["status"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("TP0301") && said.contains("towpath up"), "{said}");
}

#[test]
fn a_port_in_use_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path(), &["server", "--listen", &address]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("TP0302") && said.contains(&address), "{said}");
}

#[test]
fn a_port_for_metrics_that_is_in_use_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["server", "--listen", "127.0.0.1:0", "--telemetry-listen", &address];
    let output = command(folder.path(), &arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("TP0302") && said.contains(&address) && said.contains("--telemetry-listen HOST:PORT"), "{said}");
}

#[test]
fn a_server_that_does_not_know_what_plugins_may_do_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("grants.json");
    fs::write(&file, "{\"grants\": [\n  {\"plugin\": \"target-local\", \"powers\": {\"telepathy\": true}}]}").unwrap();
    let grants = file.display().to_string();
    let output = command(folder.path(), &["server", "--listen", "127.0.0.1:0", "--grants", &grants]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("TP0608") && said.contains("`telepathy`") && said.contains("line 2"), "{said}");
}

#[test]
fn what_an_operator_does_not_grant_a_plugin_cannot_do() {
    let mut rig = Rig::start();
    rig.register();
    rig.release("a", "");
    rig.kill_server();
    let grants = rig.file(
        "grants.json",
        r#"{"grants": [{"plugin": "target-local", "environments": ["other"], "powers": {"runtime": true}}]}"#,
    );
    rig.start_server_with(&["--grants", &grants]);
    let id = rig.deploy("a");
    // It can neither go on nor back: it says what it would take, and waits for the operator.
    wait_for("the refusal with the line that grants it", || {
        rig.ask(&["show", &id])["waiting"].as_str()?.contains("grant it with `{\"runtime\":true}`").then_some(())
    });
}

#[test]
fn a_damaged_journal_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let journal = folder.path().join("data/journal.db");
    fs::write(&journal, vec![b'x'; 9_000]).unwrap();
    let output = command(folder.path(), &["server", "--listen", "127.0.0.1:0"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("TP0402"), "{said}");
    assert_eq!(fs::read(&journal).unwrap(), vec![b'x'; 9_000]);
}

#[test]
fn what_does_not_fit_is_refused_with_its_place_and_nothing_is_deployed() {
    let rig = Rig::start();
    rig.register();
    let said = |arguments: &[&str]| {
        let output = rig.run(arguments);
        assert!(!output.status.success(), "towpath {} did it", arguments.join(" "));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let unknown = rig.file("unknown.yaml", "apiVersion: towpath.dev/v1\nkind: Environment\nmetadata: { name: x }\nteir: development\ntarget: { use: target-local }\n");
    let message = said(&["environment", "apply", &unknown]);
    assert!(message.contains("teir") && message.contains("tier") && message.contains(":4:"), "{message}");
    let message = said(&["deploy", "web", "local", "--release", "nothing", "--yes"]);
    assert!(message.contains("nothing"), "{message}");
    let message = said(&["release", "create", "--service", "web", "--label", "t", "--artifact", "registry.example/web:v1"]);
    assert!(message.contains("v1"), "a mutable tag is refused: {message}");
    assert_eq!(rig.ask(&["list"])["deployments"].as_array().map(Vec::len), Some(0));
}

#[test]
fn a_release_folder_that_was_changed_is_refused_with_both_digests() {
    let rig = Rig::start();
    rig.register();
    rig.release("a", "");
    let stored = fs::read_dir(rig.data().join("artifacts"))
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with("sha256-"))
        .unwrap();
    let file = stored.path().join("hello.env");
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&file, permissions).unwrap();
    fs::write(&file, "VERSION=tampered\n").unwrap();
    let ended = rig.wait_for_end(&rig.deploy("a"));
    assert_ne!(ended["phase"], "succeeded");
    let outcome = ended["outcome"].as_str().unwrap();
    assert_eq!(outcome.matches("sha256:").count(), 2, "both digests are shown: {outcome}");
}

#[test]
fn a_reader_that_goes_away_gets_no_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command(folder.path(), &["completions", "bash"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
