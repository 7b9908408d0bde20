//! A disk that fails in the middle of a commit: whether it was written is not known, and nothing more is written until the file
//! was opened again.

use std::process::Command;

use journal::conformance::samples;
use journal::{AppendError, Store, StoreError};
use model::Committed;

use crate::support::{Place, acknowledged, child_arguments, lease, open, step};

/// Tells the test binary to be the process whose disk fails.
const CHILD: &str = "JOURNAL_SQL_TEST_FAILING_DISK";

/// Not a test of its own: appends until the system no longer lets the file grow.
#[tokio::test]
async fn child_that_appends_until_the_disk_fails() {
    #[expect(clippy::disallowed_methods, reason = "how the parent speaks to the child")]
    let Ok(path) = std::env::var(CHILD) else { return };
    let store = open(path.as_ref());
    let lease = lease(&store).await;
    let mut head = 1;
    let error = loop {
        match store.append(step(&lease, 1, head)).await {
            Ok(_) => println!("acknowledged 1 {head}"),
            Err(error) => break error,
        }
        head += 1;
    };
    assert!(matches!(error, AppendError::Store(StoreError::OutcomeUnknown(_))), "{error:?}");
    let after = store.append(step(&lease, 1, head)).await.unwrap_err();
    assert!(matches!(after, AppendError::Store(StoreError::Broken(_))), "{after:?}");
    assert!(store.load(&samples::deployment(1)).await.unwrap().is_some(), "what is there can still be read");
}

#[tokio::test]
async fn a_disk_that_fails_leaves_the_outcome_unknown_and_ends_the_writing() {
    let place = Place::new();
    // A limit on the size of files is the one failing disk that every system has: a write beyond it is an error that is not "full".
    let limited = r#"trap '' XFSZ; ulimit -f 2048; exec "$0" "$@""#;
    let child = Command::new("sh")
        .args(["-c", limited])
        .arg(std::env::current_exe().unwrap())
        .args(child_arguments("disk::child_that_appends_until_the_disk_fails"))
        .env(CHILD, &place.path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{said}\n{}", String::from_utf8_lossy(&child.stderr));
    let (_, head) = said.lines().filter_map(acknowledged).next_back().expect("something was written before the limit");
    let store = place.open();
    let loaded = store.load(&samples::deployment(1)).await.unwrap().unwrap();
    let found = loaded.receipt.head();
    assert!(found == head || found == head + 1, "{head} was acknowledged and {} in doubt, found {found}", head + 1);
    store.append(step(&lease(&store).await, 1, found + 1)).await.unwrap();
}
