//! Hosts that a program knows, which the operator allowed.

use std::fs;
use std::path::PathBuf;

use plugin_host::Fault;
use serde_json::json;
use test_machines::Fleet;

use crate::rig::Rig;

/// Prints the file that its argument names, which lies beside it.
const SCRIPT: &str = r#"
[ -e "${0%/*}/$1.json" ] || { echo "nobody knows the hosts of $1" >&2; exit 4; }
cat "${0%/*}/$1.json"
"#;

/// Returns a rig that knows its hosts from a script, and the file that the script prints.
fn start(hosts: usize) -> (Rig, PathBuf) {
    let mut rig = Rig::on(Fleet::start(hosts));
    let folder = rig.fleet.balancer.root();
    fs::write(folder.join("hosts.sh"), SCRIPT).expect("written");
    rig.unset("hosts");
    rig.set("inventory", json!({ "command": { "program": "hosts", "arguments": ["$environment"] } }));
    let script = folder.join("hosts.sh");
    let rule = json!({ "name": "hosts", "program": "/bin/sh", "arguments": [script], "extraMax": 1, "reading": true });
    rig.grant("command", json!({ "allow": [rule] }));
    (rig, folder.join("test.json"))
}

fn list(rig: &Rig, hosts: &[usize]) -> String {
    let hosts: Vec<_> = hosts.iter().map(|host| rig.fleet.hosts[*host].settings()).collect();
    json!(hosts).to_string()
}

#[test]
fn hosts_come_and_go_as_a_program_says_and_no_answer_of_its_removes_them_all() {
    let (mut rig, file) = start(2);
    let nobody = |fault: Fault, expect: &str| assert!(fault.message.contains(expect), "{}", fault.message);
    nobody(rig.fail(&rig.steady("v1")), "it ended with 4, expected 0: nobody knows the hosts of test");
    fs::write(&file, list(&rig, &[0])).expect("written");
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.sides[0].wanted, found.drift.len()), (1, 1, 0), "{found:?}");
    fs::write(&file, format!("{{ \"hosts\": {} }}", list(&rig, &[0, 1]))).expect("written");
    let found = rig.converge(&rig.canary("v1", "v2", 5_000));
    assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (2, 2)), "{found:?}");

    let servers = |rig: &Rig| ["web-1-a", "web-1-b", "web-2-a", "web-2-b"].map(|name| rig.fleet.haproxy.server(name));
    let before = servers(&rig);
    for (answer, expect) in [("[]\n", "it lists no host"), ("no hosts\n", "at line 1 column 2"), ("", "at line 1 column 0")] {
        fs::write(&file, answer).expect("written");
        nobody(rig.observe().expect_err(answer), expect);
    }
    fs::write(&file, "[]\n").expect("written");
    nobody(rig.fail(&rig.steady("v1")), "never taken for an order to remove all");
    assert_eq!(servers(&rig), before);
    fs::write(&file, list(&rig, &[0])).expect("written");
    let found = rig.converge(&rig.steady("v1"));
    assert_eq!((found.sides[0].ready, found.drift.len()), (1, 0), "{found:?}");
    assert_eq!(rig.fleet.haproxy.find("web-2-a"), None, "who has left is forgotten");

    // Nobody goes to a host that was not granted, whoever lists it.
    fs::write(&file, r#"[{ "name": "web-1" }, { "name": "intruder" }]"#).expect("written");
    let refused = rig.refusal(&rig.steady("v1"));
    assert!(refused.contains("ssh") && refused.contains("intruder"), "{refused}");
    // And nobody runs a program that was not.
    rig.grant("command", json!({ "allow": [] }));
    let refused = rig.refusal(&rig.steady("v1"));
    assert!(refused.contains("command") && refused.contains("hosts"), "{refused}");
}
