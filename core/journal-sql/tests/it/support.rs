//! What the tests share: a store in a temporary folder, and appends to it.

use std::path::{Path, PathBuf};

use journal::conformance::samples;
use journal::{Append, DeploymentRow, Lease, Owner, Shard, Stamped, Status, Store};
use journal_sql::{Options, SqliteStore};
use model::{Event, Fence, Millis, Phase, Timestamp};
use tempfile::TempDir;

/// A folder for a store, gone after the test.
pub(crate) struct Place {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("journal.db"), _folder: folder }
    }

    pub(crate) fn open(&self) -> SqliteStore {
        open(&self.path)
    }

    /// Returns a plain connection to the file, as a meddler has one.
    pub(crate) fn meddle(&self, sql: &str) {
        rusqlite::Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }
}

pub(crate) fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, &Options::default()).unwrap()
}

pub(crate) async fn lease(store: &dyn Store) -> Lease {
    store.acquire(&[Shard(0)], &Owner("test".to_owned()), Millis::hours(1)).await.unwrap().pop().unwrap()
}

/// Returns the append that brings a deployment to version `head` by one event.
pub(crate) fn step(lease: &Lease, deployment: u32, head: u64) -> Append {
    let scope = samples::scope(&format!("s-{deployment}"));
    let release = samples::release("r-1");
    let event = match head {
        1 => Event::Requested {
            id: samples::deployment(deployment),
            plan: samples::plan(scope.clone()),
            by: samples::actor(),
            at: Timestamp(1),
            deadline: Timestamp(9),
        },
        _ => Event::StepEntered { step: usize::try_from(head).unwrap(), at: Timestamp(2), deadline: Timestamp(9) },
    };
    Append {
        lease: lease.clone(),
        row: DeploymentRow {
            id: samples::deployment(deployment),
            scope,
            release: release.id,
            release_label: release.label,
            status: if head == 1 { Status::Queued } else { Status::Active },
            phase: Phase::Shifting,
            paused: false,
            head,
            requested_at: Timestamp(1),
            ended_at: None,
        },
        events: vec![Stamped { event, at: Timestamp(5) }],
        fence: Fence(head),
        stable: None,
        request: None,
    }
}

/// Returns the arguments with which the test binary runs one test that speaks on its standard output.
pub(crate) fn child_arguments(test: &str) -> [&str; 3] {
    ["--exact", test, "--nocapture"]
}

/// Returns the deployment and version of a line "acknowledged 1 2", whatever the harness wrote before it.
pub(crate) fn acknowledged(line: &str) -> Option<(u32, u64)> {
    let (deployment, head) = line.split_once("acknowledged ")?.1.split_once(' ')?;
    Some((deployment.parse().ok()?, head.parse().ok()?))
}
