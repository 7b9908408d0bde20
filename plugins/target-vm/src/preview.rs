//! What a reconcile would change, in sentences.

use std::collections::BTreeMap;

use crate::fleet::Fleet;
use crate::observe;
use crate::plan::Plan;

/// Returns the changes.
pub(crate) fn changes(plan: &Plan<'_>, fleet: &Fleet) -> Vec<String> {
    let mut changes = Vec::new();
    for side in plan.sides() {
        let mut from = BTreeMap::<String, usize>::new();
        for name in &side.hosts {
            let Some(report) = fleet.hosts.get(name) else { continue };
            let found = report.slots.iter().find(|filled| filled.side == side.side.as_str());
            if found.is_none_or(|found| found.identity != side.identity) {
                *from.entry(found.map_or("nothing", |found| &found.identity.release).to_owned()).or_default() += 1;
            }
        }
        let (which, release) = (side.side.as_str(), &side.identity.release);
        changes.extend(from.into_iter().map(|(from, hosts)| match from == *release {
            true => format!("{which} gets another configuration or digest of {release} on {hosts} hosts"),
            false => format!("{which} goes from {from} to {release} on {hosts} hosts"),
        }));
    }
    let mut ends = BTreeMap::<&str, usize>::new();
    for (host, report) in &fleet.hosts {
        for filled in &report.slots {
            if !plan.of_host(host).any(|side| side.identity == filled.identity) {
                *ends.entry(&filled.identity.release).or_default() += 1;
            }
        }
    }
    changes.extend(ends.into_iter().map(|(release, hosts)| format!("{release} ends on {hosts} hosts")));
    let (now, then) = (observe::share(fleet), plan.share.unwrap_or(0));
    if now != then {
        changes.push(format!("the candidate's weight goes from {now} to {then} basis points"));
    }
    if plan.routes.mirror > 0 {
        changes.push(format!("the candidate receives a copy of {} basis points of the requests", plan.routes.mirror));
    }
    if !plan.routes.matches.is_empty() {
        changes.push(format!("{} kinds of requests go to a side by what they carry", plan.routes.matches.len()));
    }
    changes
}
