//! What an append does to its scope: the rules it must keep, and the row after it.

use journal::record;
use journal::{Append, AppendError, Status, StoreError};
use model::{DeploymentId, Fence, ReleaseId, Scope};

use super::rows;
use crate::executor::{Executor, Row, Value};

/// A scope's row. Releases stay the text that they are: an append rarely changes one, and reading them takes time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeText {
    fence: Fence,
    stable: Option<String>,
    previous: Option<String>,
    active: Option<DeploymentId>,
    /// Whether there is a row already.
    exists: bool,
}

/// Reads `fence, stable, previous, active` from a column on.
pub(super) fn text(row: &Row, first: usize) -> Result<ScopeText, StoreError> {
    let text = |column| Ok::<_, StoreError>(row.text_or_none(column)?.map(str::to_owned));
    Ok(ScopeText {
        fence: Fence(row.count(first)?),
        stable: text(first + 1)?,
        previous: text(first + 2)?,
        active: rows::id_or_none(row, first + 3)?,
        exists: true,
    })
}

/// Refuses an append that would make a second deployment active, or lower the fence.
pub(super) fn check(append: &Append, scope: &ScopeText) -> Result<(), AppendError> {
    let row = &append.row;
    if row.status != Status::Active {
        return Ok(());
    }
    if let Some(active) = scope.active.as_ref().filter(|active| **active != row.id) {
        return Err(AppendError::ScopeTaken { scope: row.scope.clone(), active: active.clone() });
    }
    match append.fence < scope.fence {
        true => Err(AppendError::FenceFell { scope: row.scope.clone(), found: scope.fence, given: append.fence }),
        false => Ok(()),
    }
}

/// Returns the row after an append.
pub(super) fn after(append: &Append, before: &ScopeText) -> Result<ScopeText, StoreError> {
    let row = &append.row;
    let mut after = before.clone();
    after.fence = before.fence.max(append.fence);
    after.active = match row.status {
        Status::Active => Some(row.id.clone()),
        Status::Queued | Status::Ended => before.active.clone().filter(|active| *active != row.id),
    };
    if let Some(stable) = &append.stable {
        if release_id(before.stable.as_deref())? != stable.as_ref().map(|release| release.id.clone()) {
            after.previous.clone_from(&before.stable);
        }
        after.stable = stable.as_ref().map(record::write_release);
    }
    Ok(after)
}

fn release_id(text: Option<&str>) -> Result<Option<ReleaseId>, StoreError> {
    Ok(rows::release(text)?.map(|release| release.id))
}

/// Writes what changed. Mostly it is the fence alone: what stays need not be written, indexed and checked anew.
pub(super) async fn write(db: &impl Executor, scope: &Scope, before: &ScopeText, row: ScopeText) -> Result<(), StoreError> {
    if row == *before {
        return Ok(());
    }
    if row.exists && row == (ScopeText { fence: row.fence, ..before.clone() }) {
        let sql = "UPDATE scopes SET fence = $1 WHERE service = $2 AND environment = $3";
        let values: [Value; 3] = [row.fence.0.into(), scope.service.as_str().into(), scope.environment.as_str().into()];
        return match db.execute(sql, &values).await? {
            1 => Ok(()),
            touched => Err(StoreError::Failed(format!("{touched} rows of {scope} were written, expected 1"))),
        };
    }
    let sql = "INSERT INTO scopes (service, environment, fence, stable, previous, active) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (service, environment) DO UPDATE SET fence = excluded.fence, stable = excluded.stable, \
               previous = excluded.previous, active = excluded.active";
    let values: [Value; 6] = [
        scope.service.as_str().into(),
        scope.environment.as_str().into(),
        row.fence.0.into(),
        row.stable.into(),
        row.previous.into(),
        row.active.as_ref().map(DeploymentId::as_str).into(),
    ];
    db.execute(sql, &values).await.map(|_| ())
}
