//! Leases with epochs that only grow.

use journal::{Lease, Owner, Shard, StoreError};
use model::{Millis, Timestamp};

use crate::executor::{Executor, Value};

pub(crate) async fn acquire(
    db: &impl Executor,
    shard: Shard,
    owner: &Owner,
    ttl: Millis,
    now: Timestamp,
) -> Result<Option<Lease>, StoreError> {
    let sql = "SELECT owner, epoch, expires_at FROM leases WHERE shard = $1";
    let found = db.query(sql, &[i64::from(shard.0).into()]).await?;
    let epoch = match found.first() {
        None => 1,
        Some(row) if row.text(0)? != owner.0 && row.int(2)? > now.0 => return Ok(None),
        Some(row) => row.count(1)? + 1,
    };
    let expires_at = now + ttl;
    let sql = "INSERT INTO leases (shard, owner, epoch, expires_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (shard) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at";
    let values: [Value; 4] = [i64::from(shard.0).into(), owner.0.as_str().into(), epoch.into(), expires_at.0.into()];
    db.execute(sql, &values).await?;
    Ok(Some(Lease { shard, owner: owner.clone(), epoch, expires_at }))
}

pub(crate) async fn renew(db: &impl Executor, lease: &Lease, ttl: Millis, now: Timestamp) -> Result<Option<Lease>, StoreError> {
    let expires_at = now + ttl;
    let sql = "UPDATE leases SET expires_at = $1 WHERE shard = $2 AND owner = $3 AND epoch = $4 AND expires_at > $5";
    let values =
        [expires_at.0.into(), i64::from(lease.shard.0).into(), lease.owner.0.as_str().into(), lease.epoch.into(), now.0.into()];
    let touched = db.execute(sql, &values).await?;
    Ok((touched == 1).then(|| Lease { expires_at, ..lease.clone() }))
}

pub(crate) async fn release(db: &impl Executor, lease: &Lease, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE leases SET expires_at = $1 WHERE shard = $2 AND owner = $3 AND epoch = $4";
    let values = [now.0.into(), i64::from(lease.shard.0).into(), lease.owner.0.as_str().into(), lease.epoch.into()];
    db.execute(sql, &values).await.map(|_| ())
}
