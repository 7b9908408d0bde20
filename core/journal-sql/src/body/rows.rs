//! Rows become what the journal speaks of.

use journal::record::{self, Unreadable};
use journal::{DeploymentRow, ScopeRow, Stamped, Status, StoreError};
use model::{DeploymentId, EnvironmentName, Fence, InvalidName, Phase, ReleaseId, ReleaseSpec, Scope, ServiceName, Timestamp};

use crate::executor::Row;

/// The columns of a deployment, in the order that [`deployment`] reads.
pub(crate) const DEPLOYMENT: &str =
    "id, service, environment, release_id, release_label, status, phase, paused, head, requested_at, ended_at";

pub(crate) fn deployment(row: &Row) -> Result<DeploymentRow, StoreError> {
    Ok(DeploymentRow {
        id: DeploymentId::new(row.text(0)?).map_err(|error| damaged(&error))?,
        scope: scope(row.text(1)?, row.text(2)?)?,
        release: ReleaseId::new(row.text(3)?).map_err(|error| damaged(&error))?,
        release_label: row.text(4)?.to_owned(),
        status: status(row.text(5)?)?,
        phase: phase(row.text(6)?)?,
        paused: row.int(7)? != 0,
        head: row.count(8)?,
        requested_at: Timestamp(row.int(9)?),
        ended_at: row.int_or_none(10)?.map(Timestamp),
    })
}

fn scope(service: &str, environment: &str) -> Result<Scope, StoreError> {
    Ok(Scope {
        service: ServiceName::new(service).map_err(|error| damaged(&error))?,
        environment: EnvironmentName::new(environment).map_err(|error| damaged(&error))?,
    })
}

fn damaged(error: &InvalidName) -> StoreError {
    StoreError::Damaged(error.to_string())
}

pub(crate) fn status_text(status: Status) -> &'static str {
    match status {
        Status::Queued => "queued",
        Status::Active => "active",
        Status::Ended => "ended",
    }
}

fn status(text: &str) -> Result<Status, StoreError> {
    let all = [Status::Queued, Status::Active, Status::Ended];
    let found = all.into_iter().find(|status| status_text(*status) == text);
    found.ok_or_else(|| StoreError::Damaged(format!("{text:?} is not a status")))
}

fn phase(text: &str) -> Result<Phase, StoreError> {
    let found = Phase::ALL.into_iter().find(|phase| phase.as_str() == text);
    found.ok_or_else(|| StoreError::Damaged(format!("{text:?} is not a phase")))
}

/// Reads `fence, stable, previous, active`.
pub(crate) fn scope_row(row: &Row) -> Result<ScopeRow, StoreError> {
    Ok(ScopeRow {
        fence: Fence(row.count(0)?),
        stable: release(row.text_or_none(1)?)?,
        previous: release(row.text_or_none(2)?)?,
        active: id_or_none(row, 3)?,
    })
}

/// Returns a deployment's id that may be missing.
pub(super) fn id_or_none(row: &Row, column: usize) -> Result<Option<DeploymentId>, StoreError> {
    row.text_or_none(column)?.map(DeploymentId::new).transpose().map_err(|error| damaged(&error))
}

/// Returns a release that may be missing.
pub(super) fn release(text: Option<&str>) -> Result<Option<ReleaseSpec>, StoreError> {
    let read = text.map(record::read_release).transpose();
    read.map_err(|error| StoreError::Damaged(format!("a scope's release cannot be read: {error}")))
}

/// Returns an event with the time it was journaled at.
pub(crate) fn stamped(deployment: &str, seq: u64, at: Timestamp, version: u32, payload: &[u8]) -> Result<Stamped, StoreError> {
    let unreadable =
        |error: Unreadable| StoreError::UnreadableRecord { deployment: deployment.to_owned(), seq, message: error.to_string() };
    let event = record::read(version, payload).map_err(unreadable)?;
    Ok(Stamped { event, at })
}
