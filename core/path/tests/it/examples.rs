//! The examples are files that a stranger copies from: they are taken as they are, and they say what they are for.

use path::{Lock, PathVersion, parse_environment, parse_path, parse_service};

use crate::support::{BLUE_GREEN, CANARY, HELLO, LOCAL, ROLLING, World};

#[test]
fn every_example_is_taken_as_it_is() {
    for text in [CANARY, BLUE_GREEN, ROLLING] {
        let path = parse_path(text, "path.yaml").unwrap_or_else(|found| panic!("{}", path::render_diagnostics(&found)));
        assert!(path.description.is_some() && path.owner.is_some(), "{} says what it is for and whose it is", path.name);
        let properties = path.parameters()["properties"].as_object().unwrap();
        let silent: Vec<_> = properties.iter().filter(|(_, property)| property.get("description").is_none()).collect();
        assert!(silent.is_empty(), "parameters of {} without a description: {silent:?}", path.name);
    }
    assert_eq!(parse_service(HELLO, "hello.yaml").unwrap().path, "web-canary");
    assert_eq!(parse_environment(LOCAL, "local.yaml").unwrap().target_settings(), "{}");
}

#[test]
fn json_is_taken_as_well() {
    let json = r#"{"apiVersion": "towpath.dev/v1", "kind": "Environment", "metadata": {"name": "live"},
                   "tier": "production", "target": {"use": "target-local", "with": {"b": 1, "a": [true, null]}}}"#;
    let environment = parse_environment(json, "live.json").unwrap();
    assert_eq!(environment.target_settings(), r#"{"a":[true,null],"b":1}"#);
}

#[test]
fn a_lock_pins_the_path_and_every_plugin_once() {
    let path = parse_path(CANARY, "path.yaml").unwrap();
    let lock = Lock::of(&path, &World::of(CANARY).plan());
    assert_eq!(lock.path, PathVersion::of(&path));
    let names: Vec<_> = lock.plugins.iter().map(|pin| pin.name.as_str()).collect();
    assert_eq!(names, ["health-http", "health-traffic", "target-local"]);
    assert_eq!(path.plugins(), ["gate-junit", "health-http", "health-traffic"]);
    // Comments and layout do not make another version.
    let commented = parse_path(&format!("# a word\n{CANARY}"), "other.yaml").unwrap();
    assert_eq!(commented.digest, path.digest);
    assert_ne!(parse_path(&CANARY.replace("weight: 50%", "weight: 60%"), "p").unwrap().digest, path.digest);
}

#[test]
fn what_a_caller_holds_can_cross_threads() {
    fn crosses<T: Send + Sync + Clone>() {}
    crosses::<path::GoldenPath>();
    crosses::<path::Service>();
    crosses::<path::Environment>();
    crosses::<path::Diagnostic>();
}
