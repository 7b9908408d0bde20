//! Where the journal lives: a file in the data folder, or a database that servers share.

use std::path::Path;
use std::sync::Arc;

use engine::Clock;
use journal::{Owner, Store, StoreError};
use journal_sql::{PostgresOptions, PostgresStore, SqliteStore};
use model::{Millis, Timestamp};
use uuid::Uuid;

use crate::args::{Secret, ServerArgs};
use crate::clock::SystemClock;
use crate::data::DataDir;
use crate::failure::{self, Failure};
use crate::settings;

/// The owner of a file's lease. The file is locked while it is open, so an earlier process with this name is dead, and its lease need
/// not be waited out.
const OWNER_OF_A_FILE: &str = "single";

/// The most that the clocks of this machine and the database's may be apart: half of what a letter between two servers may be old.
const CLOCKS_APART_MAX: Millis = Millis(engine::limits::LETTER_AGE_MAX.0 / 2);

/// A journal with what follows from where it lives.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn Store>,
    /// Where, for people.
    pub(crate) place: String,
    /// Whose leases this process takes.
    pub(crate) owner: Owner,
    /// Whether other servers may use it as well.
    pub(crate) shared: bool,
}

/// Opens the journal that arguments and environment name.
pub(crate) async fn open(data: &DataDir, args: &ServerArgs) -> Result<Opened, Failure> {
    match settings::store(args.store.as_ref()) {
        Some(url) => {
            let (options, place) = database(url, args.ca_file.as_deref()).await?;
            let store = PostgresStore::open(&options).await.map_err(|error| failed(&place, &error))?;
            let theirs = store.leases().await.map_err(|error| failed(&place, &error))?.now;
            compare_clocks(SystemClock.now(), theirs, &place)?;
            // Unique per start: an earlier process of this machine may still be alive somewhere. The process id is for people.
            let owner = Owner(format!("server-{}-{}", std::process::id(), Uuid::now_v7()));
            Ok(Opened { store: Arc::new(store), place, owner, shared: true })
        }
        None => file(data).await,
    }
}

/// Refuses a machine whose clock is far from the database's, and so from other servers': deadlines are instants, and what one server
/// asks of another is answered only while it is young.
fn compare_clocks(ours: Timestamp, theirs: Timestamp, place: &str) -> Result<(), Failure> {
    let (ahead, behind) = (ours.since(theirs), theirs.since(ours));
    let (apart, word) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    if apart <= CLOCKS_APART_MAX {
        return Ok(());
    }
    let (found, most) = (apart.0 / 1_000, CLOCKS_APART_MAX.0 / 1_000);
    let message = format!("the clock of this machine is {found} s {word} that of {place}, at most {most} s are allowed");
    Err(Failure::new("TP0409", message).hint("have both machines set their clocks by a time service"))
}

/// Opens the journal to read it, beside a server that may be writing it.
pub(crate) async fn open_to_read(
    journal: &Path,
    store: Option<&Secret>,
    ca_file: Option<&Path>,
) -> Result<(Arc<dyn Store>, String), Failure> {
    if let Some(url) = settings::store(store) {
        let (options, place) = database(url, ca_file).await?;
        let store = PostgresStore::open_to_read(&options).await.map_err(|error| failed(&place, &error))?;
        return Ok((Arc::new(store), place));
    }
    let (path, place) = (journal.to_owned(), journal.display().to_string());
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open_to_read(&path)).await;
    let store = opened.map_err(|error| Failure::of("TP0405", &error))?.map_err(|error| failed(&place, &error))?;
    Ok((Arc::new(store), place))
}

async fn file(data: &DataDir) -> Result<Opened, Failure> {
    let place = data.path().display().to_string();
    let path = data.journal();
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path, &journal_sql::Options::default())).await;
    let store = opened.map_err(|error| Failure::of("TP0405", &error))?.map_err(|error| failed(&place, &error))?;
    Ok(Opened { store: Arc::new(store), place, owner: Owner(OWNER_OF_A_FILE.to_owned()), shared: false })
}

/// Returns how a database is opened, and what people call it.
async fn database(url: String, ca_file: Option<&Path>) -> Result<(PostgresOptions, String), Failure> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        // Not shown as it was given: it may hold a password.
        let message = "the journal's store is named by a URL that begins with postgres://, found another";
        return Err(Failure::new("TP0407", message).usage().hint("postgres://USER:PASSWORD@HOST/DATABASE"));
    }
    let named = ca_file.map(Path::to_owned);
    let tls = tokio::task::spawn_blocking(move || plugin_host::client_config(named.as_deref())).await;
    let tls = tls.map_err(|error| Failure::of("TP0405", &error))?;
    if let (Err(error), Some(_)) = (&tls, ca_file) {
        return Err(Failure::new("TP0407", error.clone()).usage());
    }
    let options = PostgresOptions { url, tls: tls.ok(), now: None };
    let place = options.place();
    Ok((options, place))
}

/// Returns what ends the server when its journal cannot be used.
pub(crate) fn failed(place: &str, error: &StoreError) -> Failure {
    let said = format!("the journal in {place} cannot be used: {}", failure::chain(error));
    match error {
        StoreError::InUse(_) => {
            Failure::new("TP0304", said).hint("stop the other server, or name another data folder with --data-dir")
        }
        StoreError::Full(_) => Failure::new("TP0401", said).hint("make room on the disk of the journal"),
        StoreError::Damaged(_) | StoreError::UnreadableRecord { .. } | StoreError::BrokenChain { .. } => {
            Failure::new("TP0402", said).hint("restore a backup of the journal, or start anew with another data folder")
        }
        StoreError::NewerVersion { .. } => Failure::new("TP0403", said).hint("use the newer program that wrote it"),
        StoreError::ReadOnly(_) => Failure::new("TP0404", said).hint("see who may write there"),
        StoreError::Unreachable(_) => {
            Failure::new("TP0406", said).start_again().hint("see that the database runs and can be reached")
        }
        StoreError::Unfit(_) => {
            Failure::new("TP0407", said).usage().hint("see the URL, the rights and the settings of the database")
        }
        StoreError::OutcomeUnknown(_) | StoreError::Broken(_) => Failure::new("TP0405", said).start_again(),
        StoreError::Failed(_) | StoreError::RevisionMoved { .. } => Failure::new("TP0405", said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_far_apart_are_refused_with_which_is_ahead() {
        let said = |ours, theirs| compare_clocks(Timestamp(ours), Timestamp(theirs), "the database").err().map(|f| f.to_string());
        assert_eq!(said(1_000_000, 1_000_000 - 30_000), None);
        assert_eq!(said(1_000_000 - 30_000, 1_000_000), None);
        let expected = "is 3600 s ahead of that of the database, at most 30 s are allowed";
        assert!(said(4_600_000, 1_000_000).is_some_and(|said| said.contains(expected)));
        assert!(said(1_000_000, 1_031_000).is_some_and(|said| said.contains("is 31 s behind that of the database")));
    }
}
