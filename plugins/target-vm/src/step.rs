//! What is next: decided from what was seen and what is wanted, without asking anybody.
//!
//! The order is that of the way back: first the fence is made known everywhere and traffic goes to whoever is good and ready, then files
//! are sent and programs started, then traffic is divided as it shall be, and only what has none is stopped.

use towpath_sdk::target::Call;
use towpath_sdk::{Fault, Side};

use crate::act::Act;
use crate::balancer::Balancer;
use crate::drain::{Ending, Patience};
use crate::fleet::{Fleet, acting, named};
use crate::leave;
use crate::memory::Memory;
use crate::plan::{Plan, SidePlan};
use crate::report::{Filled, Report, Slot, Unit};
use crate::settings::{Host, Settings};
use crate::start::{start, stopping};
use crate::traffic;

/// What is next.
pub(crate) enum Next {
    /// These things, all at once.
    Act(Vec<Act>),
    /// A side's files go to these hosts.
    Deliver(Side, Vec<String>),
    /// A release has had its chance in a host's slot.
    GiveUp { host: String, slot: Slot, release: String, why: String },
    /// Something takes its time.
    Wait(String),
    /// It cannot be done.
    Fail(Fault),
    /// Everything is as it shall be.
    Done,
}

/// What a step is decided from.
pub(crate) struct Scene<'a> {
    pub(crate) call: &'a Call<Settings>,
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) fleet: &'a Fleet,
    pub(crate) balancer: Option<&'a dyn Balancer>,
}

/// Returns what is next.
pub(crate) fn next(scene: &Scene<'_>, memory: &mut Memory) -> Next {
    if let Some(fault) = scene.given_up(memory) {
        return Next::Fail(fault);
    }
    let mut traffic = match traffic::next(scene, memory) {
        Ok(traffic) => traffic,
        Err(fault) => return Next::Fail(fault),
    };
    // Who moves traffic makes the fence known by that: the first act of the way back is the switch itself.
    traffic.acts.extend(scene.claims(&traffic.acts));
    if !traffic.acts.is_empty() {
        return Next::Act(traffic.acts);
    }
    if let Some(delivery) = scene.delivery(memory) {
        return delivery;
    }
    let mut waits = Vec::new();
    match scene.starts(memory, &mut waits) {
        Some(next) => return next,
        None if !waits.is_empty() => return Next::Wait(said(&waits)),
        None => {}
    }
    if let Some(why) = traffic.waits {
        return Next::Wait(why);
    }
    let (mut acts, mut waits) = scene.stops(memory);
    leave::next(scene, memory, &mut acts, &mut waits);
    match (acts.is_empty(), waits.is_empty()) {
        (false, _) => Next::Act(acts),
        (true, false) => Next::Wait(said(&waits)),
        (true, true) => match scene.garbage() {
            acts if acts.is_empty() => Next::Done,
            acts => Next::Act(acts),
        },
    }
}

impl<'a> Scene<'a> {
    /// Returns the hosts within reach on which a side is wanted and has not failed, with what is there.
    pub(crate) fn active(&self, side: &'a SidePlan, memory: &Memory) -> Vec<(&'a Host, &'a Report)> {
        let wanted = |host: &&&'a Host| side.hosts.contains(&host.name) && !memory.has_failed(&host.name, &side.identity.release);
        self.plan.hosts.iter().filter(wanted).filter_map(|host| Some((*host, self.fleet.hosts.get(&host.name)?))).collect()
    }

    /// Returns whether a slot runs what is wanted on its host.
    pub(crate) fn is_wanted(&self, host: &str, filled: &Filled, memory: &Memory) -> bool {
        self.plan.of_host(host).any(|side| side.identity == filled.identity && !memory.has_failed(host, &side.identity.release))
    }

    /// Returns the slot that something new goes into: one that is free, or one whose release is not wanted and has the least traffic.
    pub(crate) fn place(&self, host: &str, report: &Report, memory: &Memory) -> Option<Slot> {
        let free = Slot::ALL.into_iter().find(|slot| report.slot(*slot).is_none());
        let unwanted = report.slots.iter().filter(|filled| !self.is_wanted(host, filled, memory));
        let quietest =
            unwanted.min_by_key(|filled| (self.fleet.is_open(host, filled.slot), filled.side == "stable", filled.slot));
        free.or(quietest.map(|filled| filled.slot))
    }

    /// Fails when a release failed on more hosts than it may, or is left without any.
    fn given_up(&self, memory: &Memory) -> Option<Fault> {
        let (failed, most) = (memory.failed_hosts(), usize::from(self.call.settings.failed_hosts_max));
        let hosts = self.plan.hosts.len();
        if failed > most {
            let why = named(&memory.failed);
            return Some(Fault::permanent(format!("it failed on {failed} of {hosts} hosts, at most {most} may fail: {why}")));
        }
        let without = self.plan.sides().find(|side| self.active(side, memory).is_empty())?;
        let reasons = if memory.failed.is_empty() { &self.fleet.out } else { &memory.failed };
        Some(Fault::retryable(format!("no host is left for release {}: {}", without.identity.release, named(reasons))))
    }

    /// Makes fence and sides known wherever they are not, but for the balancers that are told something anyway.
    fn claims(&self, moves: &[Act]) -> Vec<Act> {
        let fence = self.call.context.fence;
        let mut acts = Vec::new();
        for host in &self.plan.hosts {
            let Some(report) = self.fleet.hosts.get(&host.name) else { continue };
            let side = |filled: &Filled| {
                let side = self.plan.sides().find(|side| side.identity == filled.identity)?;
                (side.side.as_str() != filled.side).then(|| format!("{}={}", filled.slot.as_str(), side.side.as_str()))
            };
            let sides: Vec<_> = report.slots.iter().filter_map(side).collect();
            if report.fence < fence || !sides.is_empty() {
                let script = acting(self.call, host).with("SIDES", sides.join(" ")).then(&["claim"]);
                acts.push(Act { host: host.name.clone(), script, release: None });
            }
        }
        let is_told = |host: &String| moves.iter().any(|act| act.host == *host);
        let late = self.fleet.balancers.iter().filter(|(host, seen)| seen.fence < fence && !is_told(host));
        for ((host, _), balancer) in late.zip(std::iter::repeat(self.balancer)) {
            acts.extend(balancer.map(|balancer| Act { host: host.clone(), script: balancer.claim(fence), release: None }));
        }
        acts
    }

    /// Sends files to the hosts that lack them. Files that somebody touched, and from which nothing runs, go first.
    fn delivery(&self, memory: &Memory) -> Option<Next> {
        for side in self.plan.sides() {
            let digest = &side.identity.digest;
            let lacking: Vec<_> = self.active(side, memory).into_iter().filter(|(_, report)| !report.has(digest)).collect();
            let touched = lacking.iter().filter(|(_, report)| report.releases.iter().any(|stored| stored.digest == *digest));
            let acts: Vec<_> = touched.map(|(host, _)| self.collect(host, digest)).collect();
            if !acts.is_empty() {
                return Some(Next::Act(acts));
            }
            if !lacking.is_empty() {
                return Some(Next::Deliver(side.side, lacking.iter().map(|(host, _)| host.name.clone()).collect()));
            }
        }
        None
    }

    /// Starts what does not run, a batch at a time; adds what is waited for.
    fn starts(&self, memory: &mut Memory, waits: &mut Vec<String>) -> Option<Next> {
        let mut acts: Vec<Act> = Vec::new();
        for side in self.plan.sides() {
            for (host, report) in self.active(side, memory) {
                // Where something begins, the next look shows which slot is left for the other side.
                if acts.iter().any(|act| act.host == host.name) {
                    continue;
                }
                let begun = waits.len() + acts.len();
                match report.running(&side.identity) {
                    Some(filled) if filled.ready => memory.waits_no_more(&host.name, filled.slot.as_str()),
                    Some(filled) => match self.unready(host, filled, memory, waits) {
                        Ok(act) => acts.extend(act),
                        Err(given_up) => return Some(given_up),
                    },
                    None if begun >= usize::from(self.call.settings.batch) => {
                        waits.push(format!("{} is in a later batch", host.name))
                    }
                    None => acts.extend(self.begin(host, report, side, memory, waits)),
                }
            }
        }
        (!acts.is_empty()).then_some(Next::Act(acts))
    }

    fn begin(&self, host: &Host, report: &Report, side: &SidePlan, memory: &mut Memory, waits: &mut Vec<String>) -> Vec<Act> {
        let Some(slot) = self.place(&host.name, report, memory) else { return Vec::new() };
        let ending = match report.slot(slot) {
            Some(_) => self.ending(&host.name, slot, Patience::for_place(side), memory),
            None => Ending::Now,
        };
        ending.acts(waits, || {
            let script = start(self.call, host, side, slot);
            Act { host: host.name.clone(), script, release: Some(side.identity.release.clone()) }
        })
    }

    /// Returns what is done about a slot that is not ready; an error when it had its chance.
    fn unready(&self, host: &Host, filled: &Filled, memory: &mut Memory, waits: &mut Vec<String>) -> Result<Option<Act>, Next> {
        let (settings, slot, release) = (&self.call.settings, filled.slot, &filled.identity.release);
        let waited_ms = memory.waited_ms(&host.name, slot.as_str(), self.call.context.now_ms);
        let restarts = memory.restarts(&host.name, slot.as_str(), filled.starts);
        let give_up = |why: String| Next::GiveUp { host: host.name.clone(), slot, release: release.clone(), why };
        if restarts > settings.restarts_max {
            return Err(give_up(format!("it ended and was started again {restarts} times")));
        }
        if waited_ms > u64::from(settings.ready_timeout_ms) {
            return Err(give_up(format!("it is not ready after {} s", waited_ms / 1_000)));
        }
        waits.push(format!("{} is not ready on {}", release, host.name));
        let lacks_a_start = match filled.unit {
            Unit::Up => false,
            Unit::Down => memory.urges(&host.name, slot.as_str()),
            Unit::Absent => true,
        };
        Ok(lacks_a_start.then(|| {
            let script = acting(self.call, host).then(&["again", slot.as_str()]);
            Act { host: host.name.clone(), script, release: Some(release.clone()) }
        }))
    }

    /// Ends what is not wanted.
    fn stops(&self, memory: &mut Memory) -> (Vec<Act>, Vec<String>) {
        let (mut acts, mut waits) = (Vec::new(), Vec::new());
        let patience = self.patience();
        let stop_ms = self.plan.sides().map(|side| side.configuration.stop_timeout_ms).max().unwrap_or(0);
        for host in &self.plan.hosts {
            let Some(report) = self.fleet.hosts.get(&host.name) else { continue };
            for filled in &report.slots {
                if self.is_wanted(&host.name, filled, memory) {
                    continue;
                }
                let ending = self.ending(&host.name, filled.slot, patience, memory);
                acts.extend(ending.acts(&mut waits, || {
                    let script = stopping(acting(self.call, host), stop_ms).then(&["stop", filled.slot.as_str()]);
                    Act { host: host.name.clone(), script, release: None }
                }));
            }
        }
        (acts, waits)
    }

    /// Removes the oldest releases that nobody needs, and what came of others that never became whole.
    fn garbage(&self) -> Vec<Act> {
        let keep = usize::from(self.call.settings.keep_releases);
        let mut acts = Vec::new();
        for host in &self.plan.hosts {
            let Some(report) = self.fleet.hosts.get(&host.name) else { continue };
            let is_needed = |digest: &str| report.uses(digest) || self.plan.sides().any(|side| side.identity.digest == digest);
            let unneeded: Vec<_> = report.releases.iter().filter(|stored| !is_needed(&stored.digest)).collect();
            let too_many = report.releases.len().saturating_sub(keep).min(unneeded.len());
            let abandoned = report.incoming.iter().filter(|digest| !is_needed(digest)).map(String::as_str);
            let names: Vec<_> = unneeded[..too_many].iter().map(|stored| stored.digest.as_str()).chain(abandoned).collect();
            if !names.is_empty() {
                acts.push(self.collect(host, &names.join(" ")));
            }
        }
        acts
    }

    fn collect(&self, host: &Host, digests: &str) -> Act {
        let script = acting(self.call, host).with("RELEASES", digests).then(&["collect"]);
        Act { host: host.name.clone(), script, release: None }
    }
}

fn said(waits: &[String]) -> String {
    match waits {
        [one] => one.clone(),
        [one, more @ ..] => format!("{one}, and {} more", more.len()),
        [] => "it takes its time".to_owned(),
    }
}
