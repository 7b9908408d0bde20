//! The store against a real file system.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use artifact::{Error, Store, digest_of};
use tempfile::TempDir;

/// A folder with one program, one data file in a folder, an empty folder and a link.
fn sample() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "bin/run", "#!/bin/sh\n", 0o755);
    write(dir.path(), "data/words.txt", "one\ntwo\n", 0o644);
    fs::create_dir(dir.path().join("empty")).unwrap();
    symlink("data/words.txt", dir.path().join("words")).unwrap();
    dir
}

fn write(root: &Path, name: &str, text: &str, mode: u32) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
}

fn message(error: &Error) -> String {
    error.to_string()
}

#[test]
fn two_copies_have_one_digest() {
    let (one, two) = (sample(), sample());
    assert_eq!(digest_of(one.path()).unwrap(), digest_of(two.path()).unwrap());
}

#[test]
fn the_digest_form_is_stable() {
    let dir = sample();
    // Stored in journals and locks: if this changes, every registered release is refused.
    assert_eq!(
        digest_of(dir.path()).unwrap().to_string(),
        "sha256:abf3795a33a3a02b68e963671a745e2577661d660a8364ff6f95eb20f57cd4b5"
    );
}

#[test]
fn whatever_changes_what_runs_changes_the_digest() {
    let before = digest_of(sample().path()).unwrap();
    let changed = |change: &dyn Fn(&Path)| {
        let dir = sample();
        change(dir.path());
        digest_of(dir.path()).unwrap()
    };
    assert_ne!(before, changed(&|d| write(d, "data/words.txt", "one\ntwo!", 0o644)), "content");
    assert_ne!(before, changed(&|d| write(d, "bin/run", "#!/bin/sh\n", 0o644)), "executable bit");
    assert_ne!(before, changed(&|d| fs::rename(d.join("bin/run"), d.join("bin/runs")).unwrap()), "name");
    assert_ne!(before, changed(&|d| fs::remove_dir(d.join("empty")).unwrap()), "empty folder");
    let relink = |d: &Path| {
        fs::remove_file(d.join("words")).unwrap();
        symlink("./data/words.txt", d.join("words")).unwrap();
    };
    assert_ne!(before, changed(&relink), "link text");
    assert_eq!(before, changed(&|d| write(d, "bin/run", "#!/bin/sh\n", 0o700)), "other permission bits do not count");
}

#[test]
fn an_import_is_found_again_and_cannot_be_written() {
    let (source, dir) = (sample(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path()).unwrap();
    let first = store.import(source.path()).unwrap();
    assert_eq!(first.digest, digest_of(source.path()).unwrap());
    assert_eq!((first.files, first.bytes), (2, 18));
    assert_eq!(first.folder, store.folder(&first.digest));
    assert_eq!(store.import(source.path()).unwrap(), first);
    store.verify(&first.digest).unwrap();
    for (name, mode) in [("", 0o555), ("bin/run", 0o555), ("data", 0o555), ("data/words.txt", 0o444)] {
        let found = fs::metadata(first.folder.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "mode of {name:?}");
    }
    let names = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, 1, "nothing but the release folder is left");
}

#[test]
fn one_file_is_an_artifact() {
    let (source, dir) = (sample(), tempfile::tempdir().unwrap());
    let file = source.path().join("bin/run");
    let imported = Store::open(dir.path()).unwrap().import(&file).unwrap();
    assert_eq!(imported.digest, digest_of(&file).unwrap());
    assert_eq!(fs::read_to_string(imported.folder.join("run")).unwrap(), "#!/bin/sh\n");
}

#[test]
fn a_changed_folder_is_refused_with_both_digests() {
    let (source, dir) = (sample(), tempfile::tempdir().unwrap());
    let store = Store::open(dir.path()).unwrap();
    let imported = store.import(source.path()).unwrap();
    let file = imported.folder.join("data/words.txt");
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    fs::write(&file, "one\nxyz\n").unwrap();
    let error = store.verify(&imported.digest).unwrap_err();
    let found = digest_of(&imported.folder).unwrap();
    let expect = format!(
        "release folder {} changed after registration: registered {}, found {found}",
        imported.folder.display(),
        imported.digest
    );
    assert_eq!(message(&error), expect);
    assert!(matches!(store.import(source.path()), Err(Error::Changed { .. })), "a damaged copy is not taken for the original");
}

#[test]
fn what_was_never_imported_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let digest = digest_of(sample().path()).unwrap();
    assert!(matches!(Store::open(dir.path()).unwrap().verify(&digest), Err(Error::Unknown { .. })));
}

#[test]
fn links_that_leave_and_strange_files_are_refused_by_name() {
    let check = |prepare: &dyn Fn(&Path), expect: &str| {
        let dir = sample();
        prepare(dir.path());
        let text = message(&digest_of(dir.path()).unwrap_err());
        assert!(text.contains(expect), "expected {expect:?} in {text:?}");
    };
    check(&|d| symlink("/etc/passwd", d.join("bad")).unwrap(), "bad points to /etc/passwd, which is absolute");
    check(&|d| symlink("../outside", d.join("bad")).unwrap(), "bad points to ../outside, which is outside");
    check(&|d| symlink("nothing", d.join("bad")).unwrap(), "bad points to nothing, which is missing or a circle");
    // By its text this stays inside; through the first link it does not.
    let through = |d: &Path| {
        symlink("..", d.join("data/up")).unwrap();
        symlink("up/../..", d.join("data/bad")).unwrap();
    };
    check(&through, "outside");
    check(&|d| drop(UnixListener::bind(d.join("door")).unwrap()), "door is a socket");
}

#[test]
fn abandoned_copies_are_removed_and_running_ones_are_not() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("incoming-dead")).unwrap();
    fs::create_dir(dir.path().join("incoming-alive")).unwrap();
    let held = fs::File::open(dir.path().join("incoming-alive")).unwrap();
    held.lock().unwrap();
    Store::open(dir.path()).unwrap();
    assert!(!dir.path().join("incoming-dead").exists());
    assert!(dir.path().join("incoming-alive").exists());
}

#[test]
fn what_was_imported_is_listed_and_read_by_its_paths() {
    let (source, folder) = (sample(), tempfile::tempdir().unwrap());
    let store = Store::open(folder.path()).unwrap();
    let digest = store.import(source.path()).unwrap().digest;
    let files = store.files(&digest).unwrap();
    let files: Vec<_> = files.iter().map(|file| (file.path.to_str().unwrap(), file.bytes, file.executable)).collect();
    assert_eq!(files, [("bin/run", 10, true), ("data/words.txt", 8, false)]);
    let read = |path: &str, offset, length| store.read(&digest, Path::new(path), offset, length);
    assert_eq!(read("data/words.txt", 4, 100).unwrap(), b"two\n");
    assert_eq!(read("words", 0, 3).unwrap(), b"one", "a link inside leads there");
    assert!(read("data/words.txt", 8, 1).unwrap().is_empty());
    for outside in ["../../etc/passwd", "/etc/passwd", "data", "absent"] {
        read(outside, 0, 1).unwrap_err();
    }
    write(source.path(), "more", "more", 0o644);
    store.files(&digest_of(source.path()).unwrap()).unwrap_err();
}
