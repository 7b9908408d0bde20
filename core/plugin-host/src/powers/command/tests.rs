//! Programs of this machine, run as the grant says.

use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use super::run::{OUTPUT_BYTES_MAX, Work};
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

/// The beginning of a script that goes on once its limits are in force, which may be a moment after it was started.
const LIMITED: &str = "while [ \"$(ulimit -f)\" = unlimited ]; do :; done; ";

#[tokio::test]
async fn a_program_has_the_limits_of_its_rule() {
    let said = |more: &'static str| async move {
        let script = format!("{LIMITED} ulimit -d; ulimit -f; ulimit -t; ulimit -c");
        let outcome = run(&mut state(&script, more), request(&[])).await.expect("it ran");
        String::from_utf8(outcome.stdout).expect("text").lines().map(str::to_owned).collect::<Vec<_>>()
    };
    // In KiB, in blocks of 512 bytes, in seconds.
    assert_eq!(said("").await, ["2097152", "2097152", "60", "0"]);
    let more = r#","memoryBytesMax":1048576,"fileBytesMax":4096,"cpuSecondsMax":7"#;
    assert_eq!(said(more).await, ["1024", "8", "7", "0"]);
    assert_eq!(said(r#","timeoutMs":1500"#).await[2], "2", "as much as one core has within its time");
}

#[tokio::test]
async fn a_program_that_wants_more_than_its_limits_ends() {
    let memory = format!("{LIMITED} head -c 64M /dev/zero | tail -c 64M | wc -c");
    let outcome = run(&mut state(&memory, r#","memoryBytesMax":33554432"#), request(&[])).await.expect("it ran");
    let (found, why) = (String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr));
    assert!(found.trim() != "67108864" && why.contains("memory"), "{found} {why}");
    let outcome = run(&mut state(&memory, ""), request(&[])).await.expect("it ran");
    assert_eq!(String::from_utf8_lossy(&outcome.stdout).trim(), "67108864", "there is room for it otherwise");

    let file = format!("{LIMITED} exec head -c 1M /dev/zero > out.txt");
    let outcome = run(&mut state(&file, r#","fileBytesMax":4096"#), request(&[])).await.expect("it ran");
    assert_eq!((outcome.exit_code, outcome.files[0].content.len()), (128 + 25, 4096));

    let cores = format!("{LIMITED} while :; do :; done");
    let more = r#","cpuSecondsMax":1,"timeoutMs":60000"#;
    let mut state = state(&cores, more);
    let patient = Request { timeout_ms: 60_000, ..request(&[]) };
    let outcome = run(&mut state, patient).await.expect("it ends before its time, which the call's end is also");
    assert_eq!(outcome.exit_code, 128 + 24);
}

#[tokio::test]
async fn files_are_written_where_nobody_is_held_up_by_it() {
    let rule = serde_json::from_str(r#"{"name":"script","program":"/bin/true"}"#).expect("a rule");
    let files = vec![File { path: "a".to_owned(), content: b"a file".to_vec() }];
    let work = Work { rule, extra: Vec::new(), stdin: Vec::new(), files, collect: vec!["a".to_owned()], bytes_max: 100 };
    // Somebody else on the one thread of this test, who gets a turn before the program starts.
    let turns = std::cell::Cell::new(0);
    let other = async {
        loop {
            turns.set(turns.get() + 1);
            tokio::task::yield_now().await;
        }
    };
    let before_it_starts = || assert!(turns.get() > 0, "the files were written before anybody else had a turn");
    let outcome = tokio::select! {
        biased;
        outcome = super::run::run(work, before_it_starts) => outcome,
        () = other => unreachable!("it never ends"),
    };
    let outcome = outcome.unwrap_or_else(|_| panic!("it ran"));
    assert_eq!(outcome.files[0].content, b"a file");
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
