//! Where the dialects differ: the names of types and a few words of the schema. Placeholders are `$1`, `$2`, … in both, each first
//! used in its order.

use crate::body::schema;

/// The words that differ.
pub(crate) struct Dialect {
    /// A 64-bit integer.
    pub(crate) int: &'static str,
    /// A text that is compared byte by byte, so that the order of ids is the order of their time.
    pub(crate) text: &'static str,
    /// Bytes.
    pub(crate) bytes: &'static str,
    /// A primary key that the database counts up.
    pub(crate) counted_key: &'static str,
    /// What follows a table's closing bracket.
    pub(crate) table_end: &'static str,
    /// For each step of the schema, the statements that make the database itself refuse to change or remove a record.
    pub(crate) append_only: [&'static [&'static str]; schema::VERSION],
}

/// SQLite's words.
pub(crate) const SQLITE: Dialect = Dialect {
    int: "INTEGER",
    text: "TEXT",
    bytes: "BLOB",
    counted_key: "INTEGER PRIMARY KEY AUTOINCREMENT",
    table_end: " STRICT",
    append_only: [
        &[
            "CREATE TRIGGER journal_not_changed BEFORE UPDATE ON journal
             BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
            "CREATE TRIGGER journal_not_removed BEFORE DELETE ON journal
             BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
        ],
        // A record may go once it is in an archive.
        &[
            "DROP TRIGGER journal_not_removed",
            "CREATE TRIGGER journal_not_removed BEFORE DELETE ON journal
             WHEN NOT EXISTS (SELECT 1 FROM archives WHERE deployment = OLD.deployment AND head >= OLD.seq)
             BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END",
            "CREATE TRIGGER archives_not_changed BEFORE UPDATE ON archives
             BEGIN SELECT RAISE(ABORT, 'the archives are append-only'); END",
            "CREATE TRIGGER archives_not_removed BEFORE DELETE ON archives
             BEGIN SELECT RAISE(ABORT, 'the archives are append-only'); END",
        ],
    ],
};

/// PostgreSQL's words.
pub(crate) const POSTGRES: Dialect = Dialect {
    int: "BIGINT",
    text: "TEXT COLLATE \"C\"",
    bytes: "BYTEA",
    counted_key: "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    table_end: "",
    append_only: [
        &[
            "CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$",
            "CREATE TRIGGER journal_not_changed BEFORE UPDATE OR DELETE ON journal
             FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
            "CREATE TRIGGER journal_not_emptied BEFORE TRUNCATE ON journal
             FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()",
        ],
        // A record may go once it is in an archive.
        &[
            "CREATE FUNCTION journal_goes_to_archives() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN
               IF EXISTS (SELECT 1 FROM archives WHERE deployment = OLD.deployment AND head >= OLD.seq) THEN RETURN OLD; END IF;
               RAISE EXCEPTION 'the journal is append-only';
             END $$",
            "DROP TRIGGER journal_not_changed ON journal",
            "CREATE TRIGGER journal_not_changed BEFORE UPDATE ON journal
             FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
            "CREATE TRIGGER journal_not_removed BEFORE DELETE ON journal
             FOR EACH ROW EXECUTE FUNCTION journal_goes_to_archives()",
            "CREATE TRIGGER archives_not_changed BEFORE UPDATE OR DELETE ON archives
             FOR EACH ROW EXECUTE FUNCTION journal_is_append_only()",
            "CREATE TRIGGER archives_not_emptied BEFORE TRUNCATE ON archives
             FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()",
        ],
    ],
};

impl Dialect {
    /// Returns a statement of the schema in this dialect.
    pub(crate) fn write(&self, statement: &str) -> String {
        statement
            .replace("{int}", self.int)
            .replace("{text}", self.text)
            .replace("{bytes}", self.bytes)
            .replace("{counted-key}", self.counted_key)
            .replace("{end}", self.table_end)
    }
}
