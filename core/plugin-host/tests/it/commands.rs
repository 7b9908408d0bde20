//! The check by a program through the sandbox, with a real shell script that behaves and misbehaves.

use std::path::{Path, PathBuf};

use plugin_host::{Assessment, CallError, CallErrorKind, CommandGrant, CommandRule, Grants, HealthVerdict, Window};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bundled::{candidate, plugin};
use crate::fixture::{PATIENCE, context};

/// Does what its first argument says.
const SCRIPT: &str = r#"
case "$1" in
well) echo "$2 is well" ;;
full) echo 'disk 93 % full | used=93%;80;90' >&2; echo 'DISK CRITICAL | used=93%;80;90'; exit 2 ;;
bad) echo 'two of three carts are empty'; exit 1 ;;
report) echo '{"verdict":"unhealthy","sentence":"31 carts are empty","measurements":[{"name":"carts-empty","value":31,"unit":"1","limit":0}]}' ;;
wrong) echo '{"verdict":"fine"}' ;;
escapes) printf '\033[2J\033]0;owned\007all \033[32mwell\033[0m\n' ;;
much) yes healthy | head -c 1000000 ;;
flood) exec yes healthy ;;
hang) exec tail -f /dev/null ;;
killed) kill -9 $$ ;;
absent) exec /nowhere/at/all ;;
esac
"#;

/// A script, and the grant to run it.
struct Script {
    _folder: TempDir,
    rule: CommandRule,
}

impl Script {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file: PathBuf = folder.path().join("check.sh");
        std::fs::write(&file, SCRIPT).expect("the folder can be written");
        let rule = CommandRule {
            name: "check".to_owned(),
            program: Path::new("/bin/sh").to_owned(),
            arguments: vec![file.display().to_string()],
            extra_max: 2,
            options: false,
            paths: false,
            environment: std::collections::BTreeMap::new(),
            timeout_ms: 60_000,
            memory_bytes_max: 1 << 30,
            cpu_seconds_max: Some(60),
            file_bytes_max: 1 << 20,
            reading: true,
        };
        Self { _folder: folder, rule }
    }

    async fn try_assess(&self, settings: &Value) -> Result<Assessment, CallError> {
        let grants = Grants { command: Some(CommandGrant { allow: vec![self.rule.clone()] }), ..Grants::default() };
        let context = context(&settings.to_string(), PATIENCE);
        let subjects = candidate("127.0.0.1:4000".to_owned());
        let called = plugin("health-command").assess(&context, &subjects, &Window::default(), &grants).await;
        called.map(|called| called.answer)
    }

    async fn assess(&self, argument: &str, convention: &str) -> Assessment {
        let settings = json!({ "program": "check", "arguments": [argument, "$service"], "convention": convention });
        self.try_assess(&settings).await.expect("an answer")
    }
}

#[track_caller]
fn is(found: &Assessment, verdict: HealthVerdict, sentence: &str) {
    assert_eq!(found.sentence, sentence);
    assert_eq!(found.verdict, verdict);
}

#[tokio::test]
async fn a_program_judges_by_its_exit_code_or_its_report() {
    let script = Script::new();
    let well = "check ended with 0, which means healthy (healthy: 0): web is well";
    is(&script.assess("well", "exit").await, HealthVerdict::Healthy, well);
    let bad = "check ended with 1, which means unhealthy (healthy: 0): two of three carts are empty";
    is(&script.assess("bad", "exit").await, HealthVerdict::Unhealthy, bad);
    let found = script.assess("full", "nagios").await;
    is(&found, HealthVerdict::Unhealthy, "check ended with 2, which means unhealthy (healthy: 0): DISK CRITICAL");
    let used = found.measurements.iter().find(|measured| measured.name == "used").expect("performance data");
    assert_eq!((used.value, used.unit.as_str(), used.limit), (93.0, "%", Some(90.0)));
    let found = script.assess("report", "json").await;
    is(&found, HealthVerdict::Unhealthy, "check: 31 carts are empty");
    assert_eq!((found.measurements[0].value, found.measurements[0].limit), (31.0, Some(0.0)));
}

#[tokio::test]
async fn a_program_that_misbehaves_is_an_error_and_is_not_obeyed() {
    let script = Script::new();
    for (argument, convention, begins) in [
        ("wrong", "json", "check printed \"{\"verdict\":\"fine\"}\", which is no report: unknown variant `fine`"),
        ("well", "json", "check printed \"web is well\", which is no report: expected value"),
        ("much", "json", "check printed more than is kept, 262144 bytes of it are no whole report"),
        ("killed", "exit", "check ended with 137, which means an error (healthy: 0): it said nothing"),
        ("absent", "exit", "check ended with 127, which means an error (healthy: 0): "),
    ] {
        let found = script.assess(argument, convention).await;
        assert_eq!(found.verdict, HealthVerdict::Error, "{argument}: {}", found.sentence);
        assert!(found.sentence.replace('\\', "").starts_with(begins), "{argument}: {}", found.sentence);
    }
    is(
        &script.assess("escapes", "exit").await,
        HealthVerdict::Healthy,
        "check ended with 0, which means healthy (healthy: 0): all well",
    );
    is(
        &script.assess("much", "exit").await,
        HealthVerdict::Healthy,
        "check ended with 0, which means healthy (healthy: 0): healthy",
    );
}

#[tokio::test]
async fn a_program_that_hangs_or_floods_without_end_is_killed() {
    let script = Script::new();
    for argument in ["hang", "flood"] {
        let settings = json!({ "program": "check", "arguments": [argument], "timeoutMs": 300 });
        let found = script.try_assess(&settings).await.expect("an answer");
        is(&found, HealthVerdict::Error, "check did not end within 300 ms and was killed");
    }
}

#[tokio::test]
async fn the_grant_decides_what_runs_with_which_arguments() {
    let mut script = Script::new();
    let refused = async |script: &Script, arguments: Value| {
        let error = script.try_assess(&json!({ "program": "check", "arguments": arguments })).await.expect_err("not granted");
        let CallErrorKind::Refused { power: "command", .. } = error.kind else { panic!("{error:?}") };
        error.to_string()
    };
    let option = refused(&script, json!(["well", "-x"])).await;
    assert!(option.contains("with the option \"-x\""), "{option}");
    let path = refused(&script, json!(["well", "http://$endpoint/"])).await;
    assert!(path.contains("with the path \"http://127.0.0.1:4000/\""), "{path}");
    let many = refused(&script, json!(["well", "a", "b"])).await;
    assert!(many.contains("3 arguments of its own, at most 2 are allowed"), "{many}");
    script.rule.paths = true;
    let found = script
        .try_assess(&json!({ "program": "check", "arguments": ["well", "http://$endpoint/"] }))
        .await
        .expect("it is granted");
    is(&found, HealthVerdict::Healthy, "check ended with 0, which means healthy (healthy: 0): http://127.0.0.1:4000/ is well");
    // What changes something does not run in a look.
    script.rule.reading = false;
    let found =
        script.try_assess(&json!({ "program": "check", "arguments": ["well"] })).await.expect("it is no matter of a line");
    assert_eq!(found.verdict, HealthVerdict::Error);
    assert!(found.sentence.contains("unless the grant says that it is \"reading\""), "{}", found.sentence);
}
