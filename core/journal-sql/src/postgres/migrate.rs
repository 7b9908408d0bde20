//! The schema in PostgreSQL: its own namespace, brought to the newest version by one server at a time.

use journal::StoreError;

use super::session::Session;
use crate::body::schema;
use crate::dialect::POSTGRES;
use crate::executor::Executor;

/// The advisory lock of those who migrate ("TOWM"). It ends with the transaction.
const LOCK: i64 = 0x544f_574d;

/// Brings the database to the newest version, all or nothing; refuses one that is newer than this program.
pub(super) async fn migrate(db: &Session) -> Result<(), StoreError> {
    if version(db).await? == schema::VERSION {
        return Ok(());
    }
    db.run(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")).await?;
    let migrated = under_lock(db).await;
    match migrated {
        Ok(()) => db.commit().await,
        Err(error) => {
            // The first error is the one to tell; an open transaction ends with its session at the latest.
            let _ = db.run("ROLLBACK").await;
            Err(error)
        }
    }
}

/// Refuses a database that a server has to bring up before it can be read.
pub(super) async fn check_newest(db: &Session) -> Result<(), StoreError> {
    match version(db).await? {
        0 => Err(StoreError::Unfit("there is no journal in it".to_owned())),
        schema::VERSION => Ok(()),
        version => {
            let newest = schema::VERSION;
            let found = format!("it has schema version {version}, this program reads {newest}");
            Err(StoreError::Failed(format!("{found}: start a server on it, which brings it up")))
        }
    }
}

async fn under_lock(db: &Session) -> Result<(), StoreError> {
    // Asked again: another server may have been faster.
    let from = version(db).await?;
    if from == 0 {
        db.run("CREATE SCHEMA towpath; CREATE TABLE schema_version (version BIGINT NOT NULL)").await?;
        db.run("INSERT INTO schema_version VALUES (0)").await?;
    }
    for statement in schema::statements(&POSTGRES, from) {
        db.run(&statement).await?;
    }
    db.run(&format!("UPDATE schema_version SET version = {}", schema::VERSION)).await
}

/// Returns the version of the database, 0 for one without our tables.
async fn version(db: &Session) -> Result<usize, StoreError> {
    let exists = db.query("SELECT count(*) FROM pg_tables WHERE schemaname = 'towpath' AND tablename = 'schema_version'", &[]);
    if exists.await?.first().is_none_or(|row| row.int(0).is_ok_and(|tables| tables == 0)) {
        return Ok(0);
    }
    let found = db.query("SELECT version FROM schema_version", &[]).await?;
    let found = found.first().map_or(Ok(0), |row| row.count(0))?;
    let version = usize::try_from(found).unwrap_or(usize::MAX);
    if version > schema::VERSION {
        let [found, known] = [found, schema::VERSION as u64].map(|version| u32::try_from(version).unwrap_or(u32::MAX));
        return Err(StoreError::NewerVersion { found, known });
    }
    Ok(version)
}
