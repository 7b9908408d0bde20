//! A server whose journal is in PostgreSQL: both of them are killed in the middle, and the deployment ends as if nothing had been.

use test_postgres::{PASSWORD, Server};

use crate::rig::{Callers, Rig, command, wait_for};

/// Waits until a deployment has begun to move traffic.
fn wait_for_traffic(rig: &Rig, id: &str) {
    wait_for("the canary's first traffic", || {
        let shown: serde_json::Value = serde_json::from_slice(&rig.run(&["show", id]).stdout).ok()?;
        assert_ne!(shown["ended"], true, "it was over too early to be disturbed");
        (shown["phase"] == "shifting").then_some(())
    });
}

#[test]
fn database_and_server_are_killed_in_the_middle_of_a_canary() {
    let mut database = Server::start();
    let url = database.database();
    let mut rig = Rig::start_with(&["--store", &url]);
    rig.register();
    rig.release("a", "");
    rig.release("b", "");
    let first = rig.deploy("a");
    assert_eq!(rig.wait_for_end(&first)["phase"], "succeeded");
    let address = rig.ask(&["show", &first])["public_endpoint"].as_str().unwrap().to_owned();
    let callers = Callers::start(&address, 2);
    let second = rig.deploy("b");
    wait_for_traffic(&rig, &second);
    database.kill();
    database.start_again();
    assert_eq!(rig.wait_for_end(&second)["phase"], "succeeded", "the database was killed");
    let third = rig.deploy("a");
    wait_for_traffic(&rig, &third);
    rig.kill_server();
    // Its lease has to run out; then this one takes over.
    rig.start_server_with(&["--store", &url]);
    assert_eq!(rig.wait_for_end(&third)["phase"], "succeeded", "the server was killed");
    let (total, failed) = callers.stop();
    assert!(total > 100 && failed == 0, "{failed} of {total} requests failed");
}

#[test]
fn a_database_that_cannot_be_used_is_said_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = format!("postgres://towpath:{PASSWORD}@{closed}/towpath");
    let server = Server::start_with(&["fsync=off"]);
    let unsafe_settings = server.database();
    for (url, exit, expected) in [
        (unreachable.as_str(), 75, "TP0406"),
        (unsafe_settings.as_str(), 2, "TP0407"),
        ("mysql://root:not-a-secret@localhost/x", 2, "begins with postgres://"),
    ] {
        let output = command(folder.path(), &["server", "--listen", "127.0.0.1:0", "--store", url]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(exit), "{said}");
        assert!(said.contains(expected) && !said.contains(PASSWORD), "{said}");
    }
}
