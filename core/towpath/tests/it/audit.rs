//! What operators did with plugins is in the record that `towpath audit show` reads, without a server.

use serde_json::Value;

use crate::plugins::install_as;
use crate::rig::{Rig, wait_for};

#[test]
fn what_was_done_with_plugins_is_shown_without_a_server() {
    let mut rig = Rig::start();
    let digest = install_as(&rig, "health-http", "probe", "1.0.0", None)["digest"].as_str().unwrap().to_owned();
    let powers = r#"{"http": {"subjects": true}}"#;
    rig.ask(&["plugin", "grant", "probe", "--environment", "local", "--powers", powers, "--reason", "ticket 7"]);
    rig.ask(&["plugin", "grant", "probe", "--everywhere", "--powers", powers]);
    rig.ask(&["plugin", "revoke", "probe", "--environment", "local"]);
    let waiting = install_as(&rig, "health-http", "probe", "2.0.0", Some("runtime"));
    rig.ask(&["plugin", "approve", "probe"]);
    rig.ask(&["plugin", "remove", &format!("probe@{digest}"), "--yes"]);
    rig.kill_server();

    let acts = |more: &[&str]| -> Vec<Value> {
        let shown = rig.ask(&[&["audit", "show"], more].concat());
        shown.as_array().unwrap().clone()
    };
    let all = acts(&[]);
    let words: Vec<&str> = all.iter().map(|act| act["what"].as_str().unwrap().split(' ').next().unwrap()).collect();
    assert_eq!(words, ["install", "grant", "grant", "revoke", "install", "approve", "remove"]);
    let granted = &all[1];
    assert_eq!(
        (granted["plugin"].as_str(), granted["digest"].as_str(), granted["environment"].as_str(), granted["by"].as_str()),
        (Some("probe"), Some(digest.as_str()), Some("local"), Some("user:owner"))
    );
    let what = granted["what"].as_str().unwrap();
    assert!(what.contains(powers) && what.ends_with("in local: ticket 7"), "{what}");
    assert!(granted["from"].as_str().unwrap().starts_with("127.0.0.1, towpath/"), "{granted}");
    assert_eq!([&all[5]["digest"], &all[6]["digest"]], [&waiting["digest"], &all[1]["digest"]]);
    // What was granted everywhere holds here as well.
    assert_eq!(acts(&["--environment", "local"]).len(), 3);
    assert_eq!(acts(&["--environment", "elsewhere"]).len(), 1);
    assert_eq!(acts(&["--plugin", "probe"]), all);
    for none in [["--plugin", "other"], ["--service", "web"], ["--by", "user:ada"], ["--since", "2100-01-01T00:00:00Z"]] {
        assert_eq!(acts(&none), [Value::Null; 0], "{none:?}");
    }

    let text = crate::rig::command(rig.folder.path(), &["audit", "show", "--plugin", "probe"]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let line = text.lines().find(|line| line.contains("revoke")).unwrap_or_else(|| panic!("no revoke in {text}"));
    assert!(line.contains(&format!("probe@{}", &digest[..19])) && line.contains("user:owner"), "{line}");
}

#[test]
fn what_was_done_with_plugins_is_forgotten_when_the_operator_says_so_and_not_before() {
    let mut rig = Rig::start();
    install_as(&rig, "health-http", "probe", "1.0.0", None);
    let acts = |rig: &Rig| rig.ask(&["audit", "show"]).as_array().unwrap().len();
    rig.kill_server();
    rig.start_server_with(&["--forget-plugin-records-after-days", "1"]);
    assert_eq!(acts(&rig), 1, "it is not a day old");
    rig.kill_server();
    rig.start_server_with(&["--forget-plugin-records-after-days", "0"]);
    wait_for("the end of the record", || (acts(&rig) == 0).then_some(()));
    assert_eq!(rig.ask(&["plugin", "inspect", "probe"])["state"], "current", "the plugin itself stays");
}
