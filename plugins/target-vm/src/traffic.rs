//! How the traffic is moved: who may have some, how much each server gets, and in which order.
//!
//! A server gets requests only when its program was seen ready. What is opened is seen to answer before anything else is closed. Where not all
//! is ready yet, the candidate keeps what it has at most, and the good side takes the rest as soon as half of it stands.

use std::collections::BTreeMap;

use towpath_sdk::Fault;

use crate::act::Act;
use crate::balancer::routes::Routes;
use crate::balancer::{Move, Order, Seen};
use crate::fleet::server;
use crate::leave;
use crate::memory::Memory;
use crate::plan::SidePlan;
use crate::report::{Report, Slot};
use crate::step::Scene;
use crate::weights::{basis_points_of, weights};

/// Of how many parts of a side one must stand before it is given all of the traffic on the way back: a whole fleet that waits for one host
/// that is down would leave everybody with the bad release.
const PARTS_READY: usize = 2;

/// What is next for the traffic.
#[derive(Default)]
pub(crate) struct Traffic {
    /// What the balancers are told.
    pub(crate) acts: Vec<Act>,
    /// What is waited for.
    pub(crate) waits: Option<String>,
}

/// Returns what is next for the traffic.
pub(crate) fn next(scene: &Scene<'_>, memory: &Memory) -> Result<Traffic, Fault> {
    let Some(balancer) = scene.balancer else { return Ok(Traffic::default()) };
    let mut traffic = Traffic::default();
    for (host, seen) in &scene.fleet.balancers {
        let goal = goal(scene, seen, memory)?;
        let (order, moves, waits) = match goal {
            Some(order) => {
                let (moves, waits) = moves(scene, seen, &order)?;
                let waits = waits.or_else(|| seen.routed.waits.clone());
                let order = (seen.order.as_ref() != Some(&order) || seen.routed.is_due).then_some(order);
                (order, moves, waits)
            }
            None => (None, vacated(scene, seen, memory), None),
        };
        if order.is_some() || !moves.is_empty() {
            let script = balancer.apply(scene.call.context.fence, seen, order.as_ref(), &moves);
            traffic.acts.push(Act { host: host.clone(), script, release: None });
        }
        traffic.waits = traffic.waits.or(waits);
    }
    Ok(traffic)
}

/// Returns the order that is due; none while nobody new can take the traffic.
fn goal(scene: &Scene<'_>, seen: &Seen, memory: &Memory) -> Result<Option<Order>, Fault> {
    let Some(share) = scene.plan.share else { return Ok(Some(order(scene, seen, &[], 0, Routes::default()))) };
    let ready = |side: &Option<SidePlan>| side.as_ref().map_or_else(Vec::new, |side| ready(scene, seen, side, memory));
    let (stable, candidates) = (ready(&scene.plan.stable), ready(&scene.plan.candidate));
    let (stable_wanted, stable_stands) = counted(scene, scene.plan.stable.as_ref(), memory);
    let (candidates_wanted, candidates_stand) = counted(scene, scene.plan.candidate.as_ref(), memory);
    let all = stable_stands == stable_wanted && candidates_stand == candidates_wanted;
    let share = match (all, &scene.plan.candidate) {
        (true, _) => share,
        (false, _) if stable_stands == 0 || stable_stands * PARTS_READY < stable_wanted => return Ok(None),
        (false, None) => 0,
        (false, Some(_)) if candidates.is_empty() => 0,
        (false, Some(_)) => share.min(basis_points_of(
            seen.weight_of(stable.iter().map(String::as_str)),
            seen.weight_of(candidates.iter().map(String::as_str)),
        )),
    };
    let nobody = stable.is_empty() && candidates.is_empty();
    // A candidate alone without a share is no more than ready.
    if nobody || (stable.is_empty() && share == 0) {
        return Ok(Some(order(scene, seen, &[], share, Routes::default())));
    }
    let count = |servers: &[String]| u32::try_from(servers.len()).unwrap_or(u32::MAX);
    let (of_stable, of_candidate) = weights(count(&stable), count(&candidates), share).map_err(Fault::permanent)?;
    let weighted = [(&stable, of_stable), (&candidates, of_candidate)];
    Ok(Some(order(scene, seen, &weighted, share, scene.plan.routes.over(&stable, &candidates))))
}

/// Returns on how many hosts within reach a side is wanted, and on how many of them it is ready.
fn counted<'a>(scene: &Scene<'a>, side: Option<&'a SidePlan>, memory: &Memory) -> (usize, usize) {
    let Some(side) = side else { return (0, 0) };
    let wanted = scene.active(side, memory);
    let stands = |(_, report): &&(_, &Report)| report.running(&side.identity).is_some_and(|filled| filled.ready);
    (wanted.len(), wanted.iter().filter(stands).count())
}

/// Returns the servers of a side that may be given requests: those whose programs are ready, and those of hosts out of reach that were given
/// the side's release and still answer the balancer.
fn ready(scene: &Scene<'_>, seen: &Seen, side: &SidePlan, memory: &Memory) -> Vec<String> {
    let mut names = Vec::new();
    for host in &scene.plan.hosts {
        match scene.fleet.hosts.get(&host.name) {
            Some(report) => {
                let wanted = side.hosts.contains(&host.name) && !memory.has_failed(&host.name, &side.identity.release);
                let running = report.running(&side.identity).filter(|filled| wanted && filled.ready);
                names.extend(running.map(|filled| server(&host.name, filled.slot)));
            }
            None => names.extend(Slot::ALL.into_iter().map(|slot| server(&host.name, slot)).filter(|name| {
                let ordered = seen.order.as_ref().and_then(|order| order.servers.get(name));
                let answers = seen.servers.get(name).is_some_and(|server| server.open && server.up);
                answers && ordered.is_some_and(|(_, release)| *release == side.identity.release)
            })),
        }
    }
    names
}

/// Returns an order in which these servers have these weights, and all others none. What has left stays in it until it is removed.
fn order(scene: &Scene<'_>, seen: &Seen, weighted: &[(&Vec<String>, u32)], share: u16, routes: Routes) -> Order {
    let mut servers = BTreeMap::new();
    for host in &scene.plan.hosts {
        for slot in Slot::ALL {
            let name = server(&host.name, slot);
            let weight = weighted.iter().find(|(names, _)| names.contains(&name)).map_or(0, |(_, weight)| *weight);
            let here =
                scene.fleet.hosts.get(&host.name).and_then(|report| report.slot(slot)).map(|filled| &filled.identity.release);
            let ordered = || scene.fleet.balancers.iter().find_map(|(_, seen)| seen.order.as_ref()?.servers.get(&name));
            let release = match (here, scene.fleet.hosts.contains_key(&host.name)) {
                (Some(release), _) => release.clone(),
                (None, true) => continue,
                (None, false) => match ordered() {
                    Some((_, release)) => release.clone(),
                    None => continue,
                },
            };
            servers.insert(name, (weight, release));
        }
    }
    servers.extend(leave::left(&scene.plan.hosts, seen).map(|(name, _)| (name.clone(), (0, leave::RELEASE.to_owned()))));
    Order { share, servers, routes }
}

/// Returns the moves toward an order, and what is waited for when there are none left to make.
fn moves(scene: &Scene<'_>, seen: &Seen, order: &Order) -> Result<(Vec<Move>, Option<String>), Fault> {
    let mut moves = Vec::new();
    let newcomers_are_checked = scene.balancer.is_some_and(|balancer| balancer.checks_newcomers());
    let (mut wanted, mut standing, mut down) = (0_usize, 0_usize, None);
    for (name, (weight, _)) in order.servers.iter().filter(|(_, (weight, _))| *weight > 0) {
        wanted += 1;
        let Some(found) = seen.servers.get(name) else {
            moves.push(Move::Add { server: name.clone(), address: address(scene, name)? });
            if newcomers_are_checked {
                continue;
            }
            moves.push(Move::Weigh { server: name.clone(), weight: *weight });
            moves.push(Move::Open { server: name.clone() });
            continue;
        };
        let answers = found.up && found.checked;
        // A newcomer's weight comes when it is seen to answer.
        if found.weight != *weight && (answers || !found.open || found.weight > 0) {
            moves.push(Move::Weigh { server: name.clone(), weight: *weight });
        }
        match (found.open, answers) {
            (false, _) => moves.push(Move::Open { server: name.clone() }),
            (true, true) => standing += 1,
            (true, false) => down = Some(name),
        }
    }
    // Who is given chosen requests or copies alone has no weight.
    for name in order.routes.servers().filter(|name| order.servers.get(*name).is_some_and(|(weight, _)| *weight == 0)) {
        match seen.servers.get(name) {
            None => moves.push(Move::Add { server: name.clone(), address: address(scene, name)? }),
            Some(found) if found.up && found.checked => {}
            Some(_) => down = Some(name),
        }
    }
    // All weights come before the first opening: a newcomer is never measured against weights of the past.
    moves.sort_by_key(|change| matches!(change, Move::Open { .. }));
    if standing * PARTS_READY >= wanted {
        let is_idle = |name: &String| order.servers.get(name).is_none_or(|(weight, _)| *weight == 0);
        let is_ours = |name: &String| is_ours(scene, name) || leave::is_left(scene, seen, name);
        let idle = seen.servers.iter().filter(|(name, server)| is_ours(name) && server.open && is_idle(name));
        moves.extend(idle.map(|(name, _)| Move::Close { server: name.clone() }));
    }
    let waits = down.filter(|_| moves.is_empty()).map(|name| format!("the balancer does not see {name} up yet"));
    Ok((moves, waits))
}

/// Takes the traffic from slots that are needed for something else, where another server has some.
fn vacated(scene: &Scene<'_>, seen: &Seen, memory: &Memory) -> Vec<Move> {
    let mut open: Vec<_> =
        seen.servers.iter().filter(|(_, server)| server.open && server.up).map(|(name, _)| name.clone()).collect();
    let mut moves = Vec::new();
    for host in &scene.plan.hosts {
        let Some(report) = scene.fleet.hosts.get(&host.name) else { continue };
        let lacks = scene.plan.of_host(&host.name).any(|side| report.running(&side.identity).is_none());
        let place = scene.place(&host.name, report, memory).filter(|slot| lacks && report.slot(*slot).is_some());
        let Some(name) = place.map(|slot| server(&host.name, slot)) else { continue };
        let is_open = seen.servers.get(&name).is_some_and(|server| server.open);
        if is_open && open.iter().any(|other| *other != name) {
            open.retain(|other| *other != name);
            moves.push(Move::Close { server: name });
        }
    }
    moves
}

/// Returns whether a server is one of the settings' hosts.
fn is_ours(scene: &Scene<'_>, name: &str) -> bool {
    scene.plan.hosts.iter().any(|host| Slot::ALL.into_iter().any(|slot| server(&host.name, slot) == name))
}

/// Returns where a server is that the balancer does not have.
fn address(scene: &Scene<'_>, name: &str) -> Result<String, Fault> {
    for host in &scene.plan.hosts {
        for filled in scene.fleet.hosts.get(&host.name).into_iter().flat_map(|report| &report.slots) {
            if server(&host.name, filled.slot) == name {
                return Ok(format!("{}:{}", host.address, filled.port));
            }
        }
    }
    Err(Fault::retryable(format!("the balancer has no server {name}, and its host is out of reach")))
}
