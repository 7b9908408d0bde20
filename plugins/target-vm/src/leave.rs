//! Servers of hosts that are no longer among the settings' hosts: the balancer forgets them, once nobody uses them.
//!
//! They are known by what was ordered: a server that the target never gave anything is somebody else's.

use crate::act::Act;
use crate::balancer::{Move, Seen, Server};
use crate::drain::Late;
use crate::fleet::server;
use crate::memory::Memory;
use crate::report::Slot;
use crate::settings::Host;
use crate::step::Scene;

/// What stands in an order in place of a release: what such a server serves is not known any more.
pub(crate) const RELEASE: &str = "-";

/// Returns whether a server is one of a host that left.
pub(crate) fn is_left(scene: &Scene<'_>, seen: &Seen, name: &str) -> bool {
    has_left(&scene.plan.hosts, seen, name)
}

/// Returns the servers of hosts that left and that the balancer still has.
pub(crate) fn left<'a>(hosts: &'a [&'a Host], seen: &'a Seen) -> impl Iterator<Item = (&'a String, &'a Server)> {
    seen.servers.iter().filter(move |(name, _)| has_left(hosts, seen, name))
}

/// Removes such servers that are closed, when nothing is on its way there. Waits for that as long as for any other drain; what is connected
/// even then is closed where a time for that was stated, and else the server stays as it is until the next movement.
pub(crate) fn next(scene: &Scene<'_>, memory: &mut Memory, acts: &mut Vec<Act>, waits: &mut Vec<String>) {
    let Some(balancer) = scene.balancer else { return };
    let patience = scene.patience();
    for (host, seen) in &scene.fleet.balancers {
        let mut moves = Vec::new();
        for (name, server) in left(&scene.plan.hosts, seen) {
            let waited_ms = memory.waited_ms(host, name, scene.call.context.now_ms);
            if waited_ms > patience.all_ms() {
                match scene.late(host, seen, name, patience, memory) {
                    Late::Closed(act) => {
                        acts.push(act);
                        continue;
                    }
                    Late::Closing => {}
                    Late::Over => continue,
                }
            }
            match (server.open, server.sessions) {
                (true, _) => waits.push(format!("{name} has left and still has traffic")),
                (false, 0) if memory.asks(host, name) => moves.push(Move::Remove { server: name.clone() }),
                (false, 0) => waits.push(format!("{name} has left, and {host} still has connections to it")),
                (false, sessions) => {
                    let why = patience.wait(name, sessions, waited_ms);
                    let why = why.unwrap_or_else(|| format!("{sessions} connections in {name} are being closed"));
                    waits.push(format!("{why}, which has left"));
                }
            }
        }
        if !moves.is_empty() {
            let script = balancer.apply(scene.call.context.fence, seen, None, &moves);
            acts.push(Act { host: host.clone(), script, release: None });
        }
    }
}

/// A host whose one server was ordered has had both.
fn has_left(hosts: &[&Host], seen: &Seen, name: &str) -> bool {
    let ordered = |name: &str| seen.order.as_ref().is_some_and(|order| order.servers.contains_key(name));
    let of = |host: &str| Slot::ALL.into_iter().any(|slot| server(host, slot) == name);
    let host = Slot::ALL.into_iter().find_map(|slot| name.strip_suffix(slot.as_str())?.strip_suffix('-'));
    host.is_some_and(|host| Slot::ALL.into_iter().any(|slot| ordered(&server(host, slot))))
        && !hosts.iter().any(|host| of(&host.name))
}
