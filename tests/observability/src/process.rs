//! A server of the machine's as a child process: its own folder, its own loopback port, killed when dropped.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::http;

/// Looks at a condition, [`PAUSE`] apart, before a test gives up: a minute, for a busy machine.
const LOOKS_MAX: u32 = 1_200;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// How often another port is tried, when somebody took the one that was free.
const STARTS_MAX: u32 = 5;

/// What a server says in its log when its port was taken.
const PORT_TAKEN: &str = "address already in use";

/// Waits until a condition holds and returns what it found.
///
/// # Panics
///
/// When it does not come true within a minute.
pub fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    poll(condition).unwrap_or_else(|| panic!("{what} did not come true within {} s", (LOOKS_MAX * PAUSE).as_secs()))
}

/// The same, for who has more to say when it does not come true.
pub(crate) fn poll<T>(mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..LOOKS_MAX {
        if let Some(found) = condition() {
            return Some(found);
        }
        std::thread::sleep(PAUSE); // tidy: between two looks at the condition
    }
    None
}

/// How a server is started.
#[derive(Clone)]
pub(crate) struct Recipe {
    /// Names of its program; the first that exists is taken.
    pub(crate) programs: &'static [&'static str],
    /// The Debian package that brings it.
    pub(crate) package: &'static str,
    /// Its arguments but for the address.
    pub(crate) arguments: Vec<String>,
    /// The argument that says the address, up to the address.
    pub(crate) listen: &'static str,
    /// What answers 200 as soon as it is ready.
    pub(crate) ready: &'static str,
}

/// A running server.
pub(crate) struct Server {
    recipe: Recipe,
    folder: PathBuf,
    address: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts a server in a folder and waits until it is ready.
    pub(crate) fn start(recipe: &Recipe, folder: &Path) -> Self {
        for _ in 0..STARTS_MAX {
            let address = free_address();
            let child = spawn(recipe, folder, address);
            let mut server = Self { recipe: recipe.clone(), folder: folder.to_owned(), address, child };
            match server.wait_until_ready() {
                Ok(()) => return server,
                // Somebody was faster.
                Err(log) if log.contains(PORT_TAKEN) => {}
                Err(log) => panic!("{} ended: {log}", recipe.programs[0]),
            }
        }
        panic!("no port stayed free over {STARTS_MAX} starts of {}", recipe.programs[0]);
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes it hang with its connections open. When this returns, none of its threads runs any more: the signal alone takes its time.
    pub(crate) fn pause(&self) {
        self.signal(Signal::SIGSTOP);
        let tasks = format!("/proc/{}/task", self.child.id());
        until("every thread is stopped", || {
            let threads = fs::read_dir(&tasks).expect("our own child, which nobody waited for").flatten();
            let stats: Vec<String> = threads.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok()).collect();
            // The state stands behind the name, which may hold anything (proc(5)).
            let stopped = |stat: &String| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('T'));
            stats.iter().all(stopped).then_some(())
        });
    }

    /// Ends [`Server::pause`].
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let id = Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"));
        kill(id, signal).expect("our own child, which nobody waited for");
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        // It may have ended by now.
        let _ = self.child.kill();
        self.child.wait().expect("our own child can be waited for");
    }

    /// Starts it again, at the same address and in the same folder, and waits until it is ready.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.recipe, &self.folder, self.address);
        self.wait_until_ready().unwrap_or_else(|log| panic!("{} ended: {log}", self.recipe.programs[0]));
    }

    /// Waits; returns what is in the log when the server ended instead.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        until(&format!("{} is ready", self.recipe.programs[0]), || {
            if self.child.try_wait().expect("our own child can be waited for").is_some() {
                return Some(Err(fs::read_to_string(log(&self.folder)).unwrap_or_default()));
            }
            let ready = http::try_get(self.address, self.recipe.ready).is_ok_and(|answer| answer.status == 200);
            ready.then_some(Ok(()))
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(recipe: &Recipe, folder: &Path, address: SocketAddr) -> Child {
    let log = fs::File::create(log(folder)).expect("the folder can be written");
    for program in recipe.programs {
        let mut command = Command::new(program);
        command.args(&recipe.arguments).arg(format!("{}{address}", recipe.listen)).current_dir(folder);
        let streams = || Stdio::from(log.try_clone().expect("an open file can be shared"));
        match command.stdin(Stdio::null()).stdout(streams()).stderr(streams()).spawn() {
            Ok(child) => return child,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => panic!("{program} cannot be run: {error}"),
        }
    }
    panic!("{} is not installed; `apt-get install {}` brings it", recipe.programs[0], recipe.package);
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a bound socket has an address")
}
