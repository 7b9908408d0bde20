//! What the body needs of a database: run a statement, read rows.

use journal::StoreError;

/// A value of a statement or a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row.
pub(crate) struct Row(pub(crate) Vec<Value>);

/// A database inside a transaction, or outside of one for reading. What is asked at the same time is done in the order in which it
/// was first polled.
pub(crate) trait Executor {
    /// Runs a statement; returns how many rows it touched.
    async fn execute(&self, sql: &str, values: &[Value]) -> Result<usize, StoreError>;

    /// Runs a query; returns its rows.
    async fn query(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError>;
}

impl Row {
    /// Returns a number.
    pub(crate) fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Value::Int(number)) => Ok(*number),
            found => Err(wrong(column, "a number", found)),
        }
    }

    /// Returns a number that is not negative.
    pub(crate) fn count(&self, column: usize) -> Result<u64, StoreError> {
        let number = self.int(column)?;
        u64::try_from(number).map_err(|_| StoreError::Damaged(format!("column {column} holds {number}, expected 0 or more")))
    }

    /// Returns a text.
    pub(crate) fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(text),
            found => Err(wrong(column, "a text", found)),
        }
    }

    /// Returns a text that may be missing.
    pub(crate) fn text_or_none(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// Returns a number that may be missing.
    pub(crate) fn int_or_none(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.0.get(column) {
            Some(Value::Null) => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// Returns bytes.
    pub(crate) fn bytes(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            found => Err(wrong(column, "bytes", found)),
        }
    }
}

fn wrong(column: usize, expected: &str, found: Option<&Value>) -> StoreError {
    StoreError::Damaged(format!("column {column} of a row holds {found:?}, expected {expected}"))
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

/// Counts, revisions and fences start at 0 and grow by one: none ever comes near the largest number that a database holds.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
