//! Reading: deployments, scopes and the stream of events.

use journal::record::{self, Link};
use journal::{DeploymentFilter, DeploymentRow, Loaded, Position, Receipt, ScopeRow, StoreError, StreamedEvent};
use model::{DeploymentId, Scope, Timestamp};

use super::rows;
use crate::executor::{Executor, Row, Value};

/// Reads all events of a deployment and checks their chain, up to the head and hash that its row has.
pub(crate) async fn load(db: &impl Executor, id: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
    // One statement, so that the records and the row are of one moment.
    let sql = "SELECT j.seq, j.at, j.version, j.payload, j.hash, j.position, d.head, d.hash \
               FROM deployments d LEFT JOIN journal j ON j.deployment = d.id WHERE d.id = $1 ORDER BY j.seq";
    let found = db.query(sql, &[id.as_str().into()]).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let (head, hash) = (first.count(6)?, first.bytes(7)?);
    let records = if first.int_or_none(0)?.is_some() { found.as_slice() } else { &[] };
    let links = records.iter().map(link).collect::<Result<Vec<_>, _>>()?;
    let damaged = |message: String| StoreError::BrokenChain { deployment: id.to_string(), message };
    let computed = record::verify_chain(id, links.iter().copied()).map_err(|error| damaged(error.to_string()))?;
    if links.len() as u64 != head || computed != *hash {
        return Err(damaged(format!("its last record is {}, expected {head} with the hash in its row", links.len())));
    }
    let read = |link: &Link<'_>| rows::stamped(id.as_str(), link.seq, link.at, link.version, link.payload);
    let events = links.iter().map(read).collect::<Result<_, _>>()?;
    let position = Position(records.last().map_or(Ok(0), |row| row.count(5))?);
    Ok(Some(Loaded { events, receipt: Receipt::after_commit(id.clone(), head, position) }))
}

fn link(row: &Row) -> Result<Link<'_>, StoreError> {
    Ok(Link {
        seq: row.count(0)?,
        at: Timestamp(row.int(1)?),
        version: version(row.count(2)?),
        payload: row.bytes(3)?,
        hash: row.bytes(4)?,
    })
}

/// A version beyond what the type holds is one that nobody knows.
fn version(found: u64) -> u32 {
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
            db.query(&sql, &[id.as_str().into(), position.0.into(), u64::from(limit).into()]).await?
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
