//! Processes that outlive a killed runtime, and how the next one ends them.
//!
//! Asking the kernel to end children with their parent needs unsafe code between fork and exec. Instead every process is recorded with
//! its start time, so that a stranger who got the same number later is left alone, and carries the data folder in its environment, which
//! finds those that were started in the moment before the record was written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::clock;
use crate::limits::LEFTOVER_STOP_TIMEOUT;

/// The variable that marks our processes.
pub(crate) const MARKER_VARIABLE: &str = "TOWPATH_RUNTIME_DATA";

/// How often it is looked whether a leftover is gone.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// The folder of process records.
#[derive(Clone, Debug)]
pub(crate) struct Records {
    dir: PathBuf,
    marker: String,
}

/// The record of one running process; removed when dropped.
#[derive(Debug)]
pub(crate) struct Record {
    path: PathBuf,
}

/// A process as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    pid: i32,
    start_ticks: u64,
}

impl Records {
    /// Opens the folder and makes it if there is none. `data_dir` marks the processes as ours.
    pub(crate) fn open(dir: &Path, data_dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: dir.to_owned(), marker: data_dir.to_string_lossy().into_owned() })
    }

    /// Returns the marker's value.
    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }

    /// Records a process that was just started. Best effort: without the record the marker still finds it.
    pub(crate) fn note(&self, pid: u32) -> Record {
        let path = self.dir.join(pid.to_string());
        if let Some((seen, _)) = look(pid.cast_signed()) {
            let _ = fs::write(&path, format!("{} {}", seen.start_ticks, boot_id()));
        }
        Record { path }
    }

    /// Ends every process of an earlier run and returns how many there were. Blocks until they are gone.
    pub(crate) fn reap(&self) -> io::Result<usize> {
        let mut leftovers = self.recorded()?;
        for seen in self.marked() {
            if !leftovers.contains(&seen) {
                leftovers.push(seen);
            }
        }
        signal_all(&leftovers, Signal::SIGTERM);
        if !gone_within(&leftovers, LEFTOVER_STOP_TIMEOUT) {
            signal_all(&leftovers, Signal::SIGKILL);
            gone_within(&leftovers, LEFTOVER_STOP_TIMEOUT);
        }
        for item in fs::read_dir(&self.dir)? {
            fs::remove_file(item?.path())?;
        }
        Ok(leftovers.len())
    }

    fn recorded(&self) -> io::Result<Vec<Seen>> {
        let boot = boot_id();
        let mut found = Vec::new();
        for item in fs::read_dir(&self.dir)? {
            let item = item?;
            let Some(pid) = item.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
            let text = fs::read_to_string(item.path())?;
            let Some((ticks, recorded_boot)) = text.split_once(' ') else { continue };
            match look(pid) {
                Some((seen, _)) if recorded_boot == boot && ticks == seen.start_ticks.to_string() => found.push(seen),
                _ => {}
            }
        }
        Ok(found)
    }

    fn marked(&self) -> Vec<Seen> {
        let wanted = format!("{MARKER_VARIABLE}={}", self.marker);
        let us = std::process::id().cast_signed();
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|item| item.file_name().to_str()?.parse::<i32>().ok()).filter(|pid| *pid != us);
        let ours = pids.filter(|pid| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|b| *b == 0).any(|variable| variable == wanted.as_bytes())
        });
        ours.filter_map(|pid| look(pid).map(|(seen, _)| seen)).collect()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn signal_all(processes: &[Seen], signal: Signal) {
    for process in processes.iter().filter(|p| is_alive(p)) {
        let pid = Pid::from_raw(process.pid);
        // A leader takes its group with it; anybody else is ended alone.
        if killpg(pid, signal).is_err() {
            let _ = kill(pid, signal);
        }
    }
}

fn gone_within(processes: &[Seen], patience: Duration) -> bool {
    let deadline = clock::now() + patience;
    while processes.iter().any(is_alive) {
        if clock::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK_INTERVAL);
    }
    true
}

fn is_alive(process: &Seen) -> bool {
    // A zombie has ended; it only waits for whoever adopted it.
    look(process.pid).is_some_and(|(seen, state)| seen == *process && state != 'Z')
}

/// Returns a process's start time and state, or `None` when there is no such process.
fn look(pid: i32) -> Option<(Seen, char)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&stat).map(|(state, start_ticks)| (Seen { pid, start_ticks }, state))
}

/// Reads fields 3 and 22 of `/proc/<pid>/stat` (proc(5)). The second field is the name in parentheses, which may itself hold any.
fn parse_stat(stat: &str) -> Option<(char, u64)> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

/// Start times count from the start of the machine, so they say nothing without which start it was.
fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_a_hostile_name() {
        let stat = "42 (a) b (1 2) S 1 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 1000 10 18446744073709551615";
        assert_eq!(parse_stat(stat), Some(('S', 987_654)));
        assert_eq!(parse_stat("42 (short) S 1"), None);
    }

    #[test]
    fn a_stranger_with_a_recorded_number_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let records = Records::open(&dir.path().join("processes"), dir.path()).unwrap();
        let us = std::process::id();
        fs::write(dir.path().join("processes").join(us.to_string()), format!("1 {}", boot_id())).unwrap();
        assert_eq!(records.recorded().unwrap(), vec![]);
        let record = records.note(us);
        assert_eq!(records.recorded().unwrap().len(), 1);
        drop(record);
        assert_eq!(records.recorded().unwrap().len(), 0);
    }
}
