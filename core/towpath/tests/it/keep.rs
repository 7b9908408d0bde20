//! The record is kept: verified, copied while a server writes it, and put back.

use crate::rig::{Callers, Rig};

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_journal_is_verified_copied_and_put_back() {
    let mut rig = Rig::start();
    rig.register();
    rig.release("a", "");
    let first = rig.deploy("a");
    assert_eq!(rig.wait_for_end(&first)["phase"], "succeeded");
    let address = rig.ask(&["show", &first])["public_endpoint"].as_str().unwrap().to_owned();
    let callers = Callers::start(&address, 4);
    let verified = rig.ask(&["audit", "verify"]);
    assert_eq!((verified["deployments"].as_u64(), verified["broken"].as_array().map(Vec::len)), (Some(1), Some(0)), "{verified}");
    let copy = rig.folder.path().join("copy.db").display().to_string();
    rig.ask(&["backup", &copy]);
    rig.release("b", "");
    let second = rig.deploy("b");
    assert_eq!(rig.wait_for_end(&second)["phase"], "succeeded");

    let refused = rig.run(&["restore", &copy, "--replace"]);
    assert!(!refused.status.success() && said(&refused).contains("TP0304"), "a server writes it: {}", said(&refused));
    rig.kill_server();
    let refused = rig.run(&["restore", &copy]);
    assert!(!refused.status.success() && said(&refused).contains("exists already"), "{}", said(&refused));
    let kept = rig.ask(&["restore", &copy, "--replace"])["kept"].as_str().unwrap().to_owned();
    assert!(std::path::Path::new(&kept).is_file(), "{kept}");
    rig.start_server();
    assert_eq!(rig.ask(&["show", &first])["phase"], "succeeded");
    assert_eq!(rig.run(&["show", &second]).status.code(), Some(4), "what came after the copy is not known");
    // The runtime has seen what the journal has forgotten; it takes the next deployment all the same.
    rig.release("c", "");
    let third = rig.deploy("c");
    assert_eq!(rig.wait_for_end(&third)["phase"], "succeeded");
    callers.stop();
}

#[test]
fn a_record_that_was_meddled_with_is_found() {
    let mut rig = Rig::start();
    rig.register();
    rig.release("a", "");
    let id = rig.deploy("a");
    assert_eq!(rig.wait_for_end(&id)["phase"], "succeeded");
    rig.kill_server();
    let journal = rusqlite::Connection::open(rig.data().join("journal.db")).unwrap();
    journal.execute_batch("DROP TRIGGER journal_not_changed; UPDATE journal SET at = at + 1 WHERE seq = 3").unwrap();
    drop(journal);
    let output = rig.run(&["audit", "verify"]);
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert_eq!(found["broken"][0]["deployment"], id.as_str(), "{found}");
    assert!(found["broken"][0]["message"].as_str().unwrap().contains("record 3 was changed"), "{found}");
    let shown = rig.run(&["audit", "show"]);
    assert_eq!(shown.status.code(), Some(6), "{}", said(&shown));
    assert!(said(&shown).contains("1 deployments in") && said(&shown).contains(&id), "{}", said(&shown));
    assert_eq!(shown.stdout, b"[]\n", "what can be read is shown all the same: here nothing");
    // The others go on, and this one says what is wrong with it.
    rig.start_server();
    let shown = rig.run(&["show", &id]);
    assert!(!shown.status.success() && said(&shown).contains("record 3 was changed"), "{}", said(&shown));
}

#[test]
fn who_did_what_is_shown_with_where_from_and_what_came_of_it() {
    let mut rig = Rig::start();
    rig.register();
    rig.release("a", "");
    let first = rig.deploy("a");
    assert_eq!(rig.wait_for_end(&first)["phase"], "succeeded");
    rig.release("b", "ERROR_RATE=1");
    let address = rig.ask(&["show", &first])["public_endpoint"].as_str().unwrap().to_owned();
    let callers = Callers::start(&address, 2);
    let second = rig.deploy("b");
    rig.ask(&["pause", &second, "--reason", "lunch"]);
    rig.ask(&["resume", &second]);
    assert_eq!(rig.wait_for_end(&second)["phase"], "rolled-back");
    callers.stop();
    rig.release("c", "");
    let third = rig.deploy("c");
    rig.ask(&["abort", &third, "--reason", "the wrong one"]);
    assert_eq!(rig.wait_for_end(&third)["phase"], "aborted");
    rig.kill_server();
    let acts = |more: &[&str]| -> Vec<String> {
        let shown = rig.ask(&[&["audit", "show"], more].concat());
        let text = |act: &serde_json::Value, member: &str| act[member].as_str().unwrap().to_owned();
        shown
            .as_array()
            .unwrap()
            .iter()
            .map(|act| format!("{} {} = {}", text(act, "by"), text(act, "what"), text(act, "result")))
            .collect()
    };
    let all = acts(&[]);
    let owned: Vec<_> = all.iter().filter(|act| act.starts_with("user:owner")).map(String::as_str).collect();
    let expected = [
        "user:owner deploy a along web-canary@1.0.0 = succeeded",
        "user:owner deploy b along web-canary@1.0.0 = rolled-back",
        "user:owner pause: lunch = done",
        "user:owner resume = done",
        "user:owner deploy c along web-canary@1.0.0 = aborted",
        "user:owner abort: the wrong one = aborted",
    ];
    assert_eq!(owned, expected, "{all:#?}");
    let itself = acts(&["--by", "towpath", "--deployment", &second]);
    assert!(
        itself.len() == 2
            && itself[0].starts_with("towpath take it back = ")
            && itself[1].starts_with("towpath end = rolled-back"),
        "{itself:#?}"
    );
    assert_eq!(acts(&["--since", "2100-01-01T00:00:00Z"]), [""; 0]);
    let shown = rig.ask(&["audit", "show", "--by", "user:owner"]);
    let from = shown[0]["from"].as_str().unwrap();
    assert!(from.starts_with("127.0.0.1, towpath/"), "{from}");
    let refused = rig.run(&["audit", "show", "--since", "yesterday"]);
    assert!(refused.status.code() == Some(2) && said(&refused).contains("expected how long ago"), "{}", said(&refused));
}
