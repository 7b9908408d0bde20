//! The append: every rule is compared inside the transaction that writes.

use futures_util::future::{try_join, try_join3};
use journal::record::{self, Link};
use journal::{Append, AppendError, FirstReply, Position, Receipt, RequestId, StoreError};
use model::{DeploymentId, Timestamp};

use super::situation::{self, Situation};
use super::{rows, scope};
use crate::executor::{Executor, Row, Value};

/// Records that one statement writes. Few, so that few different statements are kept prepared.
const RECORDS_PER_STATEMENT: usize = 8;

/// An append with the payloads of its records: made where it is asked for, because whoever writes has no time to spare.
pub(crate) struct Prepared {
    pub(crate) append: Append,
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

/// Writes an append, or says why not. The caller has a transaction open and undoes what was written on an error of the store; what
/// is refused was refused before anything was written.
pub(crate) async fn append(db: &impl Executor, prepared: &Prepared, now: Timestamp) -> Result<Receipt, AppendError> {
    let append = &prepared.append;
    let before = situation::read(db, append).await?;
    situation::check(&before, append, prepared.expected, now)?;
    let records = chained(prepared, &before);
    let hash = records.last().map_or(before.hash, |record| record.hash);
    let after = scope::after(append, &before.scope)?;
    let deployment = write_deployment(db, append, &before, hash);
    let rest = try_join3(
        write_records(db, append, &records),
        scope::write(db, &append.row.scope, &before.scope, after),
        write_reply(db, append, now),
    );
    // A new deployment goes ahead of what refers to it. Else all is sent at once: over a network, each wait is a round trip.
    let position = match prepared.expected {
        0 => {
            deployment.await?;
            rest.await?.0
        }
        _ => try_join(deployment, rest).await?.1.0,
    };
    Ok(Receipt::after_commit(append.row.id.clone(), append.row.head, position))
}

struct Chained<'a> {
    seq: u64,
    at: i64,
    payload: &'a [u8],
    hash: [u8; 32],
}

fn chained<'a>(prepared: &'a Prepared, before: &Situation) -> Vec<Chained<'a>> {
    let Prepared { append, expected, payloads } = prepared;
    let mut hash = before.hash;
    let mut records = Vec::with_capacity(payloads.len());
    for (seq, (stamped, payload)) in (expected + 1..).zip(append.events.iter().zip(payloads)) {
        let link = Link { seq, at: stamped.at, version: record::VERSION, payload, hash: &[] };
        hash = record::chain(&hash, &append.row.id, &link);
        records.push(Chained { seq, at: stamped.at.0, payload, hash });
    }
    records
}

async fn write_deployment(db: &impl Executor, append: &Append, before: &Situation, hash: [u8; 32]) -> Result<(), StoreError> {
    let row = &append.row;
    let status = rows::status_text(row.status);
    let (paused, ended_at) = (i64::from(row.paused), row.ended_at.map(|at| at.0));
    let touched = match &before.status {
        None => {
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
        // The indexes are over the status: while it stays, they stay.
        Some(found) if found == status => {
            let sql = "UPDATE deployments SET phase = $1, paused = $2, head = $3, hash = $4 WHERE id = $5 AND head = $6";
            let values: [Value; 6] = [
                row.phase.as_str().into(),
                paused.into(),
                row.head.into(),
                hash.to_vec().into(),
                row.id.as_str().into(),
                before.head.into(),
            ];
            db.execute(sql, &values).await?
        }
        Some(_) => {
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
                before.head.into(),
            ];
            db.execute(sql, &values).await?
        }
    };
    match touched {
        1 => Ok(()),
        _ => Err(StoreError::Failed(format!("{touched} rows of deployment {} were written, expected 1", row.id))),
    }
}

async fn write_records(db: &impl Executor, append: &Append, records: &[Chained<'_>]) -> Result<Position, StoreError> {
    let mut position = Position::default();
    for records in records.chunks(RECORDS_PER_STATEMENT) {
        let values: Vec<Value> = records.iter().flat_map(|record| record_values(append, record)).collect();
        let written = db.query(&insert_records(records.len()), &values).await?;
        let none = || StoreError::Failed("a record was written without a position".to_owned());
        position = Position(written.last().ok_or_else(none)?.count(0)?);
    }
    Ok(position)
}

fn insert_records(records: usize) -> String {
    let row = |record: usize| {
        let first = record * 7 + 1;
        let [a, b, c, d, e, f, g] = std::array::from_fn(|column| first + column);
        format!("(${a}, ${b}, ${c}, ${d}, ${e}, ${f}, ${g})")
    };
    let rows: Vec<_> = (0..records).map(row).collect();
    let columns = "deployment, seq, epoch, at, version, payload, hash";
    format!("INSERT INTO journal ({columns}) VALUES {} RETURNING position", rows.join(", "))
}

fn record_values(append: &Append, record: &Chained<'_>) -> [Value; 7] {
    [
        append.row.id.as_str().into(),
        record.seq.into(),
        append.lease.epoch.into(),
        record.at.into(),
        u64::from(record::VERSION).into(),
        record.payload.to_vec().into(),
        record.hash.to_vec().into(),
    ]
}

async fn write_reply(db: &impl Executor, append: &Append, now: Timestamp) -> Result<(), StoreError> {
    let Some(reply) = &append.request else { return Ok(()) };
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
pub(crate) async fn first_reply(db: &impl Executor, actor: &str, request: &RequestId) -> Result<Option<FirstReply>, StoreError> {
    let sql = "SELECT fingerprint, deployment, version FROM requests WHERE actor = $1 AND request = $2";
    let found = db.query(sql, &[actor.into(), request.0.as_str().into()]).await?;
    found.first().map(|row| reply(row, 0, actor, request)).transpose()
}

/// Reads `fingerprint, deployment, version` from a column on.
pub(super) fn reply(row: &Row, first: usize, actor: &str, request: &RequestId) -> Result<FirstReply, StoreError> {
    Ok(FirstReply {
        request: request.clone(),
        actor: actor.to_owned(),
        fingerprint: row.text(first)?.to_owned(),
        deployment: DeploymentId::new(row.text(first + 1)?).map_err(|error| StoreError::Damaged(error.to_string()))?,
        version: row.count(first + 2)?,
    })
}
