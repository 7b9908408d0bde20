//! Keeps the right to write: takes shards, renews their leases, gives back what is another's share, and ends everything in a shard
//! that was lost.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use journal::{Lease, Leases, Owner, Shard};
use model::Millis;
use tokio::time::Instant;

use crate::hold::Hold;
use crate::shared::Shared;
use crate::tenure::Tenure;
use crate::{EngineError, limits, shard, start};

/// How often something that was not got is asked for.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Behind this instant another's lease has run out, whatever the clocks round.
const RUN_OUT: Duration = Duration::from_millis(10);

/// The one task that begins tenures, renews their leases and clears away those that are over.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    renew_at: Instant,
    look_at: Instant,
    hold: Hold,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let now = Instant::now();
        Self { shared, renew_at: now, look_at: now, hold: Hold::new("asking for leases") }
    }

    /// Takes the first shards. Where nobody else uses the store these are all; another owner's leases are waited for, but no longer
    /// than two of their lifetimes.
    pub(crate) async fn first(&mut self) -> Result<Vec<Arc<Tenure>>, EngineError> {
        let give_up = Instant::now() + lifetime(self.shared.lease_ttl) * 2;
        let mut begun = Vec::new();
        loop {
            self.renew().await;
            begun.extend(self.take().await?);
            if self.shared.replicated || begun.len() == shard::all().count() {
                return Ok(begun);
            }
            if Instant::now() >= give_up {
                return Err(EngineError::NotOwner);
            }
            tokio::time::sleep(ASK_AGAIN).await;
            self.look_at = Instant::now();
        }
    }

    /// Keeps on, for ever.
    pub(crate) async fn keep(mut self) -> Infallible {
        loop {
            self.clear_away().await;
            self.renew().await;
            match self.take().await {
                Ok(begun) if begun.is_empty() => self.hold.over(),
                Ok(begun) => {
                    self.hold.over();
                    let shared = Arc::clone(&self.shared);
                    self.shared.tasks.spawn(async move { start::take_care(&shared, begun, None).await });
                }
                Err(error) => {
                    if let EngineError::Store(error) = &error {
                        self.shared.note(error);
                    }
                    self.look_at = self.hold.failed(&error);
                }
            }
            let next = self.renew_at.min(self.look_at);
            // Whether a tenure ended or it is time: everything is looked at.
            let _ = tokio::time::timeout_at(next, self.shared.keeper.notified()).await;
        }
    }

    /// Ends everybody who worked under a tenure that is over. Only then may the shard be got again.
    async fn clear_away(&mut self) {
        let over: Vec<_> = self.shared.tenures().values().filter(|tenure| tenure.is_lost()).cloned().collect();
        for tenure in over {
            // In this order: nobody enters the roster any more, so nobody joins the crew behind the last who is stopped.
            self.shared.roster.clear(tenure.shard());
            tenure.crew.stop().await;
            self.shared.tenures().remove(&tenure.shard());
            self.look_at = Instant::now();
        }
    }

    async fn renew(&mut self) {
        let held: Vec<_> = self.shared.tenures().values().filter(|tenure| !tenure.is_over()).cloned().collect();
        if held.is_empty() {
            self.renew_at = Instant::now() + self.pace();
        }
        if Instant::now() < self.renew_at {
            return;
        }
        let leases: Vec<Lease> = held.iter().map(|tenure| tenure.lease.clone()).collect();
        let asked_at = Instant::now();
        // A store that does not answer must not keep anybody believing: calls in flight end when the trust does.
        let deadline = held.iter().filter_map(|tenure| tenure.trusted_until()).min().unwrap_or(asked_at);
        let renewed = tokio::time::timeout_at(deadline, self.shared.store.renew(&leases, self.shared.lease_ttl)).await;
        self.renew_at = asked_at + self.pace();
        match renewed {
            Ok(Ok(kept)) => {
                let kept: BTreeSet<Shard> = kept.iter().map(|lease| lease.shard).collect();
                for tenure in held {
                    if kept.contains(&tenure.shard()) {
                        tenure.extend(trusted_until(&self.shared, asked_at));
                    } else {
                        tracing::warn!(shard = tenure.shard().0, "the lease was lost");
                        tenure.end();
                    }
                }
                return;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the leases could not be renewed");
                self.shared.note(&error);
            }
            Err(_) => tracing::warn!("the store did not renew the leases in time"),
        }
        self.renew_at = Instant::now() + ASK_AGAIN.min(self.pace());
        held.iter().filter(|tenure| !tenure.may_write()).for_each(|tenure| tenure.end());
    }

    /// Takes shards that nobody has, as many as are ours to take, and gives back those that are too many. Returns what was begun.
    async fn take(&mut self) -> Result<Vec<Arc<Tenure>>, EngineError> {
        if Instant::now() < self.look_at {
            return Ok(Vec::new());
        }
        self.look_at = Instant::now() + self.pace();
        if !self.shared.replicated {
            let missing: Vec<_> = shard::all().filter(|shard| !self.has(*shard)).collect();
            return self.begin(&missing).await;
        }
        let found = self.in_time(self.shared.store.leases()).await?;
        let seat = self.sit_down(&found).await?;
        let share = shard::share(replicas(&found, &self.shared.owner).len());
        let ours: Vec<_> =
            self.shared.tenures().values().filter(|t| !t.is_over() && !shard::is_seat(t.shard())).cloned().collect();
        for tenure in ours.iter().skip(share) {
            self.give_back(tenure);
        }
        let others: BTreeSet<Shard> =
            found.held.iter().filter(|lease| lease.owner != self.shared.owner).map(|lease| lease.shard).collect();
        self.look_before(&found);
        // Each begins to look elsewhere, so that replicas that start together do not run after the same shards.
        let first = seat * share % shard::all().count();
        let free = shard::all().cycle().skip(first).take(shard::all().count());
        let free = free.filter(|shard| !others.contains(shard) && !self.has(*shard));
        let wanted: Vec<_> = free.take(share.saturating_sub(ours.len())).collect();
        self.begin(&wanted).await
    }

    /// Looks again as soon as another's lease may have run out.
    fn look_before(&mut self, found: &Leases) {
        let others = found.held.iter().filter(|lease| lease.owner != self.shared.owner);
        if let Some(first) = others.map(|lease| lease.expires_at).min() {
            let left = Duration::from_millis(first.since(found.now).0) + RUN_OUT;
            self.look_at = self.look_at.min(Instant::now() + left.max(ASK_AGAIN));
        }
    }

    /// Takes a seat, if this replica has none: others count the seats. Returns its number.
    async fn sit_down(&mut self, found: &Leases) -> Result<usize, EngineError> {
        let ours = |shard: &Shard| self.has(*shard);
        if let Some(seat) = shard::seats().position(|seat| ours(&seat)) {
            return Ok(seat);
        }
        let taken: BTreeSet<Shard> = found.held.iter().map(|lease| lease.shard).collect();
        let Some((number, seat)) = shard::seats().enumerate().find(|(_, seat)| !taken.contains(seat)) else {
            let limit = shard::seats().count();
            return Err(EngineError::TooMany { what: "servers on one journal", found: limit + 1, limit });
        };
        // Another may have been faster; then the next look finds another seat.
        self.begin(&[seat]).await?.iter().for_each(|tenure| tenure.serve());
        Ok(number)
    }

    /// Gets the leases and begins their tenures.
    async fn begin(&mut self, wanted: &[Shard]) -> Result<Vec<Arc<Tenure>>, EngineError> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let asked_at = Instant::now();
        let granted = self.in_time(self.shared.store.acquire(wanted, &self.shared.owner, self.shared.lease_ttl)).await?;
        if granted.len() < wanted.len() {
            self.look_at = self.look_at.min(Instant::now() + ASK_AGAIN);
        }
        let until = trusted_until(&self.shared, asked_at);
        let begun: Vec<_> =
            granted.into_iter().map(|lease| Arc::new(Tenure::new(lease, until, Arc::clone(&self.shared.keeper)))).collect();
        self.shared.tenures().extend(begun.iter().map(|tenure| (tenure.shard(), Arc::clone(tenure))));
        self.renew_at = self.renew_at.min(asked_at + self.pace());
        tracing::info!(shards = begun.len(), "got leases");
        Ok(begun)
    }

    /// Gives a shard to whoever has too few: appends in flight end, calls in flight are let go, then the lease is released.
    fn give_back(&self, tenure: &Arc<Tenure>) {
        tracing::info!(shard = tenure.shard().0, "giving a shard to another server");
        tenure.give_back();
        let (shared, tenure) = (Arc::clone(&self.shared), Arc::clone(tenure));
        self.shared.tasks.spawn(async move {
            tenure.crew.finish(limits::STOP_PATIENCE).await;
            shared.roster.clear(tenure.shard());
            if let Err(error) = shared.store.release(std::slice::from_ref(&tenure.lease)).await {
                tracing::warn!(%error, "a lease could not be given back; it will run out");
            }
            shared.tenures().remove(&tenure.shard());
        });
    }

    fn has(&self, shard: Shard) -> bool {
        self.shared.tenures().contains_key(&shard)
    }

    /// Waits for the store no longer than renewals can wait.
    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, journal::StoreError>>) -> Result<T, EngineError> {
        match tokio::time::timeout(self.pace(), asked).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(journal::StoreError::Unreachable(format!("it did not answer within {:?}", self.pace())).into()),
        }
    }

    fn pace(&self) -> Duration {
        lifetime(self.shared.lease_ttl) / 3
    }
}

/// Returns who is there: whoever has a seat, and we.
fn replicas<'a>(found: &'a Leases, us: &'a Owner) -> BTreeSet<&'a str> {
    let seated = found.held.iter().filter(|lease| shard::is_seat(lease.shard)).map(|lease| lease.owner.0.as_str());
    seated.chain([us.0.as_str()]).collect()
}

/// The lease is trusted from when it was asked for, not from when the answer came: the answer may have taken long.
fn trusted_until(shared: &Shared, asked_at: Instant) -> Instant {
    let ttl = lifetime(shared.lease_ttl);
    asked_at + ttl.checked_sub(limits::LEASE_MARGIN).unwrap_or(ttl / 2)
}

fn lifetime(ttl: Millis) -> Duration {
    Duration::from_millis(ttl.0)
}
