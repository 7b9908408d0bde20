//! Copies of a journal: taken while it is written, checked, and put back.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use journal::StoreError;
use rusqlite::Connection;

use super::open::{self, FileLock};
use super::{Options, faults};

/// More fences than a scope takes between two copies: a deployment takes some tens.
const FENCES_SINCE_MAX: i64 = 1_000_000;

/// Copies a journal as it is at one moment, whether or not a server is writing it. The copy has its name only when it is whole.
///
/// Blocks. Refuses to write over a file.
pub fn back_up(journal: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::InUse(format!("{} exists already", to.display())));
    }
    let unfinished = beside(to, ".part");
    remove(&unfinished)?;
    let db = open::reader(journal)?;
    open::check_known(&db).map_err(|error| open::name(journal, error))?;
    let copied = db.execute("VACUUM INTO ?1", [unfinished.to_string_lossy()]).map_err(faults::sort);
    copied.map_err(|error| open::name(to, error))?;
    check(&unfinished)?;
    put(&unfinished, to)
}

/// Puts a copy in the place of a journal that no server uses. One that is there is kept beside it, under the name that is returned.
///
/// Blocks. The copy is checked before anything is touched.
pub fn restore(copy: &Path, journal: &Path, replace: bool) -> Result<Option<PathBuf>, StoreError> {
    let _lock = FileLock::take(journal)?;
    check(copy)?;
    if journal.exists() && !replace {
        return Err(StoreError::InUse(format!("{} exists already", journal.display())));
    }
    let unfinished = beside(journal, ".part");
    fs::copy(copy, &unfinished).map_err(|error| failed(&unfinished, &error))?;
    raise_fences(&unfinished).map_err(|error| open::name(&unfinished, error))?;
    let kept = journal.exists().then(|| free_name(journal));
    if let Some(kept) = &kept {
        // With what is still in its log: a journal without it lacks its last commits.
        for end in ["-wal", "-shm", ""] {
            let (from, to) = (beside(journal, end), beside(kept, end));
            match fs::rename(&from, &to) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&from, &error)),
                Ok(()) | Err(_) => {}
            }
        }
    }
    put(&unfinished, journal)?;
    Ok(kept)
}

/// Raises the fences of all scopes in which nothing is under way: what was done since the copy was taken has raised those that the
/// targets have seen, and they refuse whatever is not above.
fn raise_fences(copy: &Path) -> Result<(), StoreError> {
    let db = Connection::open(copy).map_err(faults::sort)?;
    db.execute("UPDATE scopes SET fence = fence + ?1 WHERE active IS NULL", [FENCES_SINCE_MAX]).map_err(faults::sort)?;
    Ok(())
}

/// Refuses a file that is damaged, another program's, or newer than this one.
fn check(copy: &Path) -> Result<(), StoreError> {
    let named = |error| open::name(copy, error);
    if !copy.is_file() {
        return Err(StoreError::Failed(format!("{} is not a file", copy.display())));
    }
    let db = open::reader(copy)?;
    open::check_known(&db).map_err(named)?;
    open::check_content(&db, Options::default().checked_bytes_max).map_err(named)
}

/// Gives a whole file its name, so that both survive the loss of power.
fn put(unfinished: &Path, name: &Path) -> Result<(), StoreError> {
    let put =
        File::open(unfinished).and_then(|file| file.sync_all()).and_then(|()| fs::rename(unfinished, name)).and_then(|()| {
            let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        });
    put.map_err(|error| failed(name, &error))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn free_name(journal: &Path) -> PathBuf {
    let names = (1_u32..).map(|number| beside(journal, &format!(".replaced-{number}")));
    names.into_iter().find(|name| !name.exists()).unwrap_or_else(|| beside(journal, ".replaced"))
}

fn failed(path: &Path, error: &io::Error) -> StoreError {
    let said = format!("{}: {error}", path.display());
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::Full(said),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreError::ReadOnly(said),
        _ => StoreError::Failed(said),
    }
}
