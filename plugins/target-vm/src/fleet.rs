//! All hosts as they were seen at one look.

use std::collections::{BTreeMap, BTreeSet};

use towpath_sdk::Fault;
use towpath_sdk::target::Call;

use crate::ask::{self, Answer, Trouble};
use crate::balancer::{Balancer, Seen};
use crate::report::{Report, Slot};
use crate::script::{Purpose, Said, Script};
use crate::settings::{Host, Settings, Supervisor};

/// How many hosts a sentence names.
const NAMED_MAX: usize = 3;

/// What was seen.
pub(crate) struct Fleet {
    /// What each host said that is within reach.
    pub(crate) hosts: BTreeMap<String, Report>,
    /// Why the others are not.
    pub(crate) out: BTreeMap<String, String>,
    /// What each of the balancer's hosts said.
    pub(crate) balancers: Vec<(String, Seen)>,
}

impl Fleet {
    /// Looks at all hosts at once. Those that are known to be silent hold the others up for a moment only.
    pub(crate) fn look(
        call: &Call<Settings>,
        hosts: &[&Host],
        balancer: Option<&dyn Balancer>,
        silent: &BTreeSet<String>,
    ) -> Result<Self, Fault> {
        let script = |host: &Host| on(call, host, Purpose::Look).in_haste(silent.contains(&host.name)).then(&["look"]);
        let mut scripts: Vec<_> = hosts.iter().map(|host| (host.name.clone(), script(host))).collect();
        let of_balancer =
            balancer.into_iter().flat_map(|balancer| balancer.hosts().iter().map(|host| (host.clone(), balancer.look())));
        scripts.extend(of_balancer);
        let mut answers = ask::all(call, &scripts).into_iter();
        let mut fleet = Self { hosts: BTreeMap::new(), out: BTreeMap::new(), balancers: Vec::new() };
        for host in hosts {
            match lines(answers.next())?.and_then(|lines| Report::read(&lines)) {
                Ok(report) => fleet.hosts.insert(host.name.clone(), report).map(drop),
                Err(why) => fleet.out.insert(host.name.clone(), why).map(drop),
            };
        }
        for host in balancer.into_iter().flat_map(Balancer::hosts) {
            let said = lines(answers.next())?.map_err(|why| Fault::retryable(format!("the balancer on {host}: {why}")))?;
            let seen = balancer.expect("BUG: it has hosts").read(&said);
            let seen = seen.map_err(|why| Fault::permanent(format!("the balancer on {host}: {why}")))?;
            fleet.balancers.push((host.clone(), seen));
        }
        Ok(fleet)
    }

    /// Returns the highest fence that anybody has seen.
    pub(crate) fn highest_fence(&self) -> u64 {
        let balancers = self.balancers.iter().map(|(_, seen)| seen.fence);
        self.hosts.values().map(|report| report.fence).chain(balancers).max().unwrap_or(0)
    }

    /// Fails when more hosts are out of reach than may be, or a balancer does not answer.
    pub(crate) fn is_enough(&self, settings: &Settings) -> Result<(), Fault> {
        let (out, most) = (self.out.len(), usize::from(settings.unreachable_hosts_max));
        if out > most || self.hosts.is_empty() {
            let all = self.hosts.len() + out;
            return Err(Fault::retryable(format!(
                "{out} of {all} hosts are out of reach, at most {most} may be: {}",
                named(&self.out)
            )));
        }
        match self.balancers.iter().find_map(|(host, seen)| Some((host, seen.silent.as_ref()?))) {
            Some((host, why)) => Err(Fault::retryable(format!("the balancer on {host}: {why}"))),
            None => Ok(()),
        }
    }

    /// Returns whether no balancer gives a slot requests, and none is on its way there.
    pub(crate) fn is_drained(&self, host: &str, slot: Slot) -> bool {
        self.sessions(host, slot) == 0 && !self.is_open(host, slot)
    }

    /// Returns whether a balancer may give a slot requests.
    pub(crate) fn is_open(&self, host: &str, slot: Slot) -> bool {
        self.servers(host, slot).any(|server| server.open)
    }

    /// Returns how many requests are on their way in a slot.
    pub(crate) fn sessions(&self, host: &str, slot: Slot) -> u64 {
        self.servers(host, slot).map(|server| server.sessions).sum()
    }

    fn servers(&self, host: &str, slot: Slot) -> impl Iterator<Item = &crate::balancer::Server> {
        let name = server(host, slot);
        self.balancers.iter().filter_map(move |(_, seen)| seen.servers.get(&name))
    }
}

/// Returns the script of a host, with what is known of the host.
pub(crate) fn on(call: &Call<Settings>, host: &Host, purpose: Purpose) -> Script {
    let settings = &call.settings;
    let supervisor = match settings.supervisor {
        Supervisor::Systemd(_) => "systemd",
        Supervisor::Runit(_) => "runit",
        Supervisor::S6(_) => "s6",
    };
    let script = Script::on_host(purpose).with("SCOPE", crate::scope(settings.root(host), &call.context));
    let script = script.with("UNIT", format!("towpath-{}-{}", call.context.service, call.context.environment));
    script.with("SUPERVISOR", supervisor).with("FOLDER", settings.units(host)).with("ADDRESS", &host.address)
}

/// The same for what acts: it holds the fence first.
pub(crate) fn acting(call: &Call<Settings>, host: &Host) -> Script {
    on(call, host, Purpose::Act).with("FENCE", call.context.fence.to_string()).then(&["guard"])
}

/// Returns what the balancer calls a slot of a host.
pub(crate) fn server(host: &str, slot: Slot) -> String {
    format!("{host}-{}", slot.as_str())
}

/// Returns the first few with their reasons.
pub(crate) fn named(reasons: &BTreeMap<String, String>) -> String {
    let mut said: Vec<_> = reasons.iter().take(NAMED_MAX).map(|(name, why)| format!("{name}: {why}")).collect();
    if let Some(more) = reasons.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        said.push(format!("and {more} more"));
    }
    said.join("; ")
}

/// Returns what a host said to a look; a refusal ends the call.
fn lines(answer: Option<Answer>) -> Result<Result<Vec<String>, String>, Fault> {
    match answer {
        Some(Ok(Said::Done(lines))) => Ok(Ok(lines)),
        Some(Ok(Said::Failed(why))) => Ok(Err(why)),
        Some(Ok(Said::Superseded(_) | Said::Busy)) => Ok(Err("it answers a look as if it were asked to act".to_owned())),
        Some(Err(Trouble::Refused(why))) => Err(Fault::permanent(why)),
        Some(Err(trouble @ (Trouble::Unreachable(_) | Trouble::Unknown(_)))) => Ok(Err(trouble.sentence().to_owned())),
        None => Ok(Err("it was not asked".to_owned())),
    }
}
