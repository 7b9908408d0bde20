//! Hosts made of folders: the plugin's scripts run in a real shell, with a real lock, a real fence and real checksums. Only what supervises
//! and what divides traffic is played, by the two programs in `bin`.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use towpath_sdk::powers::{artifact, command, ssh};
use towpath_sdk::testing::World;
use towpath_sdk::testing::conformance::Seen;
use towpath_sdk::testing::worlds::{Fault, Faulty};

/// The root that the settings name; each host has its own folder in its place.
const ROOT: &str = "/srv/towpath";

/// The folder of units that the settings name, in the same way.
const UNITS: &str = "/etc/service";

/// The hosts.
pub(crate) const HOSTS: [&str; 3] = ["web-1", "web-2", "web-3"];

/// The balancer's host.
pub(crate) const BALANCER: &str = "lb-1";

/// What every release has: a program, something beside it, and a file without anything in it.
const FILES: [(&str, &str, bool); 3] = [("web", "#!/bin/sh\n", true), ("lib/it's data", "data", false), ("lib/empty", "", false)];

/// The world. A clone is the same world.
#[derive(Clone)]
pub(crate) struct Machines(Arc<Mutex<State>>);

struct State {
    folder: TempDir,
    fault: Fault,
    writes: u64,
    held: Option<Held>,
    /// Hosts that do not answer.
    dead: Vec<String>,
    /// What a copy of a file loses on its way: the path.
    spoilt: Option<String>,
    /// How many bytes a piece has at most.
    piece_bytes: usize,
    /// What a host says whatever it is asked, and whether that was cut.
    babble: Option<(String, Vec<u8>, bool)>,
    /// How a program ends that is asked for the hosts.
    inventory: Option<Result<command::Outcome, command::Error>>,
    /// What it was asked with.
    inquiries: Vec<command::Request>,
}

enum Held {
    Run(ssh::Request),
    Send(ssh::Piece),
}

impl Machines {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bin = folder.path().join("bin");
        fs::create_dir_all(bin.join("servers")).expect("made");
        for program in ["sv", "socat"] {
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/bin").join(program), bin.join(program))
                .expect("copied");
        }
        for host in HOSTS {
            for slot in ["a", "b"] {
                fs::write(bin.join(format!("servers/{host}-{slot}")), "1 MAINT 0\n").expect("written");
            }
        }
        let state = State {
            folder,
            fault: Fault::None,
            writes: 0,
            held: None,
            dead: Vec::new(),
            spoilt: None,
            piece_bytes: usize::MAX,
            babble: None,
            inventory: None,
            inquiries: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the service's folder on a host.
    pub(crate) fn scope(&self, host: &str) -> PathBuf {
        self.lock().folder.path().join(host).join("root/web.test")
    }

    /// Returns the folder of a host's units.
    pub(crate) fn units(&self, host: &str) -> PathBuf {
        self.lock().folder.path().join(host).join("units")
    }

    /// Writes a file for the two played programs.
    pub(crate) fn play(&self, name: &str, text: &str) {
        fs::write(self.lock().folder.path().join("bin").join(name), text).expect("written");
    }

    /// Removes such a file.
    pub(crate) fn play_no_more(&self, name: &str) {
        fs::remove_file(self.lock().folder.path().join("bin").join(name)).expect("it was there");
    }

    /// Returns what HAProxy has: weight, state and sessions of each server.
    pub(crate) fn servers(&self) -> BTreeMap<String, String> {
        let folder = self.lock().folder.path().join("bin/servers");
        let files = fs::read_dir(folder).expect("a folder").flatten();
        let one = |file: fs::DirEntry| {
            (file.file_name().into_string().expect("text"), fs::read_to_string(file.path()).expect("text").trim().to_owned())
        };
        files.map(one).collect()
    }

    pub(crate) fn kill(&self, hosts: &[&str]) {
        self.lock().dead = hosts.iter().map(|host| (*host).to_owned()).collect();
    }

    pub(crate) fn spoil(&self, path: Option<&str>) {
        self.lock().spoilt = path.map(str::to_owned);
    }

    /// Has a host say this, whatever it is asked.
    pub(crate) fn babble(&self, host: &str, bytes: &[u8], cut: bool) {
        self.lock().babble = Some((host.to_owned(), bytes.to_vec(), cut));
    }

    /// Has the program that knows the hosts end like this.
    pub(crate) fn list(&self, end: Result<command::Outcome, command::Error>) {
        self.lock().inventory = Some(end);
    }

    /// Returns what that program was asked with so far.
    pub(crate) fn inquiries(&self) -> Vec<command::Request> {
        self.lock().inquiries.clone()
    }

    pub(crate) fn set_piece_bytes(&self, bytes: usize) {
        self.lock().piece_bytes = bytes;
    }

    /// Returns what runs on the first two hosts, read from the folders.
    pub(crate) fn seen(&self) -> Seen {
        let hosts = &HOSTS[..2];
        let side = |which: &str| {
            let mut found: Vec<Option<String>> = hosts.iter().map(|host| running(&self.scope(host), which)).collect();
            found.dedup();
            match &found[..] {
                [all] => all.clone(),
                several => Some(format!("different: {several:?}")),
            }
        };
        let weight = |which: &str| {
            let servers = self.servers();
            let of_host = |host: &&str| {
                let slot = ["a", "b"].into_iter().find(|slot| is_side(&self.scope(host), slot, which))?;
                let server = servers[&format!("{host}-{slot}")].clone();
                let (weight, rest) = server.split_once(' ')?;
                if rest.starts_with("UP") { weight.parse::<u64>().ok() } else { None }
            };
            hosts.iter().filter_map(of_host).sum::<u64>()
        };
        let (stable, candidate) = (weight("stable"), weight("candidate"));
        let share = (10_000 * candidate).checked_div(stable + candidate).unwrap_or(0);
        Seen {
            stable: side("stable"),
            candidate: side("candidate"),
            candidate_basis_points: u16::try_from(share).expect("a share"),
        }
    }
}

fn is_side(scope: &Path, slot: &str, which: &str) -> bool {
    fs::read_to_string(scope.join("slots").join(slot).join("side")).is_ok_and(|side| side.trim() == which)
}

/// Returns the release that runs as a side: one that its supervisor looks after.
fn running(scope: &Path, which: &str) -> Option<String> {
    let slot = ["a", "b"].into_iter().find(|slot| is_side(scope, slot, which))?;
    let place = scope.join("slots").join(slot);
    let identity = fs::read_to_string(place.join("identity")).ok()?;
    place.join("service/supervised").exists().then(|| identity.split(' ').next().unwrap_or_default().to_owned())
}

impl State {
    fn is_dead(&self, host: &str) -> bool {
        self.dead.iter().any(|dead| dead == host)
    }

    fn shell(&self, request: &ssh::Request) -> ssh::Outcome {
        let host = self.folder.path().join(&request.host);
        fs::create_dir_all(&host).expect("a host");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.folder.path().join("bin").display());
        let mut shell = Command::new("sh");
        shell.args(request.command.strip_prefix("sh ").expect("a shell").split(' '));
        shell.env("PATH", path).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().expect("a shell");
        let text = self.placed(&request.host, &String::from_utf8_lossy(&request.stdin));
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
        let ended = child.wait_with_output().expect("it ends");
        let exit_code = ended.status.code().expect("a code");
        ssh::Outcome { exit_code, stdout: ended.stdout, stderr: ended.stderr, cut: false, elapsed_ms: 1 }
    }

    fn send(&self, piece: &ssh::Piece) -> u64 {
        let path = PathBuf::from(self.placed(&piece.host, &piece.path));
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        let mut there = fs::read(&path).unwrap_or_default();
        assert_eq!(there.len() as u64, piece.offset, "a piece goes on where the file ends");
        let (_, content, _) = FILES.iter().find(|(path, ..)| *path == piece.source.path).expect("a file");
        let offset = usize::try_from(piece.offset).expect("small");
        there.extend(content.bytes().skip(offset).take(self.piece_bytes));
        if self.spoilt.as_ref() == Some(&piece.source.path) {
            there.iter_mut().for_each(|byte| *byte = b'?');
        }
        fs::write(&path, &there).expect("written");
        there.len() as u64
    }

    fn placed(&self, host: &str, text: &str) -> String {
        let host = self.folder.path().join(host);
        text.replace(ROOT, &host.join("root").display().to_string()).replace(UNITS, &host.join("units").display().to_string())
    }

    /// Does something, as far as the fault lets it.
    fn disturbed<T>(&mut self, writes: bool, held: impl FnOnce() -> Held, act: impl FnOnce(&Self) -> T) -> Result<T, ssh::Error> {
        if self.fault == Fault::Silent {
            return Err(ssh::Error::Timeout);
        }
        match &mut self.fault {
            Fault::FailAfter(0) if writes => return Err(ssh::Error::Broken("the connection broke".to_owned())),
            Fault::HoldAfter(0) if writes => {
                (self.fault, self.held) = (Fault::None, Some(held()));
                return Err(ssh::Error::Timeout);
            }
            Fault::FailAfter(left) | Fault::HoldAfter(left) if writes => *left -= 1,
            Fault::FailAfter(_) | Fault::HoldAfter(_) | Fault::None | Fault::Silent | Fault::LoseOneAnswer => {}
        }
        self.writes += u64::from(writes);
        let done = act(self);
        if writes && self.fault == Fault::LoseOneAnswer {
            self.fault = Fault::None;
            return Err(ssh::Error::Timeout);
        }
        Ok(done)
    }
}

impl World for Machines {
    fn run_command(&mut self, request: &command::Request) -> Result<command::Outcome, command::Error> {
        let mut state = self.lock();
        state.inquiries.push(request.clone());
        state.inventory.clone().unwrap_or_else(|| Err(command::Error::Refused(format!("nobody granted {}", request.program))))
    }

    fn ssh_run(&mut self, request: &ssh::Request) -> Result<ssh::Outcome, ssh::Error> {
        let mut state = self.lock();
        if state.is_dead(&request.host) {
            return Err(ssh::Error::Unreachable(format!("host {} does not answer", request.host)));
        }
        if let Some((_, said, cut)) = state.babble.as_ref().filter(|(host, ..)| *host == request.host) {
            let (stdout, cut) = (said.clone(), *cut);
            return Ok(ssh::Outcome { exit_code: 0, stdout, stderr: Vec::new(), cut, elapsed_ms: 1 });
        }
        let writes = request.command.ends_with("act");
        state.disturbed(writes, || Held::Run(request.clone()), |state| state.shell(request))
    }

    fn ssh_send(&mut self, piece: &ssh::Piece) -> Result<u64, ssh::Error> {
        let mut state = self.lock();
        if state.is_dead(&piece.host) {
            return Err(ssh::Error::Unreachable(format!("host {} does not answer", piece.host)));
        }
        state.disturbed(true, || Held::Send(piece.clone()), |state| state.send(piece))
    }

    fn artifact_files(&mut self, _digest: &str) -> Result<Vec<artifact::File>, artifact::Error> {
        let file = |(path, content, executable): &(&str, &str, bool)| artifact::File {
            path: (*path).to_owned(),
            size: content.len() as u64,
            executable: *executable,
        };
        Ok(FILES.iter().map(file).collect())
    }

    fn artifact_checksum(&mut self, _digest: &str, path: &str) -> Result<String, artifact::Error> {
        let found = FILES.iter().find(|(name, ..)| *name == path);
        let (_, content, _) = found.ok_or_else(|| artifact::Error::Absent(path.to_owned()))?;
        Ok(Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl Faulty for Machines {
    fn set_fault(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    fn fault(&self) -> Fault {
        self.lock().fault
    }

    fn writes(&self) -> u64 {
        self.lock().writes
    }

    fn forget(&self) {
        let state = self.lock();
        for host in HOSTS.into_iter().chain([BALANCER]) {
            // A host that nobody spoke to has no folder.
            let _ = Command::new("rm").arg("-rf").arg(state.folder.path().join(host)).status();
        }
        for host in HOSTS {
            for slot in ["a", "b"] {
                fs::write(state.folder.path().join(format!("bin/servers/{host}-{slot}")), "1 MAINT 0\n").expect("written");
            }
        }
    }

    fn deliver(&self) {
        let mut state = self.lock();
        match state.held.take() {
            Some(Held::Run(request)) => drop(state.shell(&request)),
            Some(Held::Send(piece)) => {
                // As there: what does not find the length that it expects changes nothing.
                let there = fs::metadata(state.placed(&piece.host, &piece.path)).map_or(0, |file| file.len());
                if there == piece.offset {
                    state.send(&piece);
                }
            }
            None => {}
        }
    }
}
