//! SIGKILL in the middle of writing: what was acknowledged is there, whole and chained.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use journal::{Catalog, Store};
use journal_sql::{Options, SqliteStore};
use model::Timestamp;

/// Tells the test binary to be the process that is killed.
const CHILD: &str = "JOURNAL_SQL_TEST_CHILD";

/// Kills; each takes some tens of milliseconds.
const KILLS: u64 = 20;

/// Not a test of its own: in the child it writes until it is killed, saying each number once it is acknowledged.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the parent speaks to the child")]
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = SqliteStore::open(path.as_ref(), &Options::default()).unwrap();
    let from = store.list("number", "").await.unwrap().len();
    for number in from.. {
        store.put("number", &format!("{number:08}"), "x", Some(0), Timestamp(1)).await.unwrap();
        println!("acknowledged {number}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut acknowledged = 0;
    for kill in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child_that_writes_until_it_is_killed", "--nocapture"])
            .env(CHILD, &path)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let numbers = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<usize>().ok());
        let mut killer = None;
        for number in numbers {
            acknowledged = number + 1;
            // The first acknowledgement says that it writes; the moment of the kill is then another one each time.
            killer.get_or_insert_with(|| {
                let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_micros(700 * kill)); // tidy: the moment of the kill
                    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).unwrap();
                })
            });
        }
        killer.expect("the child wrote").join().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&path, &Options::default()).unwrap();
        let found = store.list("number", "").await.unwrap();
        assert!(found.len() >= acknowledged, "{} found, {acknowledged} were acknowledged", found.len());
        let gap_free = found.iter().enumerate().all(|(index, entry)| entry.key == format!("{index:08}"));
        assert!(gap_free, "after kill {kill} a number is missing");
        assert!(store.unfinished().await.unwrap().is_empty());
    }
}
