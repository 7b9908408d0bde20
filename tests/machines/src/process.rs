//! A program of the machine's as a child process, in a process group of its own, killed when dropped.

use std::fs;
use std::net::TcpListener;
use std::ops::Range;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// Looks at a condition, [`PAUSE`] apart, before a test gives up: a minute, for a busy machine.
const LOOKS_MAX: u32 = 1_200;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// Waits until a condition holds and returns what it found.
///
/// # Panics
///
/// When it does not come true within a minute.
pub fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    until_well(what, || condition().ok_or_else(|| "nobody says why".to_owned()))
}

/// The same for what says why it is not so yet, which is told when a test gives up.
///
/// # Panics
///
/// When it does not come true within a minute.
pub(crate) fn until_well<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let mut last = String::new();
    for _ in 0..LOOKS_MAX {
        match attempt() {
            Ok(found) => return found,
            Err(why) => last = why,
        }
        std::thread::sleep(PAUSE); // tidy: between two looks at the condition
    }
    panic!("{what} did not come true within {} s: {last}", (LOOKS_MAX * PAUSE).as_secs())
}

/// Ports below those that the system gives to whoever connects: a port is handed out long before a release listens on it, and thousands of
/// requests are under way meanwhile.
const PORTS: Range<u16> = 10_240..32_000;

/// Ports between the beginnings of two test programs that run side by side.
const PORTS_APART: u32 = 601;

/// Returns a port of loopback that nobody uses now, and that nobody is given by chance or by a second call.
///
/// # Panics
///
/// When the machine has none.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let first = std::process::id().wrapping_mul(PORTS_APART);
    let mut candidates = PORTS.map(|_| first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)));
    let all = u32::try_from(PORTS.len()).expect("fewer than 65,536");
    let port = |at: u32| PORTS.start + u16::try_from(at % all).expect("within the range");
    let free = candidates.find(|at| TcpListener::bind(("127.0.0.1", port(*at))).is_ok());
    port(free.expect("a free port"))
}

/// A running program, with whatever it started in its group.
pub(crate) struct Process {
    child: Child,
    reach: Reach,
}

/// What ends with a program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// Its group.
    Group,
    /// Whatever it and its children started, in groups of their own or not.
    Tree,
}

impl Process {
    /// Starts a program that a Debian package brings. What it says goes into the file `log`.
    pub(crate) fn start(command: &mut Command, package: &str, log: &Path) -> Self {
        let file = fs::OpenOptions::new().create(true).append(true).open(log).expect("the folder can be written");
        let streams = || Stdio::from(file.try_clone().expect("an open file can be shared"));
        let started = command.stdin(Stdio::null()).stdout(streams()).stderr(streams()).process_group(0).spawn();
        let program = command.get_program().to_owned();
        let child =
            started.unwrap_or_else(|error| panic!("{program:?} cannot be run ({error}); `apt-get install {package}` brings it"));
        Self { child, reach: Reach::Group }
    }

    /// Has whatever it starts end with it, wherever that is.
    pub(crate) fn with_tree(mut self) -> Self {
        self.reach = Reach::Tree;
        self
    }

    /// Returns how many programs it looks after.
    pub(crate) fn count_children(&self) -> usize {
        self.children().len()
    }

    /// Returns the first process that it started: a container's own first one, with which all of its others end.
    pub(crate) fn leader(&self) -> Option<String> {
        self.children().first().map(Pid::to_string)
    }

    /// Ends what it started, and lets it live.
    pub(crate) fn kill_children(&self) {
        for child in self.children() {
            // It may be gone by now.
            let _ = nix::sys::signal::kill(child, Signal::SIGKILL);
        }
    }

    /// Stops it, so that it does nothing until it is ended.
    pub(crate) fn stop(&self) {
        nix::sys::signal::kill(self.id(), Signal::SIGSTOP).expect("it is our own child");
    }

    fn children(&self) -> Vec<Pid> {
        children(self.id())
    }

    fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"))
    }

    /// Ends the whole group as a loss of power does.
    pub(crate) fn kill(&mut self) {
        match self.reach {
            // A container's processes are in no group of ours.
            Reach::Group => self.kill_children(),
            Reach::Tree => kill_tree(self.id()),
        }
        // Nothing of it may be left.
        let _ = killpg(self.id(), Signal::SIGKILL);
        self.child.wait().expect("our own child can be waited for");
    }

    /// Returns whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("our own child can be waited for").is_some()
    }
}

fn children(of: Pid) -> Vec<Pid> {
    let children = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    children.split_whitespace().filter_map(|child| child.parse().ok()).map(Pid::from_raw).collect()
}

/// Ends a process and whatever it and its children started. What is stopped starts nothing more while the others are looked for.
fn kill_tree(process: Pid) {
    // Each may be gone by now.
    let _ = nix::sys::signal::kill(process, Signal::SIGSTOP);
    children(process).into_iter().for_each(kill_tree);
    let _ = nix::sys::signal::kill(process, Signal::SIGKILL);
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            self.kill();
        }
    }
}
