//! The target for virtual machines: hosts with sshd and a supervisor, and a balancer that the team has already. Nothing is installed on them.
//!
//! Each host has two slots with a port each. A release goes into the slot that is free, and stays there until it is stopped: promotion only
//! changes which slot is called stable. What is done on a host is a script over ssh that takes a lock and holds its fence against the highest
//! one that was seen there, so that a command that arrives late changes nothing. One call makes several rounds of look and act, as many as
//! its time allows; what is not done then is done by the next call, from whatever it finds.

mod act;
mod ask;
mod balancer;
mod configuration;
mod deliver;
mod drain;
mod fleet;
mod inventory;
mod leave;
mod memory;
mod observe;
mod plan;
mod preview;
mod report;
mod script;
mod settings;
mod start;
mod step;
mod traffic;
mod weights;

use std::collections::BTreeSet;

use deliver::Delivered;
use fleet::Fleet;
use memory::Memory;
use plan::Plan;
use settings::BalancerSettings;
pub use settings::Settings;
use step::{Next, Scene};
use towpath_sdk::Context;
use towpath_sdk::prelude::*;
use towpath_sdk::target::{Fencing, Pending};

/// Rounds of look and act in one call: more than a movement on idle hosts has, so that only what takes its time ends a call.
const ROUNDS_MAX: u32 = 16;

/// With less time than this, in milliseconds, no further round is begun: a look and an act over slow connections.
const ROUND_MS: u32 = 4_000;

/// The highest fence that a shell can compare.
const FENCE_MAX: u64 = i64::MAX as u64;

/// The target.
pub struct TargetVm;

impl Target for TargetVm {
    type Settings = Settings;

    fn describe(settings: &Settings) -> Descriptor {
        let balancer = settings.balancer.as_ref();
        let sticky = balancer.is_some_and(|balancer| balancer.cookie().is_some());
        let has_routes = balancer.is_some_and(BalancerSettings::has_routes);
        Descriptor {
            weights: balancer.is_some(),
            weight_granularity_basis_points: 100,
            header_match: has_routes,
            cookie_match: has_routes,
            sticky,
            mirror: has_routes,
            instant_switch: balancer.is_some(),
            fencing: Fencing::Native,
        }
    }

    fn observe(call: &Call<Settings>) -> Result<Observation, Fault> {
        let (known, balancer) = (inventory::hosts(call)?, balancer::of(call));
        let hosts = call.settings.used(&known)?;
        let fleet = Fleet::look(call, &hosts, balancer.as_deref(), &BTreeSet::new())?;
        fleet.is_enough(&call.settings)?;
        Ok(observe::observation(call, &hosts, &fleet, None))
    }

    fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
        let mut memory = Memory::of(call);
        let mut moved = || rounds(call, &Plan::new(call, &inventory::hosts(call)?, desired)?, &mut memory);
        moved().unwrap_or_else(Progress::Failed)
    }

    fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
        let (known, balancer) = (inventory::hosts(call)?, balancer::of(call));
        let plan = Plan::new(call, &known, desired)?;
        let fleet = Fleet::look(call, &plan.hosts, balancer.as_deref(), &BTreeSet::new())?;
        fleet.is_enough(&call.settings)?;
        Ok(preview::changes(&plan, &fleet))
    }
}

/// Looks and acts until everything is as it shall be, something takes its time, or the call's time is over.
fn rounds(call: &Call<Settings>, plan: &Plan<'_>, memory: &mut Memory) -> Result<Progress, Fault> {
    if call.context.fence > FENCE_MAX {
        return Err(Fault::permanent(format!(
            "fence {} is higher than {FENCE_MAX}, which a shell cannot compare",
            call.context.fence
        )));
    }
    let balancer = balancer::of(call);
    let mut fleet = Fleet::look(call, &plan.hosts, balancer.as_deref(), &memory.silent)?;
    for _ in 0..ROUNDS_MAX {
        let highest = fleet.highest_fence();
        if highest > call.context.fence {
            return Ok(Progress::Superseded(highest));
        }
        fleet.is_enough(&call.settings)?;
        // Whoever is silent may have taken the time that the others need to act in; the next call asks it in haste.
        if memory.notes_silent(fleet.out.keys()) && ask::left_ms(call) < ROUND_MS {
            return Ok(pending(call, plan, &fleet, memory, format!("{} hosts were waited for in vain", fleet.out.len())));
        }
        let next = step::next(&Scene { call, plan, fleet: &fleet, balancer: balancer.as_deref() }, memory);
        let message = match next {
            Next::Done => return Ok(Progress::Converged(observe::observation(call, &plan.hosts, &fleet, Some(memory)))),
            Next::Wait(why) => return Ok(pending(call, plan, &fleet, memory, why)),
            Next::Fail(fault) => return Err(fault),
            next => match perform(call, plan, next, memory)? {
                Performed::Asked(what) => what,
                Performed::Superseded(highest) => return Ok(Progress::Superseded(highest)),
                Performed::Waits(why) => return Ok(pending(call, plan, &fleet, memory, why)),
            },
        };
        if ask::left_ms(call) < ROUND_MS {
            return Ok(pending(call, plan, &fleet, memory, message));
        }
        fleet = Fleet::look(call, &plan.hosts, balancer.as_deref(), &memory.silent)?;
    }
    Ok(pending(call, plan, &fleet, memory, "it takes many rounds".to_owned()))
}

fn pending(call: &Call<Settings>, plan: &Plan<'_>, fleet: &Fleet, memory: &Memory, message: String) -> Progress {
    let observation = observe::observation(call, &plan.hosts, fleet, Some(memory));
    Progress::InProgress(Pending { observation, retry_after_ms: call.settings.retry_after_ms, message })
}

/// What came of a round's second half.
enum Performed {
    Asked(String),
    Superseded(u64),
    Waits(String),
}

fn perform(call: &Call<Settings>, plan: &Plan<'_>, next: Next, memory: &mut Memory) -> Result<Performed, Fault> {
    Ok(match next {
        Next::Act(acts) => match act::all(call, plan, &acts, memory)? {
            act::Acted::Asked => Performed::Asked(format!("{} hosts were asked to act", acts.len())),
            act::Acted::Superseded(highest) => Performed::Superseded(highest),
            act::Acted::Balancer(fault) => return Err(fault),
        },
        Next::Deliver(which, names) => {
            let side = plan.sides().find(|side| side.side == which).expect("BUG: what is delivered is wanted");
            let hosts: Vec<_> = plan.hosts.iter().copied().filter(|host| names.contains(&host.name)).collect();
            match deliver::deliver(call, side, &hosts, memory)? {
                Delivered::Asked => Performed::Asked(format!("release {} was sent", side.identity.release)),
                Delivered::Partly(how_far) => Performed::Waits(how_far),
                Delivered::Superseded(highest) => Performed::Superseded(highest),
            }
        }
        Next::GiveUp { host, slot, release, why } => {
            let words = act::last_words(call, plan, &host, slot.as_str());
            let why = if words.is_empty() { why } else { format!("{why}; its last words: {words}") };
            memory.fail(&host, &release, &why);
            Performed::Asked(format!("{release} failed on {host}"))
        }
        Next::Wait(why) => Performed::Waits(why),
        Next::Fail(fault) => return Err(fault),
        Next::Done => Performed::Waits("it is done".to_owned()),
    })
}

/// Returns the folder on a host that belongs to a service in an environment.
pub(crate) fn scope(root: &str, context: &Context) -> String {
    format!("{}/{}.{}", root.trim_end_matches('/'), context.service, context.environment)
}

towpath_sdk::export_target!(TargetVm);

#[cfg(test)]
mod tests;
