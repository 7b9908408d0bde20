//! What services write: one file per release and one older one, each line with its time, instance and stream.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::clock;
use crate::limits::{LOG_FILE_BYTES_MAX, LOG_FOLDERS_MAX, LOG_LINE_BYTES_MAX};
use crate::protocol::{LogLine, Stream};

const CURRENT: &str = "current.log";
const PREVIOUS: &str = "previous.log";

/// The log of one group. Cheap to clone.
///
/// Lines are written where they are read, without a thread in between: they go into the page cache and are never flushed, and a service
/// that writes faster than the machine can take is slowed down by its own pipe. A line that cannot be written is lost, because a full
/// disk must not stop a service.
#[derive(Clone, Debug)]
pub(crate) struct GroupLog {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    file: Option<File>,
    bytes: u64,
}

impl GroupLog {
    /// Returns the log in that folder; older lines stay.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { inner: Arc::new(Mutex::new(Inner { folder: folder.to_owned(), file: None, bytes: 0 })) }
    }

    /// Appends one line.
    pub(crate) fn write(&self, instance: u32, stream: Stream, text: &[u8]) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let word = match stream {
            Stream::Out => "out",
            Stream::Err => "err",
            Stream::Runtime => "run",
        };
        let mut line = format!("{} {instance} {word} ", clock::unix_ms()).into_bytes();
        line.extend_from_slice(text);
        line.push(b'\n');
        if let Err(error) = inner.append(&line) {
            tracing::debug!(folder = %inner.folder.display(), %error, "a log line was lost");
            inner.file = None;
        }
    }

    /// Copies everything a service writes to one stream, until it closes it.
    pub(crate) async fn copy(self, instance: u32, stream: Stream, from: impl AsyncRead + Unpin) {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        loop {
            line.clear();
            let mut limited = (&mut from).take(LOG_LINE_BYTES_MAX as u64);
            match limited.read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => self.write(instance, stream, line.strip_suffix(b"\n").unwrap_or(&line)),
            }
        }
    }
}

impl Inner {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes + line.len() as u64 > LOG_FILE_BYTES_MAX {
            self.file = None;
            fs::rename(self.folder.join(CURRENT), self.folder.join(PREVIOUS))?;
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                fs::create_dir_all(&self.folder)?;
                let file = OpenOptions::new().create(true).append(true).open(self.folder.join(CURRENT))?;
                self.bytes = file.metadata()?.len();
                self.file.insert(file)
            }
        };
        file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

/// Returns the name of the folder for a group's log: readable, and different for different groups.
pub(crate) fn folder_name(release: &str, group: &str) -> String {
    format!("{}~{}", readable(release), &group[..group.len().min(8)])
}

fn readable(release: &str) -> String {
    release.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}

/// Returns the latest lines of a release out of all log folders of a service, oldest first. Blocks.
pub(crate) fn recent(logs: &Path, releases: &[String], lines: usize) -> io::Result<Vec<LogLine>> {
    let mut found = Vec::new();
    for folder in folders(logs)? {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if releases.iter().any(|r| name.split_once('~').is_some_and(|(readable_name, _)| readable_name == readable(r))) {
            for file in [PREVIOUS, CURRENT] {
                found.extend(tail(&folder.join(file), lines)?.iter().filter_map(|l| parse(l)));
            }
        }
    }
    // Stable: lines of one millisecond keep the order in which they were written.
    found.sort_by_key(|line| line.unix_ms);
    Ok(found.split_off(found.len().saturating_sub(lines)))
}

/// Removes the oldest log folders above the limit. Best effort.
pub(crate) fn prune(logs: &Path) {
    let Ok(mut folders) = folders(logs) else { return };
    let changed = |folder: &PathBuf| fs::metadata(folder.join(CURRENT)).and_then(|m| m.modified()).ok();
    folders.sort_by_key(changed);
    let surplus = folders.len().saturating_sub(LOG_FOLDERS_MAX);
    for folder in &folders[..surplus] {
        let _ = fs::remove_dir_all(folder);
    }
}

fn folders(logs: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(logs) {
        Ok(items) => items.map(|item| item.map(|i| i.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn tail(path: &Path, lines: usize) -> io::Result<Vec<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    // As many bytes as that many long lines have; the file itself is bounded.
    let length = file.metadata()?.len();
    let wanted = (lines as u64).saturating_mul(LOG_LINE_BYTES_MAX as u64 + 64);
    file.seek(SeekFrom::Start(length.saturating_sub(wanted)))?;
    let mut bytes = Vec::new();
    file.take(LOG_FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    let all: Vec<&[u8]> = bytes.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
    Ok(all[all.len().saturating_sub(lines)..].iter().map(|l| l.to_vec()).collect())
}

fn parse(line: &[u8]) -> Option<LogLine> {
    let text = String::from_utf8_lossy(line);
    let mut parts = text.splitn(4, ' ');
    let unix_ms = parts.next()?.parse().ok()?;
    let instance = parts.next()?.parse().ok()?;
    let stream = match parts.next()? {
        "out" => Stream::Out,
        "err" => Stream::Err,
        "run" => Stream::Runtime,
        _ => return None,
    };
    Some(LogLine { unix_ms, instance, stream, text: parts.next().unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_lines_come_back_over_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let log = GroupLog::new(&dir.path().join(folder_name("sha256:ab/c", "0123456789")));
        let long = vec![b'x'; LOG_LINE_BYTES_MAX];
        for _ in 0..=LOG_FILE_BYTES_MAX / LOG_LINE_BYTES_MAX as u64 {
            log.write(1, Stream::Out, &long);
        }
        log.write(2, Stream::Err, b"the last one");
        let found = recent(dir.path(), &["sha256:ab/c".to_owned()], 20).unwrap();
        assert_eq!(found.len(), 20);
        let last = found.last().unwrap();
        assert_eq!((last.instance, last.stream, last.text.as_str()), (2, Stream::Err, "the last one"));
        let folder = &folders(dir.path()).unwrap()[0];
        for file in [CURRENT, PREVIOUS] {
            assert!(fs::metadata(folder.join(file)).unwrap().len() <= LOG_FILE_BYTES_MAX, "{file}");
        }
        assert_eq!(recent(dir.path(), &["another".to_owned()], 20).unwrap(), vec![]);
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_split() {
        let dir = tempfile::tempdir().unwrap();
        let log = GroupLog::new(&dir.path().join("v1~0"));
        let flood = vec![b'y'; LOG_LINE_BYTES_MAX + 10];
        log.copy(1, Stream::Out, &flood[..]).await;
        let lengths: Vec<usize> = recent(dir.path(), &["v1".to_owned()], 9).unwrap().iter().map(|l| l.text.len()).collect();
        assert_eq!(lengths, [LOG_LINE_BYTES_MAX, 10]);
    }
}
