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

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;
    use crate::again::again;

    fn error(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    #[test]
    fn an_error_is_sorted_by_what_can_be_done() {
        type Fits = fn(&StoreError) -> bool;
        let expected: [(i32, Fits); 8] = [
            (ffi::SQLITE_FULL, |error| matches!(error, StoreError::Full(_))),
            (ffi::SQLITE_READONLY, |error| matches!(error, StoreError::ReadOnly(_))),
            (ffi::SQLITE_CANTOPEN, |error| matches!(error, StoreError::ReadOnly(_))),
            (ffi::SQLITE_CORRUPT, |error| matches!(error, StoreError::Damaged(_))),
            (ffi::SQLITE_NOTADB, |error| matches!(error, StoreError::Damaged(_))),
            (ffi::SQLITE_BUSY, |error| matches!(error, StoreError::InUse(_))),
            (ffi::SQLITE_IOERR_READ, |error| matches!(error, StoreError::Failed(_))),
            (ffi::SQLITE_CONSTRAINT, |error| matches!(error, StoreError::Failed(_))),
        ];
        for (code, fits) in expected {
            let sorted = sort(error(code));
            assert!(fits(&sorted) && fits(&again(&sorted)), "code {code}: {sorted:?}");
        }
    }

    #[test]
    fn after_an_error_of_the_disk_a_commit_is_unknown() {
        for code in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_NOMEM, ffi::SQLITE_CORRUPT] {
            let sorted = sort_commit(error(code));
            assert!(matches!(sorted, StoreError::OutcomeUnknown(_)), "code {code}: {sorted:?}");
        }
        assert!(matches!(sort_commit(error(ffi::SQLITE_FULL)), StoreError::Full(_)));
        assert!(matches!(sort_commit(error(ffi::SQLITE_BUSY)), StoreError::InUse(_)));
    }
}
