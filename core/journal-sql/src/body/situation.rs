//! What an append finds: the lease, the first answer to its request, the deployment's head and the scope, read at one moment.

use journal::record::NO_HASH;
use journal::{Append, AppendError, FirstReply, StoreError};
use model::Timestamp;

use super::append::reply;
use super::scope::{self, ScopeText};
use crate::executor::{Executor, Row, Value};

/// What is there before an append.
pub(super) struct Situation {
    lease: Option<Granted>,
    reply: Option<FirstReply>,
    pub(super) head: u64,
    /// The status that the deployment's row has, if there is one.
    pub(super) status: Option<String>,
    /// The hash that the next record is chained to.
    pub(super) hash: [u8; 32],
    pub(super) scope: ScopeText,
}

struct Granted {
    owner: String,
    epoch: u64,
    expires_at: i64,
}

// One statement for all of it: an append then waits for the database once before it writes.
const READ: &str = "SELECT l.owner, l.epoch, l.expires_at, r.fingerprint, r.deployment, r.version, d.head, d.hash, \
                    s.fence, s.stable, s.previous, s.active, d.status \
                    FROM (SELECT 1 AS one) o LEFT JOIN leases l ON l.shard = $1 \
                    LEFT JOIN requests r ON r.actor = $2 AND r.request = $3 \
                    LEFT JOIN deployments d ON d.id = $4 \
                    LEFT JOIN scopes s ON s.service = $5 AND s.environment = $6";

/// Reads what an append has to be compared with.
pub(super) async fn read(db: &impl Executor, append: &Append) -> Result<Situation, StoreError> {
    let request = append.request.as_ref();
    let values: [Value; 6] = [
        i64::from(append.lease.shard.0).into(),
        request.map(|reply| reply.actor.as_str()).into(),
        request.map(|reply| reply.request.0.as_str()).into(),
        append.row.id.as_str().into(),
        append.row.scope.service.as_str().into(),
        append.row.scope.environment.as_str().into(),
    ];
    let found = db.query(READ, &values).await?;
    let none = || StoreError::Failed("a question without conditions was not answered".to_owned());
    situation(append, found.first().ok_or_else(none)?)
}

fn situation(append: &Append, row: &Row) -> Result<Situation, StoreError> {
    let owner = row.text_or_none(0)?.map(str::to_owned);
    let granted = |owner| Ok::<_, StoreError>(Granted { owner, epoch: row.count(1)?, expires_at: row.int(2)? });
    let first = match (&append.request, row.text_or_none(3)?) {
        (Some(given), Some(_)) => Some(reply(row, 3, &given.actor, &given.request)?),
        (Some(_) | None, _) => None,
    };
    let (head, hash) = match row.int_or_none(6)? {
        None => (0, NO_HASH),
        Some(_) => (row.count(6)?, hash(append, row.bytes(7)?)?),
    };
    let scope = if row.int_or_none(8)?.is_some() { scope::text(row, 8)? } else { ScopeText::default() };
    let status = row.text_or_none(12)?.map(str::to_owned);
    Ok(Situation { lease: owner.map(granted).transpose()?, reply: first, head, status, hash, scope })
}

fn hash(append: &Append, hash: &[u8]) -> Result<[u8; 32], StoreError> {
    let id = &append.row.id;
    <[u8; 32]>::try_from(hash)
        .map_err(|_| StoreError::Damaged(format!("the hash of deployment {id} has {} bytes, expected 32", hash.len())))
}

/// Refuses an append that breaks a rule, before anything of it is written.
pub(super) fn check(found: &Situation, append: &Append, expected: u64, now: Timestamp) -> Result<(), AppendError> {
    check_lease(found, append, now)?;
    if let Some(first) = &found.reply {
        return Err(AppendError::AlreadyAnswered(first.clone()));
    }
    if found.head != expected {
        return Err(AppendError::HeadMoved { deployment: append.row.id.clone(), expected, found: found.head });
    }
    scope::check(append, &found.scope)
}

fn check_lease(found: &Situation, append: &Append, now: Timestamp) -> Result<(), AppendError> {
    let lease = &append.lease;
    let lost = |epoch, owner: &str| AppendError::LeaseLost {
        shard: lease.shard,
        epoch: lease.epoch,
        found: epoch,
        owner: owner.to_owned(),
    };
    let Some(granted) = &found.lease else { return Err(lost(0, "")) };
    match granted.epoch == lease.epoch && granted.owner == lease.owner.0 && granted.expires_at > now.0 {
        true => Ok(()),
        false => Err(lost(granted.epoch, &granted.owner)),
    }
}
