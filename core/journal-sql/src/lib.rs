//! The SQL store: one body for SQLite and, later, PostgreSQL.
