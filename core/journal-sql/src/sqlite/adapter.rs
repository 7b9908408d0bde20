//! The body's executor over a SQLite connection.

use std::future::Future;

use futures_util::FutureExt;
use journal::StoreError;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::faults;
use crate::executor::{Executor, Row, Value};

/// A connection. Its futures are always ready: SQLite answers in place.
pub(crate) struct Sqlite<'a>(pub(crate) &'a Connection);

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
    async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<usize, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(faults::sort)?;
        statement.execute(params_from_iter(values)).map_err(faults::sort)
    }

    async fn query(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(faults::sort)?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(values)).map_err(faults::sort)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(faults::sort)? {
            let values = (0..columns).map(|column| row.get_ref(column).map(value)).collect::<Result<_, _>>();
            rows.push(Row(values.map_err(faults::sort)?));
        }
        Ok(rows)
    }
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
