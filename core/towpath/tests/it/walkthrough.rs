//! Pages for people, executed line by line: what it tells people to type is typed, what it shows them must come.
//!
//! In a block `console`, a line that begins with `$ ` is typed (a backslash at its end joins the next one), and what follows is what the
//! shell shows: `…` stands for any text in a line, and alone on a line for any lines. A block after a sentence that ends with a file's
//! name and a colon, like "Write this into `src/lib.rs`:", is written into that file. Blocks `sh` are only read.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use test_plugins::Workshop;

use crate::rig::{TOWPATH, free_port, make_writable, workspace};

/// How long one line may take: the longest compiles a standard library for WebAssembly.
const LINE_PATIENCE: Duration = Duration::from_secs(900);

/// What says that a typed line is over; nobody writes it by chance.
const OVER: &str = "\u{1}over";

/// One thing to do.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A line to type, and what must be shown.
    Type { line: usize, command: String, shown: Vec<String> },
    /// A file to write.
    Write { path: String, text: String },
}

#[test]
fn the_walk_through_of_the_sdk_does_what_it_says() {
    walk("sdk/README.md", 36, &[]);
}

/// Does what a page says, which has at least so many steps, with more in the shell's environment.
pub(crate) fn walk(page: &str, steps_min: usize, environment: &[(&str, String)]) {
    let text = fs::read_to_string(workspace().join(page)).unwrap();
    let steps = steps(&text);
    assert!(steps.len() >= steps_min, "{} steps were read: the form of the page has changed", steps.len());
    let mut shell = Shell::start(environment);
    for step in steps {
        match step {
            Step::Write { path, text } => shell.write(&path, &text),
            Step::Type { line, command, shown } => {
                let output = shell.type_in(&command);
                assert!(
                    fits(&shown, &output),
                    "{page}:{line}: $ {command}\nthe page shows:\n{}\nit was:\n{}",
                    shown.join("\n"),
                    output.join("\n")
                );
            }
        }
    }
}

/// Returns what a page has one do.
fn steps(page: &str) -> Vec<Step> {
    let (mut steps, mut file) = (Vec::new(), None);
    let mut lines = page.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.trim().is_empty() {
                file = named_file(line);
            }
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|(_, line)| !line.starts_with("```")).map(|(_, line)| line).collect();
        match (kind, file.take()) {
            ("console", _) => steps.extend(typed(number + 2, &block)),
            ("sh", _) | (_, None) => {}
            (_, Some(path)) => steps.push(Step::Write { path, text: block.join("\n") + "\n" }),
        }
    }
    steps
}

/// Returns the file that a sentence ends with.
fn named_file(sentence: &str) -> Option<String> {
    let (_, name) = sentence.trim_end().strip_suffix("`:")?.rsplit_once('`')?;
    Some(name.to_owned())
}

fn typed(first: usize, block: &[&str]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut joined = false;
    for (offset, text) in block.iter().enumerate() {
        match (text.strip_prefix("$ "), steps.last_mut()) {
            (_, Some(Step::Type { command, .. })) if joined => {
                command.push('\n');
                command.push_str(text);
            }
            (Some(command), _) => {
                steps.push(Step::Type { line: first + offset, command: command.to_owned(), shown: Vec::new() });
            }
            (None, Some(Step::Type { shown, .. })) => shown.push((*text).to_owned()),
            (None, _) => panic!("a block begins with {text:?} and not with `$ `"),
        }
        joined = text.ends_with('\\') && (joined || text.starts_with("$ "));
    }
    steps
}

/// Returns whether what was shown fits what the page shows.
fn fits(page: &[String], shown: &[String]) -> bool {
    match (page.split_first(), shown.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((line, rest)), _) if line == "…" => (0..=shown.len()).any(|skipped| fits(rest, &shown[skipped..])),
        (Some((line, rest)), Some((found, shown))) => line_fits(line, found) && fits(rest, shown),
        (Some(_), None) => false,
    }
}

fn line_fits(line: &str, found: &str) -> bool {
    let mut parts = line.trim_end().split('…');
    let Some(mut rest) = found.trim_end().strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A shell in a folder of its own, with `towpath` on its path, and in its environment what the page has people choose themselves.
struct Shell {
    folder: tempfile::TempDir,
    shell: Child,
    registry: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Shell {
    fn start(environment: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let registry_port = free_port();
        let registry = registry(folder.path(), registry_port);
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(folder.path()).process_group(0);
        // Kept from run to run, as a person's is.
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("walkthrough"));
        command.env("PATH", path_with_towpath()).env("TOWPATH_DATA_DIR", folder.path().join("data"));
        command.env("REGISTRY", format!("127.0.0.1:{registry_port}")).env("PORT", free_port().to_string());
        command.env("TOWPATH", fs::canonicalize(workspace()).unwrap()).env("COSIGN_PASSWORD", "").env("NO_COLOR", "1");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let (input, output) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let (say, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if say.send(line).is_err() {
                    return;
                }
            }
        });
        let mut started = Self { folder, shell, registry, input, lines };
        started.type_in("exec 2>&1");
        started
    }

    /// Types a line and returns what it showed.
    fn type_in(&mut self, command: &str) -> Vec<String> {
        writeln!(self.input, "{command}\nprintf '\\n{OVER} %s\\n' \"$?\"").unwrap();
        let mut shown = Vec::new();
        loop {
            match self.lines.recv_timeout(LINE_PATIENCE) {
                Ok(line) => match line.strip_prefix(OVER) {
                    Some(status) => {
                        // The mark begins a line of its own, whatever was shown before it.
                        if shown.last().is_some_and(String::is_empty) {
                            shown.pop();
                        }
                        assert_eq!(status.trim(), "0", "$ {command}\n{}", shown.join("\n"));
                        return shown;
                    }
                    None => shown.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    panic!("$ {command}\nis not over after {LINE_PATIENCE:?}\n{}", shown.join("\n"))
                }
                Err(RecvTimeoutError::Disconnected) => panic!("$ {command}\nended the shell\n{}", shown.join("\n")),
            }
        }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // What was started in the background is in the shell's group.
        let group = Pid::from_raw(i32::try_from(self.shell.id()).unwrap());
        let _ = killpg(group, Signal::SIGTERM);
        let _ = self.shell.kill();
        let _ = self.shell.wait();
        let _ = self.registry.kill();
        let _ = self.registry.wait();
        make_writable(self.folder.path());
    }
}

/// Starts an OCI registry that everybody may write to, and waits until it answers.
fn registry(folder: &Path, port: u16) -> Child {
    let file = folder.join("registry.yml");
    let store = folder.join("registry");
    let text = format!(
        "version: 0.1\nlog: {{ level: error }}\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: \"127.0.0.1:{port}\" }}\n",
        store.display()
    );
    fs::write(&file, text).unwrap();
    let mut command = Command::new("docker-registry");
    command.arg("serve").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let registry = command.spawn().expect("docker-registry; install it with `apt-get install docker-registry`");
    crate::rig::wait_for("the registry", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    registry
}

fn path_with_towpath() -> String {
    let ours: PathBuf = Path::new(TOWPATH).parent().unwrap().to_owned();
    #[expect(clippy::disallowed_methods, reason = "a person's shell has a path")]
    let theirs = std::env::var("PATH").unwrap();
    // What other languages are built with comes last: a person's own Python is what runs their tests.
    let tools = Workshop::at(env!("CARGO_TARGET_TMPDIR")).tools();
    let tools = tools.iter().map(|folder| format!(":{}", fs::canonicalize(folder).unwrap().display())).collect::<String>();
    format!("{}:{theirs}{tools}", ours.display())
}

#[test]
fn a_page_is_read_as_people_read_it() {
    let page = "Type:\n\n```console\n$ one \\\n  two\nshown …\n$ three\n```\n\nWrite this into `a/b.rs`:\n\n```rust\nfn x() {}\n```\n\n```sh\nno\n```\n";
    let shown = vec!["shown …".to_owned()];
    let expected = [
        Step::Type { line: 4, command: "one \\\n  two".to_owned(), shown },
        Step::Type { line: 7, command: "three".to_owned(), shown: Vec::new() },
        Step::Write { path: "a/b.rs".to_owned(), text: "fn x() {}\n".to_owned() },
    ];
    assert_eq!(steps(page), expected);
}

#[test]
fn dots_stand_for_any_text_and_any_lines() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (page, shown, expected) in [
        ("a … c", "a b c", true),
        ("a … c", "a b d", false),
        ("…\nend", "one\ntwo\nend", true),
        ("…\nend", "one\ntwo", false),
        ("one", "one\ntwo", false),
        ("one\n…", "one", true),
    ] {
        assert_eq!(fits(&lines(page), &lines(shown)), expected, "{page:?} and {shown:?}");
    }
}
