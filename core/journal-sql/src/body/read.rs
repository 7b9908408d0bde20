//! Reading: deployments, scopes and the stream of events.

use journal::record::{self, NO_HASH};
use journal::{DeploymentFilter, DeploymentRow, Loaded, Position, Receipt, ScopeRow, StoreError, StreamedEvent};
use model::{DeploymentId, Scope};

use super::rows;
use crate::executor::{Executor, Row, Value};

/// Reads all events of a deployment and checks their chain on the way.
pub(crate) async fn load(db: &mut impl Executor, id: &DeploymentId) -> Result<Option<Loaded>, StoreError> {
    let sql = "SELECT seq, at, version, payload, hash, position FROM journal WHERE deployment = $1 ORDER BY seq";
    let found = db.query(sql, &[id.as_str().into()]).await?;
    if found.is_empty() {
        return Ok(None);
    }
    let (mut events, mut hash, mut position) = (Vec::with_capacity(found.len()), NO_HASH, Position::default());
    for (expected, row) in (1_u64..).zip(&found) {
        let (seq, version, payload) = (row.count(0)?, row.count(2)?, row.bytes(3)?);
        if seq != expected {
            return Err(StoreError::Damaged(format!("record {expected} of deployment {id} is missing, found {seq}")));
        }
        hash = record::chain(&hash, id, seq, u32::try_from(version).unwrap_or(u32::MAX), payload);
        if row.bytes(4)? != hash {
            return Err(StoreError::Damaged(format!("record {seq} of deployment {id} was changed: its hash does not fit")));
        }
        events.push(rows::stamped(id.as_str(), seq, row.int(1)?, version, payload)?);
        position = Position(row.count(5)?);
    }
    let head = events.len() as u64;
    Ok(Some(Loaded { events, receipt: Receipt::after_commit(id.clone(), head, position) }))
}

pub(crate) async fn deployments(db: &mut impl Executor, filter: &DeploymentFilter) -> Result<Vec<DeploymentRow>, StoreError> {
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

pub(crate) async fn unfinished(db: &mut impl Executor) -> Result<Vec<DeploymentRow>, StoreError> {
    let sql = format!("SELECT {} FROM deployments WHERE status IN ('queued', 'active') ORDER BY id", rows::DEPLOYMENT);
    db.query(&sql, &[]).await?.iter().map(rows::deployment).collect()
}

pub(crate) async fn scope(db: &mut impl Executor, scope: &Scope) -> Result<ScopeRow, StoreError> {
    let sql = "SELECT fence, stable, previous, active FROM scopes WHERE service = $1 AND environment = $2";
    let found = db.query(sql, &[scope.service.as_str().into(), scope.environment.as_str().into()]).await?;
    found.first().map_or_else(|| Ok(ScopeRow::default()), rows::scope_row)
}

pub(crate) async fn read_after(
    db: &mut impl Executor,
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
        stamped: rows::stamped(deployment, seq, row.int(3)?, row.count(4)?, row.bytes(5)?)?,
    })
}
