//! Where the dialects differ: the names of types and a few words of the schema. Placeholders are `$1`, `$2`, … in both, each first
//! used in its order.

/// The words that differ.
pub(crate) struct Dialect {
    /// A 64-bit integer.
    pub(crate) int: &'static str,
    /// Bytes.
    pub(crate) bytes: &'static str,
    /// A primary key that the database counts up.
    pub(crate) counted_key: &'static str,
    /// What follows a table's closing bracket.
    pub(crate) table_end: &'static str,
    /// The statements that make the database itself refuse to change or remove a record.
    pub(crate) append_only: &'static [&'static str],
}

/// SQLite's words.
pub(crate) const SQLITE: Dialect = Dialect {
    int: "INTEGER",
    bytes: "BLOB",
    counted_key: "INTEGER PRIMARY KEY AUTOINCREMENT",
    table_end: " STRICT",
    append_only: &[
        "CREATE TRIGGER journal_not_changed BEFORE UPDATE ON journal
         BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
        "CREATE TRIGGER journal_not_removed BEFORE DELETE ON journal
         BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
    ],
};

impl Dialect {
    /// Returns a statement of the schema in this dialect.
    pub(crate) fn write(&self, statement: &str) -> String {
        statement
            .replace("{int}", self.int)
            .replace("{bytes}", self.bytes)
            .replace("{counted-key}", self.counted_key)
            .replace("{end}", self.table_end)
    }
}
