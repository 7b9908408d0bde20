//! Hosts that a program knows.

use serde_json::{Value, json};
use towpath_sdk::powers::command::{Error, Outcome};
use towpath_sdk::prelude::*;
use towpath_sdk::testing::in_world;

use super::machines::{HOSTS, Machines};
use super::{Operation, Settings, TargetVm, canary, changed, steady};

fn ended(exit_code: i32, stdout: impl Into<Vec<u8>>, stderr: &str) -> Result<Outcome, Error> {
    let (stdout, stderr) = (stdout.into(), stderr.as_bytes().to_vec());
    Ok(Outcome { exit_code, stdout, stderr, cut: false, files: Vec::new(), elapsed_ms: 12 })
}

/// Returns the settings with a program in the place of the hosts.
fn by_program() -> Value {
    let inventory = json!({ "command": { "program": "hosts", "arguments": ["--of", "$service.$environment"] } });
    let mut settings = changed(&json!({ "inventory": inventory }));
    settings.as_object_mut().expect("an object").remove("hosts");
    settings
}

fn listed(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "name": name, "groups": ["eu"] })).collect()
}

#[test]
fn a_program_knows_the_hosts_and_is_asked_once_in_a_call() {
    let world = Machines::new();
    world.list(ended(0, listed(&HOSTS).to_string(), ""));
    let mut operation = Operation::new(&world, &by_program(), 1);
    operation.reconcile(&steady("v1"));
    let asked = world.inquiries();
    assert_eq!((asked.len(), asked[0].program.as_str(), asked[0].timeout_ms), (1, "hosts", 5_000));
    assert_eq!(asked[0].arguments, ["--of", "web.test"]);
    assert_eq!(operation.converge(&steady("v1")).sides[0].ready, 3);
    // The same with an object, one host less, and another one that no group names.
    let more =
        json!({ "hosts": [{ "name": HOSTS[0], "groups": ["eu"] }, { "name": HOSTS[1], "groups": ["eu"] }, { "name": "web-9" }] });
    world.list(ended(0, format!("\n {more}\n"), "warning: it is late"));
    let mut grouped = by_program();
    grouped["groups"] = json!(["eu"]);
    let found = Operation::new(&world, &grouped, 2).converge(&canary(5_000));
    assert!(found.sides.iter().all(|side| (side.ready, side.wanted) == (2, 2)), "{found:?}");
    assert!(!world.servers().contains_key("web-3-a"), "what has left is forgotten: {:?}", world.servers());
    let before = world.inquiries().len();
    Operation::new(&world, &grouped, 2).observe().expect("an observation");
    assert_eq!(world.inquiries().len(), before + 1);
    grouped["groups"] = json!(["us"]);
    let fault = Operation::new(&world, &grouped, 3).fail(&steady("v1"));
    assert!(!fault.retryable && fault.message.contains("none of 3 hosts is in one of the groups"), "{}", fault.message);
}

#[test]
fn what_a_target_can_do_is_known_without_its_hosts() {
    let world = Machines::new();
    let settings: Settings = serde_json::from_value(by_program()).expect("settings");
    let described = in_world(world.clone(), || TargetVm::describe(&settings));
    assert!(described.weights && world.inquiries().is_empty());
}

#[test]
fn an_answer_that_makes_no_sense_ends_the_call_and_changes_nothing() {
    let world = Machines::new();
    world.list(ended(0, listed(&HOSTS).to_string(), ""));
    Operation::new(&world, &by_program(), 1).converge(&steady("v1"));
    let before = world.servers();
    let many: Vec<_> = (0..121).map(|number| json!({ "name": format!("web-{number}") })).collect();
    let cut = Ok(Outcome { cut: true, ..ended(0, "[]", "").expect("an outcome") });
    let answers = [
        (ended(3, "[]", "a line\nno token\n\n"), true, "it ended with 3, expected 0: no token"),
        (ended(1, "", ""), true, "it ended with 1, expected 0, and said nothing"),
        (Err(Error::Timeout), true, "it did not end within 5000 ms"),
        (Err(Error::Unavailable("no such file".to_owned())), true, "it could not be started: no such file"),
        (Err(Error::Refused("nobody granted it".to_owned())), false, "not allowed: nobody granted it"),
        (ended(0, "", ""), false, "no list of hosts, at line 1 column 0: EOF while parsing a value"),
        (ended(0, "[{\"name\":\"a\"},\n {\"name\":]", ""), false, "at line 2 column 10: expected value"),
        (ended(0, "web-1\nweb-2\n", ""), false, "at line 1 column 1: expected value"),
        (ended(0, "\"web-1\"", ""), false, "invalid type: string \"web-1\", expected a sequence"),
        (ended(0, "[{\"name\":\"a\",\"adress\":\"b\"}]", ""), false, "unknown field `adress`, expected one of `name`, `address`"),
        (ended(0, "{\"hosts\":[],\"next\":1}", ""), false, "unknown field `next`, expected `hosts`"),
        (ended(0, "[{\"address\":\"b\"}]", ""), false, "missing field `name`"),
        (ended(0, b"[\"\xff\"]".to_vec(), ""), false, "no list of hosts, at line 1"),
        (ended(0, "[]", ""), false, "it lists no host, which is never taken for an order to remove all"),
        (ended(0, "{\"hosts\":[]}", ""), false, "it lists no host"),
        (ended(0, listed(&["web-1", "web-2", "web-1"]).to_string(), ""), false, "it lists host web-1 twice"),
        (ended(0, json!(many).to_string(), ""), false, "it lists 121 hosts, at most 120 may be"),
        (ended(0, "[{\"name\":\"a b\"}]", ""), false, "\"a b\" is no plain word"),
        (ended(0, vec![b' '; 300_000], ""), false, "300000 bytes or more, at most 262144"),
        (cut, false, "2 bytes or more"),
    ];
    for (answer, retryable, expect) in answers {
        world.list(answer);
        let mut operation = Operation::new(&world, &by_program(), 2);
        let fault = operation.fail(&canary(500));
        assert!(fault.message.contains(expect) && fault.retryable == retryable, "{expect}: {fault:?}");
        let same = operation.observe().expect_err("nobody knows the hosts");
        assert_eq!((same.message, same.retryable), (fault.message, fault.retryable));
    }
    assert_eq!(world.servers(), before, "nobody took an answer for an order");
}

#[test]
fn hosts_are_named_or_asked_for_and_not_both() {
    let world = Machines::new();
    let mut neither = by_program();
    neither.as_object_mut().expect("an object").remove("inventory");
    let both = changed(&json!({ "inventory": by_program()["inventory"] }));
    let mut wrong = by_program();
    wrong["inventory"]["command"]["arguments"] = json!(["$release"]);
    for (settings, expect) in [
        (&neither, "neither `hosts` nor an `inventory`"),
        (&both, "3 `hosts` and an `inventory`, one of the two is expected"),
        (&wrong, "$release stands for nothing here"),
    ] {
        let fault = Operation::new(&world, settings, 1).fail(&steady("v1"));
        assert!(!fault.retryable && fault.message.contains(expect), "{}", fault.message);
    }
    assert!(world.inquiries().is_empty());
    // Where hosts are named nobody needs the power: this world refuses it.
    Operation::new(&world, &changed(&json!({})), 2).converge(&steady("v1"));
}
