//! A component that misuses the powers of version 0.2: each attempt ends in one clear error, and its neighbour's next call is well.

use std::fs;
use std::sync::Arc;

use plugin_host::{
    ArtifactBackend, ArtifactFault, ArtifactFile, Assessment, CallContext, CallError, CallErrorKind, Called, Grants, Limits,
    Options, Plugin, PluginHost, ServerEnvironment, Subjects, Window,
};
use serde_json::{Value, json};

use crate::fixture::{PATIENCE, Server, assess, context, hostile, plugin};

/// A secret that must not be seen anywhere.
const SECRET: &str = "hunter2-of-the-night";

/// The artifact of the call, and one of somebody else.
const OURS: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const OTHERS: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn grants(grants: &Value) -> Grants {
    serde_json::from_value(grants.clone()).expect("grants")
}

/// Has the hostile component try something; whatever comes of it, the next call is well.
async fn attempt(plugin: &Plugin, settings: &Value, granted: &Value) -> Result<Called<Assessment>, CallError> {
    let ended = assess(plugin, &settings.to_string(), &grants(granted)).await;
    assess(plugin, r#""behave""#, &Grants::default()).await.expect("the next call is well");
    ended
}

/// Has it try something that is refused, and returns the reason and the line that would grant it.
async fn refused(plugin: &Plugin, power: &str, settings: &Value, granted: &Value) -> (String, String) {
    let error = attempt(plugin, settings, granted).await.expect_err("refused");
    assert!(!error.outcome_unknown, "nothing was done: {error:?}");
    match error.kind {
        CallErrorKind::Refused { power: found, reason, line } if found == power => (reason, line),
        other => panic!("{settings}: {other:?}"),
    }
}

/// Has it try something that it may, and returns what it answers.
async fn answered(plugin: &Plugin, settings: &Value, granted: &Value) -> String {
    attempt(plugin, settings, granted).await.unwrap_or_else(|error| panic!("{settings}: {error}")).answer.sentence
}

/// A shell's script that the operator calls "script".
fn may_run(script: &str, more: &Value) -> Value {
    let mut rule = json!({
        "name": "script", "program": "/bin/sh", "arguments": ["-c", script, "sh"], "extraMax": 2, "reading": true, "timeoutMs": 5_000
    });
    rule.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    json!({ "command": { "allow": [rule] } })
}

fn run(program: &str, arguments: &[&str]) -> Value {
    json!({ "run": { "program": program, "arguments": arguments } })
}

#[tokio::test]
async fn no_program_but_the_granted_ones_and_no_argument_that_leads_out() {
    let plugin = plugin(Limits::default());
    let granted = may_run("echo ran \"$@\"", &json!({}));
    for program in ["/bin/sh", "../../bin/sh", "script\0", "script; sh", "SCRIPT", ""] {
        let (reason, _) = refused(&plugin, "command", &run(program, &[]), &granted).await;
        assert!(reason.contains("it asked for program"), "{reason}");
    }
    for argument in ["/etc/passwd", "../secret", "a/../../b", "--file=/etc/passwd", "-x", "~/.ssh/id", "user@host:/etc", "a,/etc"]
    {
        let (reason, line) = refused(&plugin, "command", &run("script", &[argument]), &granted).await;
        assert!(reason.contains("the option") || reason.contains("the path"), "{argument}: {reason}");
        assert!(serde_json::from_str::<Grants>(&line).is_ok(), "the line can be granted: {line}");
    }
    let (reason, _) = refused(&plugin, "command", &run("script", &["1", "2", "3"]), &granted).await;
    assert!(reason.contains("3 arguments of its own, at most 2"), "{reason}");
    let said = answered(&plugin, &run("script", &["$(id)", "a; b"]), &granted).await;
    assert_eq!(said, "exit 0: ran $(id) a; b\n; 0 files ", "no shell reads the arguments");
}

#[tokio::test]
async fn a_program_sees_neither_the_servers_environment_nor_its_folders() {
    let environment = ServerEnvironment::from_iter([("TOWPATH_DATABASE".to_owned(), SECRET.to_owned())]);
    let host = PluginHost::new(Options { environment, ..Options::default() }).expect("a host");
    let plugin = host.load(hostile()).expect("a plugin");
    let said = answered(&plugin, &run("script", &[]), &may_run("env; pwd; ls -A", &json!({}))).await;
    assert!(!said.contains(SECRET) && !said.contains("CARGO"), "{said}");
    let here = std::env::current_dir().expect("a folder");
    assert!(!said.contains(&here.display().to_string()), "{said}");
    for files in [["../out"], ["/tmp/out"], ["a/../../out"]] {
        let settings = json!({ "run": { "program": "script", "files": files } });
        let said = answered(&plugin, &settings, &may_run("true", &json!({}))).await;
        assert!(said.contains("not a request"), "{files:?}: {said}");
    }
    // What a program leaves behind under a granted name, but leads out, is not brought back.
    let settings = json!({ "run": { "program": "script", "collect": ["link", "folder/link", "real"] } });
    let script = "ln -s /etc/passwd link; ln -s /etc folder; echo x > real";
    let said = answered(&plugin, &settings, &may_run(script, &json!({}))).await;
    assert!(said.ends_with("1 files real"), "{said}");
}

#[tokio::test]
async fn programs_that_never_end_flood_or_multiply_are_ended() {
    let plugin = plugin(Limits::default());
    let short = json!({ "timeoutMs": 300 });
    let said = answered(&plugin, &run("script", &[]), &may_run("sleep 1000 & sleep 1000", &short)).await;
    assert!(said.contains("did not end in time"), "{said}");
    let said = answered(&plugin, &run("script", &[]), &may_run("yes", &short)).await;
    assert!(said.contains("did not end in time"), "{said}");
    let said = answered(&plugin, &run("script", &[]), &may_run("head -c 100000000 /dev/zero", &json!({}))).await;
    assert!(said.len() < 4 << 20, "{} bytes came back", said.len());
}

#[tokio::test]
async fn programs_of_all_calls_together_wait_for_their_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    // Each finds the place free, or another one runs at the same time.
    let place = folder.path().join("place").display().to_string();
    let script = format!("mkdir {place} || exit 9; for n in 1 2 3 4 5; do cat /dev/null; done; rmdir {place}");
    let granted = grants(&may_run(&script, &json!({ "timeoutMs": 15_000 })));
    for (at_once, alone) in [(1, true), (8, false)] {
        let plugin = plugin(Limits { commands_at_once: at_once, ..Limits::default() });
        let calls: Vec<_> = (0..16)
            .map(|_| {
                let (plugin, granted) = (plugin.clone(), granted.clone());
                tokio::spawn(async move { assess(&plugin, &run("script", &[]).to_string(), &granted).await })
            })
            .collect();
        let mut crowded = 0;
        for call in calls {
            let said = call.await.expect("no panic").expect("it may").answer.sentence;
            crowded += u32::from(said.starts_with("exit 9"));
        }
        assert_eq!(crowded == 0, alone, "{at_once} at once: {crowded} met another one");
    }
}

#[tokio::test]
async fn no_host_but_the_granted_ones_and_no_second_command() {
    let plugin = plugin(Limits::default());
    let granted = json!({ "ssh": { "hosts": [{
        "name": "web-1", "address": "192.0.2.1", "user": "deploy", "keyFile": "/nowhere/key",
        "hostKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdQXvTQqF4aQKq7rNn4rXhN5kFqB1a0ySbN3nUeP0aC"],
        "reading": ["uptime", "systemctl status *"]
    }] } });
    let go = |host: &str, command: &str| json!({ "ssh": { "host": host, "command": command } });
    for host in ["192.0.2.1", "web-2", "-oProxyCommand=sh", "root@web-1", "web-1\n", ""] {
        refused(&plugin, "ssh", &go(host, "uptime"), &granted).await;
    }
    for command in ["id", "uptime; id", "uptime\nid", "uptime && id", "uptime | sh", "uptime $(id)", "uptime `id`", "uptimes"] {
        refused(&plugin, "ssh", &go("web-1", command), &granted).await;
    }
    for command in ["", "uptime\0"] {
        let said = answered(&plugin, &go("web-1", command), &granted).await;
        assert!(said.contains("not a request"), "{command:?}: {said}");
    }
    for command in ["systemctl status web; id", "systemctl status $(id)", "systemctl status web\nid", "systemctl status `id`"] {
        refused(&plugin, "ssh", &go("web-1", command), &granted).await;
    }
}

/// A store that has every artifact.
struct Everything;

#[async_trait::async_trait]
impl ArtifactBackend for Everything {
    async fn files(&self, _digest: &str) -> Result<Vec<ArtifactFile>, ArtifactFault> {
        Ok(Vec::new())
    }

    async fn read(&self, digest: &str, path: &str, _offset: u64, _length: u32) -> Result<Vec<u8>, ArtifactFault> {
        Ok(format!("{digest} {path}").into_bytes())
    }
}

#[tokio::test]
async fn no_artifact_but_the_calls_own_and_no_path_that_leads_out() {
    let options = Options { artifacts: Some(Arc::new(Everything)), ..Options::default() };
    let plugin = PluginHost::new(options).expect("a host").load(hostile()).expect("a plugin");
    let read = async |digest: &str, path: &str, granted: bool| {
        let settings = json!({ "readArtifact": { "digest": digest, "path": path } }).to_string();
        let context = CallContext { artifact_digest: Some(OURS.to_owned()), ..context(&settings, PATIENCE) };
        let granted = Grants { artifact: granted, ..Grants::default() };
        plugin.assess(&context, &Subjects::default(), &Window::default(), &granted).await
    };
    assert_eq!(read(OURS, "bin/web", true).await.expect("it may").answer.sentence, format!("{OURS} bin/web"));
    for path in ["../bin/web", "/etc/passwd", "bin/../../web", "bin//web", "./web", "bin\\..\\web", "bin/\0", ""] {
        let called = read(OURS, path, true).await;
        let said = called.expect("an answer to the guest").answer.sentence;
        assert!(said.contains("not a path"), "{path:?}: {said}");
    }
    for digest in [OTHERS, "sha256:../../a"] {
        let said = read(digest, "bin/web", true).await.expect("an answer to the guest").answer.sentence;
        assert!(said.contains("not allowed: the call is not about artifact"), "{said}");
    }
    let error = read(OURS, "bin/web", false).await.expect_err("refused");
    assert!(matches!(error.kind, CallErrorKind::Refused { power: "artifact", .. }), "{error:?}");
}

#[tokio::test]
async fn a_secret_is_seen_by_nobody_but_the_plugin_that_may() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, format!("{SECRET}\n")).expect("written");
    let plugin = plugin(Limits::default());
    let mut granted = json!({ "secret": { "allow": [{ "name": "token", "file": file }] } });
    for name in ["other", "../token", "/etc/passwd", "TOKEN", "token\0", ""] {
        let (reason, _) = refused(&plugin, "secret", &json!({ "tell": name }), &granted).await;
        assert!(!reason.contains(SECRET), "{reason}");
    }
    // Where it asks somebody, it tells them: that is refused, without the word.
    let error = attempt(&plugin, &json!({ "tell": "token" }), &granted).await.expect_err("it asks a host");
    assert!(error.to_string().contains("[secret token]"), "{error}");
    assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    granted["http"] = json!({ "allow": [{ "scheme": "http", "host": "127.0.0.1", "port": 1, "private": true }] });
    let called = attempt(&plugin, &json!({ "tell": "token" }), &granted).await.expect("it may");
    assert_eq!(called.answer.sentence.lines().next(), Some("it is [secret token]"));
    assert!(!format!("{called:?}").contains(SECRET), "{called:?}");
    assert!(format!("{called:?}").matches("[secret token]").count() >= 4, "log, measurement, trace, answer: {called:?}");
    let error = attempt(&plugin, &json!({ "keep": "token" }), &granted).await.expect_err("states are written down");
    assert!(matches!(&error.kind, CallErrorKind::Malformed { message } if message.contains("\"token\"")), "{error:?}");
    let error = attempt(&plugin, &json!({ "measureNothing": "token" }), &granted).await.expect_err("it is no number");
    assert!(error.to_string().contains("measurement [secret token] [2J is NaN"), "{error:?}");
    assert!(!format!("{error:?}").contains(SECRET), "{error:?}");
    let (reason, _) = refused(&plugin, "http", &json!({ "send": { "secret": "token", "host": "evil.example" } }), &granted).await;
    assert!(!reason.contains(SECRET), "{reason}");
}

#[tokio::test]
async fn a_redirect_leads_nowhere_that_was_not_granted() {
    let plugin = plugin(Limits::default());
    let elsewhere = Server::start(Some(crate::fixture::OK)).await;
    for location in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        format!("http://localhost:{}/", elsewhere.port),
        format!("http://[::1]:{}/", elsewhere.port),
        format!("http://127.0.0.1:{}/", elsewhere.port),
        format!("https://127.0.0.1:{}/", elsewhere.port),
        "http://2130706433/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "//evil.example/".to_owned(),
    ] {
        let answer = format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let server = Server::start(Some(answer.leak())).await;
        let granted =
            json!({ "http": { "allow": [{ "scheme": "http", "host": "127.0.0.1", "port": server.port, "private": true }] } });
        let settings = json!({ "follow": format!("http://127.0.0.1:{}/", server.port) });
        match attempt(&plugin, &settings, &granted).await {
            Err(error) => assert!(
                matches!(
                    error.kind,
                    CallErrorKind::Refused { power: "http", .. } | CallErrorKind::Forbidden { power: "http", .. }
                ),
                "{location}: {error:?}"
            ),
            Ok(called) => assert!(!called.answer.sentence.contains("200"), "{location}: {}", called.answer.sentence),
        }
    }
}

#[tokio::test]
async fn a_circle_of_redirects_ends() {
    let plugin = plugin(Limits::default());
    let circle = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let server = Server::start(Some(circle)).await;
    let granted =
        json!({ "http": { "allow": [{ "scheme": "http", "host": "127.0.0.1", "port": server.port, "private": true }] } });
    let said = answered(&plugin, &json!({ "follow": format!("http://127.0.0.1:{}/", server.port) }), &granted).await;
    assert_eq!(said, "307 ", "the last of them is the answer");
}
