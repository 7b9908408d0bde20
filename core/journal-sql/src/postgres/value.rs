//! The body's values as PostgreSQL sends and takes them.

use std::error::Error;

use bytes::BytesMut;
use journal::StoreError;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::faults;
use crate::executor::{Row, Value};

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            // The lengths that functions take are of the smaller type.
            Self::Int(number) if *ty == Type::INT4 => i32::try_from(*number)?.to_sql(ty, out),
            Self::Int(number) => number.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        // One type of ours stands for several of the database's; what does not fit is refused by the database.
        true
    }

    to_sql_checked!();
}

/// Returns a row of the database as the body reads it.
pub(super) fn row(found: &tokio_postgres::Row) -> Result<Row, StoreError> {
    (0..found.len()).map(|column| value(found, column)).collect::<Result<_, _>>().map(Row)
}

fn value(found: &tokio_postgres::Row, column: usize) -> Result<Value, StoreError> {
    let ty = found.columns().get(column).map(tokio_postgres::Column::type_);
    let read = match ty {
        Some(&Type::INT8) => found.try_get::<_, Option<i64>>(column).map(Value::from),
        Some(&Type::INT4) => found.try_get::<_, Option<i32>>(column).map(|number| number.map(i64::from).into()),
        Some(&Type::BOOL) => found.try_get::<_, Option<bool>>(column).map(|yes| yes.map(i64::from).into()),
        Some(&Type::TEXT | &Type::VARCHAR) => found.try_get::<_, Option<String>>(column).map(Value::from),
        Some(&Type::BYTEA) => found.try_get::<_, Option<Vec<u8>>>(column).map(Value::from),
        other => return Err(StoreError::Damaged(format!("column {column} of a row is of type {other:?}"))),
    };
    read.map_err(|error| faults::sort(&error))
}
