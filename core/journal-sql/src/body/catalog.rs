//! Documents beside the journal.

use journal::{CatalogEntry, StoreError};
use model::Timestamp;

use crate::executor::{Executor, Row, Value};

pub(crate) async fn put(
    db: &impl Executor,
    kind: &str,
    key: &str,
    document: &str,
    expected: Option<u64>,
    at: Timestamp,
) -> Result<u64, StoreError> {
    let found = get(db, kind, key).await?.map_or(0, |entry| entry.revision);
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        return Err(StoreError::RevisionMoved { kind: kind.to_owned(), key: key.to_owned(), expected, found });
    }
    let sql = "INSERT INTO catalog (kind, name, document, revision, written_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document, revision = excluded.revision, \
               written_at = excluded.written_at";
    let values: [Value; 5] = [kind.into(), key.into(), document.into(), (found + 1).into(), at.0.into()];
    db.execute(sql, &values).await?;
    Ok(found + 1)
}

pub(crate) async fn get(db: &impl Executor, kind: &str, key: &str) -> Result<Option<CatalogEntry>, StoreError> {
    let sql = "SELECT name, document, revision, written_at FROM catalog WHERE kind = $1 AND name = $2";
    db.query(sql, &[kind.into(), key.into()]).await?.first().map(entry).transpose()
}

pub(crate) async fn list(db: &impl Executor, kind: &str, prefix: &str) -> Result<Vec<CatalogEntry>, StoreError> {
    let sql = "SELECT name, document, revision, written_at FROM catalog \
               WHERE kind = $1 AND substr(name, 1, $2) = $3 ORDER BY name";
    let length = prefix.chars().count() as u64;
    let found = db.query(sql, &[kind.into(), length.into(), prefix.into()]).await?;
    found.iter().map(entry).collect()
}

pub(crate) async fn remove(db: &impl Executor, kind: &str, key: &str) -> Result<bool, StoreError> {
    let touched = db.execute("DELETE FROM catalog WHERE kind = $1 AND name = $2", &[kind.into(), key.into()]).await?;
    Ok(touched > 0)
}

fn entry(row: &Row) -> Result<CatalogEntry, StoreError> {
    Ok(CatalogEntry {
        key: row.text(0)?.to_owned(),
        document: row.text(1)?.to_owned(),
        revision: row.count(2)?,
        written_at: Timestamp(row.int(3)?),
    })
}
