//! The append: every rule is compared inside the transaction that writes.

use journal::record::{self, Link, NO_HASH};
use journal::{Append, AppendError, FirstReply, Lease, Position, Receipt, RequestId, StoreError};
use model::{DeploymentId, Timestamp};

use super::{rows, scope};
use crate::executor::{Executor, Row, Value};

/// An append with the payloads of its records: made where it is asked for, because whoever writes has no time to spare.
pub(crate) struct Prepared {
    append: Append,
    expected: u64,
    payloads: Vec<Vec<u8>>,
}

impl Prepared {
    /// Returns the append, ready to be written.
    pub(crate) fn new(append: Append) -> Self {
        let payloads = append.events.iter().map(|stamped| record::write(&stamped.event)).collect();
        Self { expected: append.expected_head(), append, payloads }
    }
}

/// Writes an append, or says why not. The caller has a transaction open and undoes what was written on an error.
pub(crate) async fn append(db: &mut impl Executor, prepared: Prepared, now: Timestamp) -> Result<Receipt, AppendError> {
    let Prepared { append, expected, payloads } = prepared;
    check_lease(db, &append.lease, now).await?;
    if let Some(reply) = &append.request
        && let Some(first) = first_reply(db, &reply.actor, &reply.request).await?
    {
        return Err(AppendError::AlreadyAnswered(first));
    }
    let (found, hash) = head(db, &append.row.id).await?;
    if found != expected {
        return Err(AppendError::HeadMoved { deployment: append.row.id.clone(), expected, found });
    }
    let before = scope::read(db, &append.row.scope).await?;
    scope::check(&append, &before)?;
    let (records, hash) = chained(&append, payloads, expected, hash);
    write_deployment(db, &append, expected, hash).await?;
    let position = write_records(db, &append, records).await?;
    let after = scope::after(&append, &before)?;
    if after != before {
        scope::write(db, &append.row.scope, after).await?;
    }
    if let Some(reply) = &append.request {
        write_reply(db, reply, now).await?;
    }
    Ok(Receipt::after_commit(append.row.id, append.row.head, position))
}

async fn check_lease(db: &mut impl Executor, lease: &Lease, now: Timestamp) -> Result<(), AppendError> {
    let sql = "SELECT owner, epoch, expires_at FROM leases WHERE shard = $1";
    let found = db.query(sql, &[i64::from(lease.shard.0).into()]).await?;
    let lost = |epoch, owner: &str| AppendError::LeaseLost {
        shard: lease.shard,
        epoch: lease.epoch,
        found: epoch,
        owner: owner.to_owned(),
    };
    let Some(row) = found.first() else { return Err(lost(0, "")) };
    let (owner, epoch, expires_at) = (row.text(0)?, row.count(1)?, row.int(2)?);
    match epoch == lease.epoch && owner == lease.owner.0 && expires_at > now.0 {
        true => Ok(()),
        false => Err(lost(epoch, owner)),
    }
}

async fn head(db: &mut impl Executor, id: &DeploymentId) -> Result<(u64, [u8; 32]), StoreError> {
    let found = db.query("SELECT head, hash FROM deployments WHERE id = $1", &[id.as_str().into()]).await?;
    let Some(row) = found.first() else { return Ok((0, NO_HASH)) };
    let hash = row.bytes(1)?;
    let hash = <[u8; 32]>::try_from(hash)
        .map_err(|_| StoreError::Damaged(format!("the hash of deployment {id} has {} bytes, expected 32", hash.len())))?;
    Ok((row.count(0)?, hash))
}

struct Chained {
    seq: u64,
    at: i64,
    payload: Vec<u8>,
    hash: [u8; 32],
}

fn chained(append: &Append, payloads: Vec<Vec<u8>>, head: u64, mut hash: [u8; 32]) -> (Vec<Chained>, [u8; 32]) {
    let mut records = Vec::with_capacity(payloads.len());
    for (seq, (stamped, payload)) in (head + 1..).zip(append.events.iter().zip(payloads)) {
        let link = Link { seq, at: stamped.at, version: record::VERSION, payload: &payload, hash: &[] };
        hash = record::chain(&hash, &append.row.id, &link);
        records.push(Chained { seq, at: stamped.at.0, payload, hash });
    }
    (records, hash)
}

async fn write_deployment(db: &mut impl Executor, append: &Append, expected: u64, hash: [u8; 32]) -> Result<(), StoreError> {
    let row = &append.row;
    let status = rows::status_text(row.status);
    let (paused, ended_at) = (i64::from(row.paused), row.ended_at.map(|at| at.0));
    let touched = match expected {
        0 => {
            let sql = "INSERT INTO deployments (id, service, environment, release_id, release_label, status, phase, paused, head, \
                       hash, requested_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
            let values: [Value; 12] = [
                row.id.as_str().into(),
                row.scope.service.as_str().into(),
                row.scope.environment.as_str().into(),
                row.release.as_str().into(),
                row.release_label.as_str().into(),
                status.into(),
                row.phase.as_str().into(),
                paused.into(),
                row.head.into(),
                hash.to_vec().into(),
                row.requested_at.0.into(),
                ended_at.into(),
            ];
            db.execute(sql, &values).await?
        }
        _ => {
            let sql = "UPDATE deployments SET status = $1, phase = $2, paused = $3, head = $4, hash = $5, ended_at = $6 \
                       WHERE id = $7 AND head = $8";
            let values: [Value; 8] = [
                status.into(),
                row.phase.as_str().into(),
                paused.into(),
                row.head.into(),
                hash.to_vec().into(),
                ended_at.into(),
                row.id.as_str().into(),
                expected.into(),
            ];
            db.execute(sql, &values).await?
        }
    };
    match touched {
        1 => Ok(()),
        _ => Err(StoreError::Failed(format!("{touched} rows of deployment {} were written, expected 1", row.id))),
    }
}

async fn write_records(db: &mut impl Executor, append: &Append, records: Vec<Chained>) -> Result<Position, StoreError> {
    let sql = "INSERT INTO journal (deployment, seq, epoch, at, version, payload, hash) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING position";
    let mut position = Position::default();
    for record in records {
        let values: [Value; 7] = [
            append.row.id.as_str().into(),
            record.seq.into(),
            append.lease.epoch.into(),
            record.at.into(),
            u64::from(record::VERSION).into(),
            record.payload.into(),
            record.hash.to_vec().into(),
        ];
        let written = db.query(sql, &values).await?;
        let none = || StoreError::Failed("a record was written without a position".to_owned());
        position = Position(written.first().ok_or_else(none)?.count(0)?);
    }
    Ok(position)
}

async fn write_reply(db: &mut impl Executor, reply: &FirstReply, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT INTO requests (actor, request, fingerprint, deployment, version, at) VALUES ($1, $2, $3, $4, $5, $6)";
    let values: [Value; 6] = [
        reply.actor.as_str().into(),
        reply.request.0.as_str().into(),
        reply.fingerprint.as_str().into(),
        reply.deployment.as_str().into(),
        reply.version.into(),
        now.0.into(),
    ];
    db.execute(sql, &values).await.map(|_| ())
}

/// Returns the first answer to a request.
pub(crate) async fn first_reply(
    db: &mut impl Executor,
    actor: &str,
    request: &RequestId,
) -> Result<Option<FirstReply>, StoreError> {
    let sql = "SELECT fingerprint, deployment, version FROM requests WHERE actor = $1 AND request = $2";
    let found = db.query(sql, &[actor.into(), request.0.as_str().into()]).await?;
    let read = |row: &Row| -> Result<FirstReply, StoreError> {
        Ok(FirstReply {
            request: request.clone(),
            actor: actor.to_owned(),
            fingerprint: row.text(0)?.to_owned(),
            deployment: DeploymentId::new(row.text(1)?).map_err(|error| StoreError::Damaged(error.to_string()))?,
            version: row.count(2)?,
        })
    };
    found.first().map(read).transpose()
}
