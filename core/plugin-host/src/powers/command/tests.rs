//! Programs of this machine, run as the grant says.

use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::run::OUTPUT_BYTES_MAX;
use crate::call::{CallState, Purpose, testing};
use crate::error::CallErrorKind;
use crate::v0_3::bindings::powers::towpath::plugin::command::{Error, File, Host, Outcome, Request};
use crate::{Grants, Limits};

/// Returns a state that may run a shell's script as "script", and the arguments after it as its own.
fn state(script: &str, more: &str) -> CallState {
    let script = serde_json::to_string(script).expect("JSON");
    let grant = format!(
        r#"{{"command":{{"allow":[{{"name":"script","program":"/bin/sh","arguments":["-c",{script},"sh"],"extraMax":2,"environment":{{"MINE":"yes"}}{more}}}]}}}}"#
    );
    let mut state = testing::state(serde_json::from_str(&grant).expect("a grant"), Limits::default());
    state.purpose = Purpose::Change;
    state
}

fn request(arguments: &[&str]) -> Request {
    Request {
        program: "script".to_owned(),
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        stdin: b"from the guest".to_vec(),
        files: vec![File { path: "in/a.txt".to_owned(), content: b"a file".to_vec() }],
        collect: vec!["out.txt".to_owned(), "absent".to_owned(), "link".to_owned()],
        timeout_ms: 8_000,
    }
}

async fn run(state: &mut CallState, request: Request) -> Result<Outcome, Error> {
    state.run(request).await.expect("no trap")
}

#[tokio::test]
async fn a_program_runs_in_a_folder_and_an_environment_of_its_own() {
    let script = "cat; cat in/a.txt; printf ' %s' \"$@\" >&2; env > out.txt; ln -s /etc/passwd link; stat -c %a . ; exit 7";
    let mut state = state(script, "");
    let outcome = run(&mut state, request(&["one", "$(two) three"])).await.expect("it ran");
    assert_eq!(outcome.exit_code, 7);
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "from the guesta file700\n");
    assert_eq!(String::from_utf8_lossy(&outcome.stderr), " one $(two) three", "no shell reads the arguments");
    let [file] = outcome.files.as_slice() else { panic!("{:?}", outcome.files) };
    let environment = String::from_utf8_lossy(&file.content);
    let mut names: Vec<_> = environment.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "MINE", "PATH", "TMPDIR"]);
    let home = environment.lines().find_map(|line| line.strip_prefix("HOME=")).expect("a home");
    assert!(!std::path::Path::new(home).exists(), "the folder is removed");
    assert!(state.transcript.sent(), "what a program does is an effect");
}

#[tokio::test]
async fn arguments_are_as_the_grant_says() {
    for arguments in [&["-x"][..], &["/etc/passwd"], &["a/../../b"], &["--"], &["file=/etc/x"], &["~root"], &["a", "b", "c"]] {
        let mut state = state("true", "");
        let answer = run(&mut state, request(arguments)).await;
        assert!(matches!(answer, Err(Error::Refused(_))), "{arguments:?}: {answer:?}");
        let Some(CallErrorKind::Refused { power: "command", line, .. }) = state.transcript.stopped() else {
            panic!("not refused")
        };
        serde_json::from_str::<Grants>(&line).expect("the line is a grant");
        assert!(!state.transcript.sent());
    }
    let mut state = state("true", r#","options":true,"paths":true"#);
    run(&mut state, request(&["-x", "/etc/passwd"])).await.expect("both are granted");
    run(&mut state, request(&["-f/etc/passwd", "-C.."])).await.expect("both are granted");
    let zero = run(&mut state, request(&["a\0b"])).await;
    assert!(matches!(zero, Err(Error::Invalid(_))), "{zero:?}");
}

#[tokio::test]
async fn a_path_leads_out_wherever_in_an_argument_it_begins() {
    for argument in [
        "-f/etc/passwd",
        "-I../x",
        "-C..",
        "-f~root/x",
        "-fx/y",
        "--file=/etc/passwd",
        "--file=~/x",
        "-o ProxyCommand=/bin/sh",
        "[/etc/passwd]",
        "a;/etc/passwd",
        "a /etc/passwd",
        "a\n/etc/passwd",
        "\"../x\"",
        "https://example.com",
    ] {
        let mut state = state("true", r#","options":true"#);
        let answer = run(&mut state, request(&[argument])).await;
        let Err(Error::Refused(why)) = &answer else { panic!("{argument:?}: {answer:?}") };
        assert!(why.contains("with the path"), "{argument:?}: {why}");
    }
    let mut state = state("true", r#","options":true"#);
    for argument in ["-x", "--", "-vvv", "--file=in/a.txt", "in//a.txt", "a..b/c", "-n1..5", "--range=1..5", "name~", "é/a"] {
        run(&mut state, request(&[argument])).await.expect(argument);
    }
}

#[tokio::test]
async fn files_stay_in_the_folder() {
    for path in ["../x", "/tmp/x", "a/../../x"] {
        let mut state = state("true", "");
        let there = Request { files: vec![File { path: path.to_owned(), content: Vec::new() }], ..request(&[]) };
        let back = Request { collect: vec![path.to_owned()], ..request(&[]) };
        for request in [there, back] {
            let answer = run(&mut state, request).await;
            assert!(matches!(answer, Err(Error::Invalid(_))), "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn only_a_reconcile_runs_what_does_not_only_read() {
    let mut look = state("true", "");
    look.purpose = Purpose::Look;
    let answer = run(&mut look, request(&[])).await;
    assert!(matches!(&answer, Err(Error::Refused(why)) if why.contains("reading")), "{answer:?}");
    let mut look = state("true", r#","reading":true"#);
    look.purpose = Purpose::Look;
    run(&mut look, request(&[])).await.expect("it only reads");
    assert!(!look.transcript.sent());
}

#[tokio::test]
async fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let folder = tempfile::tempdir().expect("a folder");
    let note = folder.path().join("child");
    let mut state = state(&format!("sleep 600 & echo $! > {}; wait", note.display()), r#","timeoutMs":1000"#);
    let answer = run(&mut state, request(&[])).await;
    assert!(matches!(answer, Err(Error::Timeout)), "{answer:?}");
    let child = std::fs::read_to_string(&note).expect("it started a child").trim().parse().expect("a number");
    wait_until_gone(Pid::from_raw(child)).await;
}

#[tokio::test]
async fn what_a_program_leaves_running_does_not_hold_the_call() {
    let mut state = state("sleep 600 & echo done", "");
    let outcome = run(&mut state, request(&[])).await.expect("it ran");
    assert_eq!((outcome.exit_code, outcome.stdout.as_slice()), (0, b"done\n".as_slice()));
}

#[tokio::test]
async fn a_flood_is_cut() {
    let mut state = state("head -c 3000000 /dev/zero; kill -TERM $$", "");
    let outcome = run(&mut state, request(&[])).await.expect("it ran");
    assert_eq!((outcome.stdout.len(), outcome.cut, outcome.exit_code), (OUTPUT_BYTES_MAX, true, 128 + 15));
}

#[tokio::test]
async fn a_program_that_is_not_there_ran_nothing() {
    let grant = r#"{"command":{"allow":[{"name":"script","program":"/nowhere/program"}]}}"#;
    let mut state = testing::state(serde_json::from_str(grant).expect("a grant"), Limits::default());
    state.purpose = Purpose::Change;
    let answer = run(&mut state, request(&[])).await;
    assert!(matches!(&answer, Err(Error::Unavailable(why)) if why.contains("/nowhere/program")), "{answer:?}");
}

async fn wait_until_gone(process: Pid) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while kill(process, None).is_ok() && !is_zombie(process) {
        assert!(Instant::now() < deadline, "{process} still runs");
        sleep(Duration::from_millis(20)).await;
    }
}

/// A killed orphan stays in the table until somebody reaps it.
fn is_zombie(process: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}
