//! Running one program to its end.

use std::fs;
use std::io;
use std::mem;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::bounds;
use super::grant::CommandRule;
use crate::v0_3::bindings::powers::towpath::plugin::command::{File, Outcome};

/// What is kept of standard output, and of standard error, in bytes; the rest is read and dropped.
pub(super) const OUTPUT_BYTES_MAX: usize = 256 << 10;

/// Where programs that a program starts are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What is run, once it was checked.
pub(super) struct Work {
    pub(super) rule: CommandRule,
    pub(super) extra: Vec<String>,
    pub(super) stdin: Vec<u8>,
    pub(super) files: Vec<File>,
    pub(super) collect: Vec<String>,
    /// The most bytes of all files that are read back.
    pub(super) bytes_max: usize,
}

/// Why there is no outcome.
pub(super) enum Failed {
    /// What was wanted cannot be.
    Invalid(String),
    /// It could not be started.
    Unavailable(String),
}

/// A process group; killed when dropped.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = killpg(self.0, Signal::SIGKILL);
    }
}

/// A folder that is removed when dropped, and nobody waits for that: a program may leave a hundred thousand files.
struct Folder(Option<TempDir>);

impl Folder {
    fn path(&self) -> &Path {
        self.0.as_ref().expect("BUG: a folder is taken when it is dropped").path()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let folder = self.0.take();
        match Handle::try_current() {
            Ok(handle) => drop(handle.spawn_blocking(move || drop(folder))),
            Err(_) => drop(folder),
        }
    }
}

/// Runs it. Dropping the future kills the program and all in its group, and removes its folder.
pub(super) async fn run(mut work: Work, before_it_starts: impl FnOnce()) -> Result<Outcome, Failed> {
    let begun = Instant::now();
    let files = mem::take(&mut work.files);
    let folder = beside(move || prepared(&files)).await?;
    before_it_starts();
    let (mut child, group) = started(&work, folder.path())?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let writing = async {
        if let Some(mut stdin) = stdin {
            // A program need not read what it is given.
            let _ = stdin.write_all(&work.stdin).await;
        }
    };
    let ending = async {
        let status = child.wait().await;
        // Whatever it left running holds its output open, and has no business to go on.
        drop(group);
        status
    };
    let (_, status, (stdout, one_cut), (stderr, other_cut)) = tokio::join!(writing, ending, kept(stdout), kept(stderr));
    let status = status.map_err(|error| Failed::Unavailable(format!("it could not be waited for: {error}")))?;
    let files = beside(move || collected(folder, &work.collect, work.bytes_max)).await?;
    Ok(Outcome {
        exit_code: exit_code(status),
        stdout,
        stderr,
        cut: one_cut || other_cut,
        files,
        elapsed_ms: u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX),
    })
}

/// Works with files where nobody is held up by it: a disk may take its time.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failed> + Send + 'static) -> Result<T, Failed> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failed::Unavailable(format!("its files could not be reached: {error}"))))
}

fn started(work: &Work, folder: &Path) -> Result<(Child, Group), Failed> {
    let program = &work.rule.program;
    let cannot = |why: &dyn std::fmt::Display| Failed::Unavailable(format!("{} cannot be started: {why}", program.display()));
    if !program.is_absolute() {
        return Err(cannot(&"the grant's path is not absolute"));
    }
    let mut command = Command::new(program);
    command
        .args(&work.rule.arguments)
        .args(&work.extra)
        .current_dir(folder)
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", folder)
        .env("TMPDIR", folder)
        .env("LANG", "C.UTF-8")
        .envs(&work.rule.environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let child = command.spawn().map_err(|error| cannot(&error))?;
    let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(|| cannot(&"it has no process id"))?;
    let group = Group(Pid::from_raw(id));
    bounds::limit(group.0, &work.rule).map_err(|error| cannot(&format!("it cannot be limited: {error}")))?;
    Ok((child, group))
}

/// Returns a folder of our own with the files in it.
fn prepared(files: &[File]) -> Result<Folder, Failed> {
    let cannot = |error: io::Error| Failed::Unavailable(format!("a folder for the program cannot be made: {error}"));
    let folder = tempfile::Builder::new().prefix("towpath-command-").tempdir().map_err(cannot)?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).map_err(cannot)?;
    for file in files {
        let place = folder.path().join(&file.path);
        let within = place.parent().unwrap_or(folder.path());
        let written = fs::create_dir_all(within).and_then(|()| fs::write(&place, &file.content));
        written.map_err(|error| Failed::Invalid(format!("file {:?} cannot be written: {error}", file.path)))?;
    }
    Ok(Folder(Some(folder)))
}

/// Reads to the end and returns the beginning, and whether there was more.
async fn kept(stream: Option<impl AsyncRead + Unpin>) -> (Vec<u8>, bool) {
    let (mut found, mut cut) = (Vec::new(), false);
    let Some(mut stream) = stream else { return (found, cut) };
    let mut chunk = vec![0; 16 << 10];
    loop {
        // A pipe that breaks has ended.
        let length = stream.read(&mut chunk).await.unwrap_or(0);
        if length == 0 {
            return (found, cut);
        }
        let room = OUTPUT_BYTES_MAX.saturating_sub(found.len()).min(length);
        found.extend_from_slice(&chunk[..room]);
        cut |= room < length;
    }
}

/// Returns those of the wanted files that are there, and removes the folder. A link out of the folder is not there.
fn collected(mut folder: Folder, paths: &[String], bytes_max: usize) -> Result<Vec<File>, Failed> {
    let broken = |error: io::Error| Failed::Unavailable(format!("the program's folder cannot be read: {error}"));
    let folder = folder.0.take().expect("BUG: a folder is taken when it is dropped");
    let root = fs::canonicalize(folder.path()).map_err(broken)?;
    let mut left = bytes_max as u64;
    let mut files = Vec::new();
    for path in paths {
        let Ok(place) = fs::canonicalize(root.join(path)) else { continue };
        let Ok(found) = fs::metadata(&place) else { continue };
        if !place.starts_with(&root) || !found.is_file() {
            continue;
        }
        let too_much = || Failed::Invalid(format!("the files to collect have more than {bytes_max} bytes, with {path:?}"));
        left = left.checked_sub(found.len()).ok_or_else(too_much)?;
        files.push(File { path: path.clone(), content: fs::read(&place).map_err(broken)? });
    }
    Ok(files)
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
