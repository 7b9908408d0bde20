//! Archives: what is old is packed, and stays readable.

use journal::record::{self, ARCHIVE_VERSION, Archived};
use journal::{Compacted, Position, Retention, StoreError, StreamedEvent};
use model::{DeploymentId, Timestamp};

use super::{read, rows};
use crate::executor::{Executor, Value};

/// The marks that a deployment's row has; see the schema.
pub(super) const IN_ARCHIVE: i64 = 1;
const DAMAGED: i64 = 2;

/// Packs and forgets what is old. The caller has a transaction open.
pub(crate) async fn compact(db: &impl Executor, retention: Retention, now: Timestamp) -> Result<Compacted, StoreError> {
    let limit = u64::from(retention.limit);
    let sql = "DELETE FROM requests WHERE (actor, request) IN (SELECT actor, request FROM requests WHERE at < $1 LIMIT $2)";
    let answers = db.execute(sql, &[(now - retention.answered).0.into(), limit.into()]).await?;
    let mut compacted = Compacted { answers: answers as u64, ..Compacted::default() };
    let sql = "SELECT id FROM deployments WHERE status = 'ended' AND archived = 0 AND ended_at < $1 ORDER BY ended_at LIMIT $2";
    for row in db.query(sql, &[(now - retention.ended).0.into(), limit.into()]).await? {
        let id = DeploymentId::new(row.text(0)?).map_err(|error| StoreError::Damaged(error.to_string()))?;
        match archive(db, &id, now).await {
            Ok(()) => compacted.deployments += 1,
            Err(error) if error.is_of_one_deployment() => {
                mark(db, &id, DAMAGED).await?;
                compacted.damaged.push(error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(compacted)
}

/// Packs a deployment's records, and only then takes them out of the journal: the database itself refuses the other order.
async fn archive(db: &impl Executor, id: &DeploymentId, now: Timestamp) -> Result<(), StoreError> {
    let found = read::records(db, id).await?;
    read::verify(id, &found)?;
    let unreadable = |error: record::Unreadable| broken(id, &format!("its records cannot be packed: {error}"));
    let packed = record::pack(&found.records).map_err(unreadable)?;
    if record::unpack(ARCHIVE_VERSION, &packed).map_err(unreadable)? != found.records {
        return Err(broken(id, "what was packed is not what comes out again"));
    }
    let sql = "INSERT INTO archives (deployment, head, version, packed_at, records) VALUES ($1, $2, $3, $4, $5)";
    let values: [Value; 5] =
        [id.as_str().into(), found.head.into(), u64::from(ARCHIVE_VERSION).into(), now.0.into(), packed.into()];
    db.execute(sql, &values).await?;
    let removed = db.execute("DELETE FROM journal WHERE deployment = $1", &[id.as_str().into()]).await?;
    if removed != found.records.len() {
        let read = found.records.len();
        return Err(StoreError::Failed(format!("{removed} records of deployment {id} were removed, {read} are in its archive")));
    }
    mark(db, id, IN_ARCHIVE).await
}

async fn mark(db: &impl Executor, id: &DeploymentId, mark: i64) -> Result<(), StoreError> {
    db.execute("UPDATE deployments SET archived = $1 WHERE id = $2", &[mark.into(), id.as_str().into()]).await.map(|_| ())
}

/// Returns the records of a deployment's archive, none if it has no archive.
pub(super) async fn records(db: &impl Executor, id: &DeploymentId) -> Result<Vec<Archived>, StoreError> {
    let sql = "SELECT version, records FROM archives WHERE deployment = $1";
    let found = db.query(sql, &[id.as_str().into()]).await?;
    let Some(row) = found.first() else { return Ok(Vec::new()) };
    let version = read::version(row.count(0)?);
    record::unpack(version, row.bytes(1)?).map_err(|error| broken(id, &format!("its archive cannot be read: {error}")))
}

/// Returns the events of a deployment's archive behind a position.
pub(super) async fn read_after(
    db: &impl Executor,
    position: Position,
    id: &DeploymentId,
    limit: u32,
) -> Result<Vec<StreamedEvent>, StoreError> {
    let archived = records(db, id).await?;
    let behind = archived.iter().filter(|record| record.position > position.0).take(limit as usize);
    let streamed = |record: &Archived| {
        let stamped = rows::stamped(id.as_str(), record.seq, record.at, record.version, &record.payload)?;
        Ok(StreamedEvent { position: Position(record.position), deployment: id.clone(), seq: record.seq, stamped })
    };
    behind.map(streamed).collect()
}

fn broken(id: &DeploymentId, message: &str) -> StoreError {
    StoreError::BrokenChain { deployment: id.to_string(), message: message.to_owned() }
}
