//! The body's executor over a SQLite connection.

use std::cell::OnceCell;
use std::future::Future;

use futures_util::FutureExt;
use journal::StoreError;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::faults;
use crate::again::again;
use crate::executor::{Executor, Row, Value};

/// A connection. Its futures are always ready: SQLite answers in place.
pub(crate) struct Sqlite<'a> {
    db: &'a Connection,
    undone: OnceCell<StoreError>,
}

impl<'a> Sqlite<'a> {
    pub(super) fn new(db: &'a Connection) -> Self {
        Self { db, undone: OnceCell::new() }
    }

    /// Returns the error at which SQLite undid the open transaction by itself, as it does when the disk is full or fails.
    pub(super) fn undone(self) -> Option<StoreError> {
        self.undone.into_inner()
    }

    fn failed(&self, error: rusqlite::Error) -> StoreError {
        let error = faults::sort(error);
        if self.db.is_autocommit() {
            // The first one is the reason; what follows it is told that there is no transaction.
            let _ = self.undone.set(again(&error));
        }
        error
    }
}

/// Returns the result of a future over [`Sqlite`].
pub(crate) fn now<R>(future: impl Future<Output = R>) -> R {
    future.now_or_never().expect("BUG: over SQLite the body never waits")
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Executor for Sqlite<'_> {
    async fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let touched = self.db.prepare_cached(sql).and_then(|mut statement| statement.execute(params_from_iter(values)));
        touched.map_err(|error| self.failed(error))
    }

    async fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        rows(self.db, sql, values).map_err(|error| self.failed(error))
    }
}

fn rows(db: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = db.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut found = statement.query(params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let values = (0..columns).map(|column| row.get_ref(column).map(value)).collect::<Result<_, _>>();
        rows.push(Row(values?));
    }
    Ok(rows)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        // No column of ours is a fraction; where one is found it is reported as the text that it is not.
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}
