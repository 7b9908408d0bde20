//! Who may serve now. Built by the scope whenever something changes, replaced as a whole, read by every request without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::{HeaderMap, HeaderValue};
use tokio::sync::Semaphore;

use crate::counters::Counters;
use crate::limits::{MIRROR_IN_FLIGHT_MAX, PICK_ATTEMPTS_MAX};
use crate::protocol::Side;
use crate::route::choice::Rules;
use crate::route::upstream::{Lease, Upstream};

/// Everything that the requests of one service need. Lives as long as the service, over all its tables.
#[derive(Debug)]
pub(crate) struct PublicRoute {
    table: ArcSwap<Table>,
    turns: AtomicU64,
    mirror_turns: AtomicU64,
    unserved: AtomicU64,
    pub(crate) mirrors: Arc<Semaphore>,
    pub(crate) response_head_timeout: Duration,
}

/// One reading of who may serve.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// Absent: nobody is served.
    pub(crate) rules: Option<Rules>,
    pub(crate) stable: Option<Arc<SideRoute>>,
    pub(crate) candidate: Option<Arc<SideRoute>>,
}

/// The ready instances of a side.
#[derive(Debug)]
pub(crate) struct SideRoute {
    /// For `x-towpath-release`.
    pub(crate) release: HeaderValue,
    pub(crate) counters: Arc<Counters>,
    pub(crate) ready: Vec<Arc<Upstream>>,
    turns: AtomicUsize,
}

/// Who serves a request.
#[derive(Debug)]
pub(crate) struct Picked {
    pub(crate) lease: Lease,
    pub(crate) route: Arc<SideRoute>,
    /// Where a copy goes, when one is wanted.
    pub(crate) mirror: Option<Arc<SideRoute>>,
    pub(crate) release_header: bool,
}

impl PublicRoute {
    pub(crate) fn new(response_head_timeout: Duration) -> Self {
        Self {
            table: ArcSwap::default(),
            turns: AtomicU64::new(0),
            mirror_turns: AtomicU64::new(0),
            unserved: AtomicU64::new(0),
            mirrors: Arc::new(Semaphore::new(MIRROR_IN_FLIGHT_MAX)),
            response_head_timeout,
        }
    }

    /// Replaces the table. Requests that are on their way keep what they picked.
    pub(crate) fn publish(&self, table: Table) {
        self.table.store(Arc::new(table));
    }

    /// Returns the table in force.
    #[cfg(test)]
    pub(crate) fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// Returns how many requests nobody could serve.
    pub(crate) fn unserved(&self) -> u64 {
        self.unserved.load(Relaxed)
    }

    /// Returns who serves a request, or `None` when nobody can.
    pub(crate) fn pick(&self, headers: &HeaderMap) -> Option<Picked> {
        let turn = self.turns.fetch_add(1, Relaxed);
        // More than once only while instances are taken out between the reading of a table and the lease.
        for _ in 0..PICK_ATTEMPTS_MAX {
            let table = self.table.load();
            let Some(rules) = &table.rules else { break };
            if table.nobody_ready() {
                break;
            }
            if let Some(picked) = self.pick_from(&table, rules, headers, turn) {
                return Some(picked);
            }
        }
        self.unserved.fetch_add(1, Relaxed);
        None
    }

    fn pick_from(&self, table: &Table, rules: &Rules, headers: &HeaderMap, turn: u64) -> Option<Picked> {
        let meant = rules.side(headers, turn);
        let picked = |side: Side| table.side(side).and_then(|route| route.lease(None).map(|lease| (side, route, lease)));
        let other = meant.other();
        let (side, route, lease) = picked(meant).or_else(|| picked(other).filter(|_| rules.may_stand_in(other)))?;
        if side != meant
            && let Some(missed) = table.side(meant)
        {
            missed.counters.record_spill();
        }
        let mirror = (side == Side::Stable && rules.traffic.mirror_basis_points > 0)
            .then(|| self.mirror_turns.fetch_add(1, Relaxed))
            .filter(|turn| rules.mirrors(*turn))
            .and_then(|_| table.candidate.clone());
        Some(Picked { lease, route: route.clone(), mirror, release_header: rules.traffic.release_header })
    }
}

impl Table {
    fn side(&self, side: Side) -> Option<&Arc<SideRoute>> {
        match side {
            Side::Stable => self.stable.as_ref(),
            Side::Candidate => self.candidate.as_ref(),
        }
    }

    fn nobody_ready(&self) -> bool {
        [&self.stable, &self.candidate].into_iter().flatten().all(|route| route.ready.is_empty())
    }
}

impl SideRoute {
    pub(crate) fn new(release: &str, counters: Arc<Counters>, ready: Vec<Arc<Upstream>>) -> Self {
        // A release's name was checked to be made of visible characters.
        let release = HeaderValue::from_str(release).unwrap_or(HeaderValue::from_static(""));
        Self { release, counters, ready, turns: AtomicUsize::new(0) }
    }

    /// Returns a lease on the instance with the fewest requests on their way, in turns where that is equal. `except` is passed over.
    pub(crate) fn lease(&self, except: Option<&Arc<Upstream>>) -> Option<Lease> {
        let count = self.ready.len();
        let first = self.turns.fetch_add(1, Relaxed);
        let in_turn = (0..count).map(|n| &self.ready[first.wrapping_add(n) % count]);
        let others = in_turn.filter(|upstream| except.is_none_or(|e| !Arc::ptr_eq(e, upstream)));
        others.min_by_key(|upstream| upstream.in_flight()).and_then(Upstream::lease)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::protocol::Traffic;

    fn side(release: &str, ports: &[u16]) -> Arc<SideRoute> {
        let ready = ports.iter().map(|port| Arc::new(Upstream::new(SocketAddr::from(([127, 0, 0, 1], *port))))).collect();
        Arc::new(SideRoute::new(release, Arc::new(Counters::new(0)), ready))
    }

    fn route(weight: u16, stable: &[u16], candidate: &[u16]) -> PublicRoute {
        let traffic = Traffic {
            candidate_basis_points: weight,
            matches: vec![],
            mirror_basis_points: 0,
            sticky: None,
            release_header: false,
        };
        let route = PublicRoute::new(Duration::from_secs(1));
        let (stable, candidate) = (Some(side("v1", stable)), Some(side("v2", candidate)));
        route.publish(Table { rules: Some(Rules::new(&traffic)), stable, candidate });
        route
    }

    /// Picks once and returns the release, or "nobody".
    fn pick(route: &PublicRoute) -> String {
        let picked = route.pick(&HeaderMap::new());
        picked.map_or_else(|| "nobody".to_owned(), |p| p.route.release.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_side_without_ready_instances_spills_to_the_other() {
        let to_stable = route(10_000, &[1], &[]);
        assert_eq!(pick(&to_stable), "v1");
        assert_eq!(to_stable.table().candidate.as_ref().unwrap().counters.snapshot("v2").spilled, 1);
        assert_eq!(pick(&route(1, &[], &[2])), "v2");
        assert_eq!(pick(&route(5000, &[], &[])), "nobody");
    }

    #[test]
    fn a_candidate_without_a_share_does_not_stand_in() {
        let route = route(0, &[], &[2]);
        assert_eq!(pick(&route), "nobody");
        assert_eq!(route.unserved(), 1);
    }

    #[test]
    fn requests_go_where_the_fewest_are_and_take_turns() {
        let route = route(0, &[1, 2, 3], &[]);
        let held: Vec<Picked> = (0..9).filter_map(|_| route.pick(&HeaderMap::new())).collect();
        let table = route.table();
        let in_flight: Vec<usize> = table.stable.as_ref().unwrap().ready.iter().map(|u| u.in_flight()).collect();
        assert_eq!((held.len(), in_flight), (9, vec![3, 3, 3]));
    }
}
