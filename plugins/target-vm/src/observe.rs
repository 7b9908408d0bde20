//! From what was seen to the contract's observation.

use std::collections::BTreeSet;

use towpath_sdk::Side;
use towpath_sdk::target::{Call, Observation, SideObservation};

use crate::balancer::{Order, Seen};
use crate::fleet::{Fleet, server};
use crate::leave;
use crate::memory::Memory;
use crate::report::{Filled, Unit};
use crate::settings::{Host, Settings};
use crate::weights::basis_points_of;

/// How many differences are told.
const DRIFT_MAX: usize = 50;

/// By how many requests it is known how a balancer divides them: its turns are over many times by then.
const REQUESTS_MIN: u64 = 2_000;

/// How far from its weights a balancer's counts may be, in basis points: as much as the least share that can be asked for.
const COUNTED_BASIS_POINTS_MAX: u16 = 100;

/// Returns what runs, as it was seen, and what is remembered to have failed.
pub(crate) fn observation(call: &Call<Settings>, hosts: &[&Host], fleet: &Fleet, memory: Option<&Memory>) -> Observation {
    let mut drift = drift(hosts, fleet);
    // Callers who are kept on their side are not divided by weights.
    if call.settings.balancer.as_ref().is_some_and(|balancer| balancer.cookie().is_none()) {
        drift.extend(fleet.balancers.iter().filter_map(|(host, seen)| miscounted(host, fleet, seen)));
    }
    let failed = memory.into_iter().flat_map(|memory| &memory.failed);
    drift.extend(failed.map(|(what, why)| format!("{what} is left out, it failed: {why}")));
    drift.truncate(DRIFT_MAX);
    Observation {
        sides: [Side::Stable, Side::Candidate].into_iter().filter_map(|which| side(which, hosts, fleet)).collect(),
        candidate_basis_points: share(fleet),
        public_endpoint: call.settings.public_endpoint.clone(),
        highest_fence: fleet.highest_fence(),
        drift,
        state: memory.and_then(Memory::to_bytes),
    }
}

fn side(which: Side, hosts: &[&Host], fleet: &Fleet) -> Option<SideObservation> {
    let here = slots(hosts, fleet).filter(|(_, filled)| filled.side == which.as_str());
    let here: Vec<_> = here.collect();
    let (_, first) = here.first()?;
    // Where hosts differ, only those count that run what most of them may agree on: the others are drift, and not ready.
    let alike = |filled: &Filled| filled.identity == first.identity;
    let ready: Vec<_> = here.iter().filter(|(_, filled)| alike(filled) && filled.ready).collect();
    Some(SideObservation {
        side: which,
        release: first.identity.release.clone(),
        artifact_digest: format!("sha256:{}", first.identity.digest),
        ready: u32::try_from(ready.len()).unwrap_or(u32::MAX),
        wanted: u32::try_from(here.len()).unwrap_or(u32::MAX),
        endpoint: ready.first().map(|(host, filled)| format!("{}:{}", host.address, filled.port)),
    })
}

/// Returns the candidate's share. The weights are whole numbers: where they are those that were ordered, the share is the one that was.
pub(crate) fn share(fleet: &Fleet) -> u16 {
    let shares = fleet.balancers.iter().map(|(_, seen)| match &seen.order {
        Some(order) if is_in_force(seen, order) => order.share,
        Some(_) | None => {
            let side = |which: &str| names(fleet, which);
            let (stable, candidate) = (side("stable"), side("candidate"));
            basis_points_of(
                seen.weight_of(stable.iter().map(String::as_str)),
                seen.weight_of(candidate.iter().map(String::as_str)),
            )
        }
    });
    shares.max().unwrap_or(0)
}

/// Returns whether each server has the weight that was ordered.
fn is_in_force(seen: &Seen, order: &Order) -> bool {
    order.servers.iter().all(|(name, (weight, _))| match seen.servers.get(name) {
        Some(server) if *weight > 0 => server.open && server.weight == *weight,
        Some(server) => !server.open,
        None => *weight == 0,
    })
}

fn names(fleet: &Fleet, side: &str) -> Vec<String> {
    let of = |(host, report): (&String, &crate::report::Report)| {
        let slots = report.slots.iter().filter(|filled| filled.side == side);
        slots.map(|filled| server(host, filled.slot)).collect::<Vec<_>>()
    };
    fleet.hosts.iter().flat_map(of).collect()
}

fn slots<'a>(hosts: &'a [&'a Host], fleet: &'a Fleet) -> impl Iterator<Item = (&'a Host, &'a Filled)> {
    let of = |host: &&'a Host| fleet.hosts.get(&host.name).map(|report| (*host, &report.slots));
    hosts.iter().filter_map(of).flat_map(|(host, slots)| slots.iter().map(move |filled| (host, filled)))
}

/// Returns what nobody ordered, a sentence each.
fn drift(hosts: &[&Host], fleet: &Fleet) -> Vec<String> {
    let mut drift: Vec<_> = fleet.out.iter().map(|(host, why)| format!("{host} is out of reach: {why}")).collect();
    for (host, filled) in slots(hosts, fleet) {
        let what = format!("{} in slot {} of {}", filled.identity.release, filled.slot.as_str(), host.name);
        match (filled.unit, filled.ready) {
            (Unit::Absent, _) => drift.push(format!("{what} is not known to its supervisor")),
            (Unit::Down, _) => drift.push(format!("{what} does not run")),
            (Unit::Up, false) => drift.push(format!("{what} is not ready")),
            (Unit::Up, true) => {}
        }
        if !filled.untouched {
            drift.push(format!("unit, environment or configuration of {what} were edited"));
        }
    }
    for (host, report) in &fleet.hosts {
        let edited = report.releases.iter().filter(|stored| !stored.whole && report.uses(&stored.digest));
        drift.extend(edited.map(|stored| format!("files of the release sha256:{} were edited on {host}", stored.digest)));
    }
    for which in ["stable", "candidate"] {
        let of_side = slots(hosts, fleet).filter(|(_, filled)| filled.side == which).map(|(_, filled)| &filled.identity.release);
        let releases: BTreeSet<_> = of_side.collect();
        if releases.len() > 1 {
            drift.push(format!("hosts have different releases as their {which} side: {releases:?}"));
        }
    }
    for (host, seen) in &fleet.balancers {
        drift.extend(seen.order.iter().flat_map(|order| weights(host, seen, order)));
        let left = leave::left(hosts, seen).map(|(name, server)| {
            format!("{name} is still known to {host} with {} requests on their way, and its host is no longer among the settings' hosts", server.sessions)
        });
        drift.extend(left);
    }
    drift
}

/// Returns that a balancer has the weights that were ordered and divides the requests otherwise, by what it counts. Where a server is down, the
/// others have its part; of a host that is out of reach it is not known on which side it is.
fn miscounted(balancer: &str, fleet: &Fleet, seen: &Seen) -> Option<String> {
    let order = seen.order.as_ref().filter(|_| fleet.out.is_empty())?;
    let answers =
        |(name, (weight, _)): (&String, &(u32, String))| *weight == 0 || seen.servers.get(name).is_some_and(|server| server.up);
    let all: u64 = seen.given.values().sum();
    if all < REQUESTS_MIN || !is_in_force(seen, order) || !order.servers.iter().all(answers) {
        return None;
    }
    let candidates = names(fleet, "candidate");
    let given = candidates.iter().filter_map(|name| seen.given.get(name)).sum();
    let weighted = seen.weight_of(candidates.iter().map(String::as_str));
    let others = seen.weight_of(order.servers.keys().map(String::as_str)).checked_sub(weighted)?;
    let ordered = basis_points_of(others, weighted);
    let counted = basis_points_of(all - given, given);
    (counted.abs_diff(ordered) > COUNTED_BASIS_POINTS_MAX).then(|| {
        format!("{balancer} gave the candidate {counted} basis points of {all} requests, its weights are {ordered}: something else chooses")
    })
}

fn weights(balancer: &str, seen: &Seen, order: &Order) -> Vec<String> {
    let one = |(name, (weight, _)): (&String, &(u32, String))| {
        let (found, up) = match seen.servers.get(name) {
            Some(server) => (if server.open { server.weight } else { 0 }, server.up),
            None => (0, false),
        };
        match (found == *weight, *weight > 0 && !up) {
            (false, _) => Some(format!("{name} has weight {found} on {balancer}, {weight} was ordered")),
            (true, true) => Some(format!("{balancer} does not see {name} up")),
            (true, false) => None,
        }
    };
    let routes = seen.routed.is_due.then(|| format!("the routes on {balancer} are not those that were ordered"));
    order.servers.iter().filter_map(one).chain(routes).collect()
}
