//! What SQLite's errors mean for whoever wrote.

use journal::StoreError;
use rusqlite::{Error, ErrorCode};

/// Sorts an error by what can be done about it.
pub(super) fn sort(error: Error) -> StoreError {
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(message),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => StoreError::ReadOnly(message),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged(message),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::InUse(message),
        _ => StoreError::Failed(message),
    }
}

/// Sorts an error of a commit. A commit that waited in vain or found no space wrote no end of its transaction; after any other
/// error, of the disk above all, it is open what is there.
pub(super) fn sort_commit(error: Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::ConstraintViolation) => sort(error),
        _ => StoreError::OutcomeUnknown(error.to_string()),
    }
}

/// Returns an error again for another waiter of the same commit.
pub(super) fn again(error: &StoreError) -> StoreError {
    match error {
        StoreError::OutcomeUnknown(message) => StoreError::OutcomeUnknown(message.clone()),
        StoreError::Full(message) => StoreError::Full(message.clone()),
        StoreError::ReadOnly(message) => StoreError::ReadOnly(message.clone()),
        StoreError::Damaged(message) => StoreError::Damaged(message.clone()),
        StoreError::InUse(message) => StoreError::InUse(message.clone()),
        other => StoreError::Failed(other.to_string()),
    }
}
