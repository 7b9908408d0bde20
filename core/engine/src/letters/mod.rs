//! Letters: what was asked of a replica that does not hold the shard, for the one that does.
//!
//! They lie in the store's catalog until they are answered. So replicas need no addresses of each other and no trust in each other
//! beyond that of the store, and a letter that is written while a shard changes hands is answered by whoever gets it. A letter always
//! has a request id, so that it does once what it asks for, whoever reads it and however often.

mod form;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use journal::{CatalogEntry, Change, Changes, RequestId};
use model::Scope;
use tokio::time::timeout;
use uuid::Uuid;

use crate::shared::Shared;
use crate::{Accepted, CommandRequest, EngineError, Handle, StartRequest, limits};

pub(crate) use form::{Asked, words};

/// Kinds of documents in the catalog.
const LETTER: &str = "letter";
const ANSWER: &str = "letter-answer";

/// How often answers that nobody fetched are burnt.
const CLEAN_EVERY: Duration = Duration::from_secs(60);

/// Asks whoever holds the scope's shard, and waits for the answer.
pub(crate) async fn ask(shared: &Shared, scope: &Scope, asked: Asked) -> Result<Accepted, EngineError> {
    let id = Uuid::now_v7().simple().to_string();
    let asked = asked.with_request(|| RequestId(format!("letter-{id}")));
    let letter = form::write(scope, &asked);
    tracing::debug!(%scope, letter = id, "asking the server that has the scope");
    // Listening before writing: an answer that comes at once is heard.
    let mut changes = shared.store.changes();
    shared.store.put(LETTER, &id, &letter, None, shared.clock.now()).await?;
    let answered = async {
        loop {
            if let Some(answer) = shared.store.get(ANSWER, &id).await? {
                return Ok::<_, EngineError>(answer);
            }
            let _ = timeout(limits::SWEEP, told_of(&mut changes, |kind, key| kind == ANSWER && key == id)).await;
        }
    };
    let answered = timeout(limits::LETTER_PATIENCE, answered).await;
    // An unanswered letter is taken back, so that it is not read when nobody waits any more.
    for kind in [LETTER, ANSWER] {
        if let Err(error) = shared.store.remove(kind, &id).await {
            tracing::debug!(%error, kind, id, "left for the others to burn");
        }
    }
    match answered {
        Ok(answer) => form::read_answer(&answer?.document)?,
        Err(_) => Err(shared.not_owner()),
    }
}

/// Answers letters about the shards that this replica holds, for ever.
pub(crate) async fn serve(shared: Arc<Shared>) {
    let open: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let mut changes = shared.store.changes();
    let mut cleaned = tokio::time::Instant::now();
    loop {
        match shared.store.list(LETTER, "").await {
            Ok(letters) => letters.into_iter().for_each(|letter| take(&shared, &open, letter)),
            Err(error) => tracing::debug!(%error, "the letters of other servers cannot be read; trying again"),
        }
        if cleaned.elapsed() >= CLEAN_EVERY {
            burn_the_old(&shared).await;
            cleaned = tokio::time::Instant::now();
        }
        let _ = timeout(limits::SWEEP, told_of(&mut changes, |kind, _| kind == LETTER)).await;
    }
}

/// Answers a letter in a task of its own, if it is for us and nobody here does so already.
fn take(shared: &Arc<Shared>, open: &Arc<Mutex<BTreeSet<String>>>, letter: CatalogEntry) {
    let (scope, asked) = match form::read(&letter.document) {
        Ok(read) => read,
        Err(error) => return tracing::warn!(letter = letter.key, %error, "left for a server that can read it"),
    };
    if shared.tenure(&scope).is_err() || !lock(open).insert(letter.key.clone()) {
        return;
    }
    let (here, open) = (Arc::clone(shared), Arc::clone(open));
    shared.tasks.spawn(async move {
        answer(&here, &scope, asked, &letter).await;
        lock(&open).remove(&letter.key);
    });
}

async fn answer(shared: &Arc<Shared>, scope: &Scope, asked: Asked, letter: &CatalogEntry) {
    let age = shared.clock.now().since(letter.written_at);
    let result = if age > limits::LETTER_AGE_MAX {
        tracing::warn!(%scope, age_ms = age.0, "a letter is too old to be read; do the servers' clocks differ?");
        Err(EngineError::TooLate)
    } else {
        let handle = Handle::new(Arc::clone(shared));
        match asked {
            Asked::Start(asked) => handle.start_here(asked).await,
            Asked::Command(asked) => handle.command_here(&asked).await,
        }
    };
    // These say that somebody else is to answer, or the same one a little later.
    if let Err(EngineError::NotOwner | EngineError::Stopping | EngineError::Unattended(_)) = result {
        return;
    }
    let answered = async {
        shared.store.put(ANSWER, &letter.key, &form::write_answer(&result), None, shared.clock.now()).await?;
        shared.store.remove(LETTER, &letter.key).await
    };
    if let Err(error) = answered.await {
        tracing::warn!(letter = letter.key, %error, "an answer could not be written; the letter is read again");
    }
}

/// Removes what nobody waits for any more: answers whose askers are gone, and letters that no server could read.
async fn burn_the_old(shared: &Shared) {
    let now = shared.clock.now();
    for kind in [ANSWER, LETTER] {
        let Ok(found) = shared.store.list(kind, "").await else { return };
        for old in found.iter().filter(|found| now.since(found.written_at) > limits::LETTER_AGE_MAX) {
            if let Err(error) = shared.store.remove(kind, &old.key).await {
                return tracing::debug!(%error, "old letters stay for now");
            }
        }
    }
}

/// Waits until such a document is written, or may have been.
async fn told_of(changes: &mut Changes, wanted: impl Fn(&str, &str) -> bool) {
    loop {
        match changes.next().await {
            Some(Change::Put { kind, key }) if wanted(&kind, &key) => return,
            Some(Change::Put { .. } | Change::Appended { .. }) => {}
            Some(Change::LookAgain) => return,
            None => std::future::pending().await,
        }
    }
}

fn lock(open: &Mutex<BTreeSet<String>>) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
    open.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Asked {
    fn with_request(self, fresh: impl FnOnce() -> RequestId) -> Self {
        match self {
            Self::Start(asked) => Self::Start(StartRequest { request: Some(asked.request.unwrap_or_else(fresh)), ..asked }),
            Self::Command(asked) => Self::Command(CommandRequest { request: Some(asked.request.unwrap_or_else(fresh)), ..asked }),
        }
    }
}
