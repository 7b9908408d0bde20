//! Leases with epochs that only grow.

use std::collections::BTreeMap;

use journal::{Lease, Leases, Owner, Shard, StoreError};
use model::{Millis, Timestamp};

use crate::executor::{Executor, Row};

pub(crate) async fn acquire(
    db: &impl Executor,
    shards: &[Shard],
    owner: &Owner,
    ttl: Millis,
    now: Timestamp,
) -> Result<Vec<Lease>, StoreError> {
    if shards.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = listed(shards.iter().map(|shard| shard.0.to_string()));
    let sql = format!("SELECT shard, owner, epoch, expires_at FROM leases WHERE shard IN ({wanted})");
    let found = db.query(&sql, &[]).await?.iter().map(lease).collect::<Result<Vec<_>, _>>()?;
    let found: BTreeMap<Shard, Lease> = found.into_iter().map(|lease| (lease.shard, lease)).collect();
    let expires_at = now + ttl;
    let free = shards.iter().filter(|shard| found.get(shard).is_none_or(|held| held.owner == *owner || held.expires_at <= now));
    let granted: Vec<Lease> = free
        .map(|shard| {
            let epoch = found.get(shard).map_or(0, |held| held.epoch) + 1;
            Lease { shard: *shard, owner: owner.clone(), epoch, expires_at }
        })
        .collect();
    if !granted.is_empty() {
        let rows = listed(granted.iter().map(|lease| format!("({}, $1, {}, $2)", lease.shard.0, lease.epoch)));
        let sql = format!(
            "INSERT INTO leases (shard, owner, epoch, expires_at) VALUES {rows} ON CONFLICT (shard) DO UPDATE \
             SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at"
        );
        db.execute(&sql, &[owner.0.as_str().into(), expires_at.0.into()]).await?;
    }
    Ok(granted)
}

pub(crate) async fn renew(db: &impl Executor, leases: &[Lease], ttl: Millis, now: Timestamp) -> Result<Vec<Lease>, StoreError> {
    let expires_at = now + ttl;
    let kept = extend(db, leases, expires_at, now).await?;
    let kept = leases.iter().filter(|lease| kept.contains(&lease.shard));
    Ok(kept.map(|lease| Lease { expires_at, ..lease.clone() }).collect())
}

pub(crate) async fn release(db: &impl Executor, leases: &[Lease], now: Timestamp) -> Result<(), StoreError> {
    extend(db, leases, now, now).await.map(|_| ())
}

pub(crate) async fn held(db: &impl Executor, now: Timestamp) -> Result<Leases, StoreError> {
    let sql = "SELECT shard, owner, epoch, expires_at FROM leases WHERE expires_at > $1 ORDER BY shard";
    let found = db.query(sql, &[now.0.into()]).await?;
    Ok(Leases { now, held: found.iter().map(lease).collect::<Result<_, _>>()? })
}

/// Sets until when those of one owner's leases last that have not run out, and returns their shards.
async fn extend(db: &impl Executor, leases: &[Lease], until: Timestamp, now: Timestamp) -> Result<Vec<Shard>, StoreError> {
    let Some(first) = leases.first() else { return Ok(Vec::new()) };
    let grants = listed(leases.iter().map(|lease| format!("({}, {})", lease.shard.0, lease.epoch)));
    let sql = format!(
        "UPDATE leases SET expires_at = $1 WHERE owner = $2 AND expires_at > $3 AND (shard, epoch) IN (VALUES {grants}) \
         RETURNING shard"
    );
    let found = db.query(&sql, &[until.0.into(), first.owner.0.as_str().into(), now.0.into()]).await?;
    found.iter().map(shard).collect()
}

/// Numbers of our own only: what comes from outside is never part of a statement.
fn listed(numbers: impl Iterator<Item = String>) -> String {
    numbers.collect::<Vec<_>>().join(", ")
}

fn shard(row: &Row) -> Result<Shard, StoreError> {
    let number = row.count(0)?;
    u16::try_from(number)
        .map(Shard)
        .map_err(|_| StoreError::Damaged(format!("a lease is on shard {number}, at most {}", u16::MAX)))
}

fn lease(row: &Row) -> Result<Lease, StoreError> {
    Ok(Lease {
        shard: shard(row)?,
        owner: Owner(row.text(1)?.to_owned()),
        epoch: row.count(2)?,
        expires_at: Timestamp(row.int(3)?),
    })
}
