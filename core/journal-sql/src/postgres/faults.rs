//! What PostgreSQL's errors mean for whoever wrote.

use std::error::Error as _;

use journal::StoreError;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Sorts an error by what can be done about it. Nothing is in it that a caller sent: neither values nor a password.
pub(super) fn sort(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(said) => sort_said(said),
        None => StoreError::Unreachable(chain(error)),
    }
}

/// Sorts an error of a commit: what the server refused was not written; where it went away in the middle, nobody knows.
pub(super) fn sort_commit(error: &Error) -> StoreError {
    match error.as_db_error() {
        Some(said) if said.severity() == "ERROR" => sort_said(said),
        Some(_) | None => StoreError::OutcomeUnknown(chain(error)),
    }
}

fn sort_said(said: &DbError) -> StoreError {
    let message = match said.detail() {
        Some(detail) => format!("{}: {detail}", said.message()),
        None => said.message().to_owned(),
    };
    let code = said.code();
    match code.code().get(..2).unwrap_or_default() {
        // Authorization, an unknown database or role, a right that is missing.
        "28" | "3D" => StoreError::Unfit(message),
        "08" | "57" => StoreError::Unreachable(message),
        "XX" => StoreError::Damaged(message),
        _ if *code == SqlState::INSUFFICIENT_PRIVILEGE => StoreError::Unfit(message),
        _ if *code == SqlState::DISK_FULL => StoreError::Full(message),
        _ if *code == SqlState::TOO_MANY_CONNECTIONS => StoreError::Unreachable(message),
        _ if *code == SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly(message),
        _ if *code == SqlState::LOCK_NOT_AVAILABLE => StoreError::InUse(message),
        _ => StoreError::Failed(format!("{message} ({})", code.code())),
    }
}

fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
