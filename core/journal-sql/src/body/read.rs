//! Reading: deployments, scopes and the stream of events.

use journal::record::{self, Archived};
use journal::{DeploymentFilter, DeploymentRow, Loaded, Position, Receipt, ScopeRow, StoreError, StreamedEvent};
use model::{DeploymentId, Scope, Timestamp};

use super::{archive, rows};
use crate::executor::{Executor, Row, Value};

/// A deployment's records, wherever they are, with the end that its row has.
pub(super) struct Found {
    pub(super) records: Vec<Archived>,
    pub(super) head: u64,
    hash: Vec<u8>,
    /// Whether there is such a deployment.
    exists: bool,
}

/// Reads all records of a deployment, from the journal or from its archive.
pub(super) async fn records(db: &impl Executor, id: &DeploymentId) -> Result<Found, StoreError> {
    // One statement, so that the records and the row are of one moment.
    let sql = "SELECT j.position, j.epoch, j.seq, j.at, j.version, j.payload, j.hash, d.head, d.hash, d.archived \
               FROM deployments d LEFT JOIN journal j ON j.deployment = d.id WHERE d.id = $1 ORDER BY j.seq";
    let found = db.query(sql, &[id.as_str().into()]).await?;
    let Some(first) = found.first() else {
        return Ok(Found { records: Vec::new(), head: 0, hash: Vec::new(), exists: false });
    };
    let mut records = Vec::new();
    if first.int(9)? == archive::IN_ARCHIVE {
        records.extend(archive::records(db, id).await?);
    }
    if first.int_or_none(0)?.is_some() {
        for row in &found {
            records.push(archived(row)?);
        }
    }
    Ok(Found { records, head: first.count(7)?, hash: first.bytes(8)?.to_vec(), exists: true })
}

fn archived(row: &Row) -> Result<Archived, StoreError> {
    Ok(Archived {
        position: row.count(0)?,
        epoch: row.count(1)?,
        seq: row.count(2)?,
        at: Timestamp(row.int(3)?),
        version: version(row.count(4)?),
        payload: row.bytes(5)?.to_vec(),
        hash: row.bytes(6)?.to_vec(),
    })
}

/// Checks the chain, up to the head and hash that the deployment's row has.
pub(super) fn verify(id: &DeploymentId, found: &Found) -> Result<(), StoreError> {
    let damaged = |message: String| StoreError::BrokenChain { deployment: id.to_string(), message };
    let links = found.records.iter().map(Archived::link);
    let computed = record::verify_chain(id, links).map_err(|error| damaged(error.to_string()))?;
    let last = found.records.len() as u64;
    match last == found.head && *found.hash == computed {
        true => Ok(()),
        false => Err(damaged(format!("its last record is {last}, expected {} with the hash in its row", found.head))),
    }
}

/// Reads all events of a deployment and checks their chain.
pub(crate) async fn load(db: &impl Executor, id: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
    let found = records(db, id).await?;
    if !found.exists {
        return Ok(None);
    }
    verify(id, &found)?;
    let read = |record: &Archived| rows::stamped(id.as_str(), record.seq, record.at, record.version, &record.payload);
    let events = found.records.iter().map(read).collect::<Result<_, _>>()?;
    let position = Position(found.records.last().map_or(0, |record| record.position));
    Ok(Some(Loaded { events, receipt: Receipt::after_commit(id.clone(), found.head, position) }))
}

/// A version beyond what the type holds is one that nobody knows.
pub(super) fn version(found: u64) -> u32 {
    u32::try_from(found).unwrap_or(u32::MAX)
}

pub(crate) async fn deployments(db: &impl Executor, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError> {
    let (mut conditions, mut values): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
    let mut also = |column: &str, value: Value| {
        values.push(value);
        conditions.push(format!("{column} ${}", values.len()));
    };
    if let Some(service) = &filter.service {
        also("service =", service.as_str().into());
    }
    if let Some(environment) = &filter.environment {
        also("environment =", environment.as_str().into());
    }
    if let Some(status) = filter.status {
        also("status =", rows::status_text(status).into());
    }
    if let Some(before) = &filter.before {
        also("id <", before.as_str().into());
    }
    values.push(u64::from(filter.limit).into());
    let conditions = if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
    // Ids are made of time, so their order is the order of the requests.
    let sql = format!("SELECT {} FROM deployments {conditions} ORDER BY id DESC LIMIT ${}", rows::DEPLOYMENT, values.len());
    db.query(&sql, &values).await?.iter().map(rows::deployment).collect()
}

pub(crate) async fn unfinished(db: &impl Executor) -> Result<Vec<DeploymentRow>, StoreError> {
    let sql = format!("SELECT {} FROM deployments WHERE status IN ('queued', 'active') ORDER BY id", rows::DEPLOYMENT);
    db.query(&sql, &[]).await?.iter().map(rows::deployment).collect()
}

pub(crate) async fn scope(db: &impl Executor, scope: &Scope) -> Result<ScopeRow, StoreError> {
    let sql = "SELECT fence, stable, previous, active FROM scopes WHERE service = $1 AND environment = $2";
    let found = db.query(sql, &[scope.service.as_str().into(), scope.environment.as_str().into()]).await?;
    found.first().map_or_else(|| Ok(ScopeRow::default()), rows::scope_row)
}

pub(crate) async fn read_after(
    db: &impl Executor,
    position: Position,
    deployment: Option<&DeploymentId>,
    limit: u32,
) -> Result<Vec<StreamedEvent>, StoreError> {
    const COLUMNS: &str = "position, deployment, seq, at, version, payload";
    let found = match deployment {
        Some(id) => {
            let sql = format!("SELECT {COLUMNS} FROM journal WHERE deployment = $1 AND position > $2 ORDER BY position LIMIT $3");
            let found = db.query(&sql, &[id.as_str().into(), position.0.into(), u64::from(limit).into()]).await?;
            if found.is_empty() {
                // Asked second: what is packed in between is found in one of the two.
                return archive::read_after(db, position, id, limit).await;
            }
            found
        }
        None => {
            let sql = format!("SELECT {COLUMNS} FROM journal WHERE position > $1 ORDER BY position LIMIT $2");
            db.query(&sql, &[position.0.into(), u64::from(limit).into()]).await?
        }
    };
    found.iter().map(streamed).collect()
}

fn streamed(row: &Row) -> Result<StreamedEvent, StoreError> {
    let (deployment, seq) = (row.text(1)?, row.count(2)?);
    Ok(StreamedEvent {
        position: Position(row.count(0)?),
        deployment: DeploymentId::new(deployment).map_err(|error| StoreError::Damaged(error.to_string()))?,
        seq,
        stamped: rows::stamped(deployment, seq, Timestamp(row.int(3)?), version(row.count(4)?), row.bytes(5)?)?,
    })
}
