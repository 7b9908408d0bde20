//! A disk that fails under a running server: it ends with a sentence, `towpath up` starts it again, and it goes on.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::rig::{TOWPATH, command, wait_for};

/// `towpath up` with everything that it starts.
struct Up {
    folder: tempfile::TempDir,
    child: Child,
}

impl Up {
    /// Starts it so that a file that may not grow is an error of the disk, and not a signal that kills.
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = fs::File::create(folder.path().join("up.log")).unwrap();
        let child = Command::new("sh")
            .args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#, TOWPATH, "up", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { folder, child }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn said(&self) -> String {
        fs::read_to_string(self.path().join("up.log")).unwrap()
    }

    /// Returns the server's process id once it answers.
    fn wait_for_server(&self, other_than: Option<u64>) -> u64 {
        wait_for("the server's answer", || {
            let announced: Value = serde_json::from_slice(&fs::read(self.path().join("data/server.json")).ok()?).ok()?;
            let pid = announced["pid"].as_u64().filter(|pid| Some(*pid) != other_than)?;
            command(self.path(), &["list"]).output().ok()?.status.success().then_some(pid)
        })
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

#[test]
fn a_server_whose_disk_failed_is_started_again_and_goes_on() {
    let up = Up::start();
    let first = up.wait_for_server(None);
    // No file of that process may grow from here on; the lease is renewed every few seconds, so there is something to write.
    let limited = Command::new("prlimit").args(["--pid", &first.to_string(), "--fsize=1"]).status().unwrap();
    assert!(limited.success());
    let second = up.wait_for_server(Some(first));
    assert_ne!(first, second);
    // The server's own last words are lost: its log could not grow either.
    let said = up.said();
    assert!(said.contains("starting it again") && said.contains("exit status: 75"), "{said}");
}
