//! Doing one thing on several hosts, and what is made of what they say.

use towpath_sdk::Fault;
use towpath_sdk::target::Call;

use crate::ask::{self, Answer, Trouble};
use crate::memory::Memory;
use crate::plan::{Plan, SidePlan};
use crate::script::{Purpose, Said, Script};
use crate::settings::Settings;

/// One thing to do.
pub(crate) struct Act {
    pub(crate) host: String,
    pub(crate) script: Script,
    /// The release that failed there if this does; none: everything that is wanted of the host.
    pub(crate) release: Option<String>,
}

/// What came of it all.
pub(crate) enum Acted {
    /// Whatever came of it, the next look shows it.
    Asked,
    /// A higher fence was there.
    Superseded(u64),
    /// The balancer does not do it.
    Balancer(Fault),
}

/// Does things on their hosts, all at once.
pub(crate) fn all(call: &Call<Settings>, plan: &Plan<'_>, acts: &[Act], memory: &mut Memory) -> Result<Acted, Fault> {
    let scripts: Vec<_> = acts.iter().map(|act| (act.host.clone(), act.script.clone())).collect();
    let mut acted = Acted::Asked;
    for (act, answer) in acts.iter().zip(ask::all(call, &scripts)) {
        if let Ok(Said::Superseded(fence)) = answer {
            return Ok(Acted::Superseded(fence));
        }
        if plan.hosts.iter().any(|host| host.name == act.host) {
            let blamed =
                plan.of_host(&act.host).filter(|side| act.release.as_ref().is_none_or(|name| *name == side.identity.release));
            for side in blamed {
                blame(side, &act.host, answer.clone(), memory)?;
            }
            refused(&answer)?;
        } else if let Some(fault) = of_balancer(&act.host, &answer) {
            acted = Acted::Balancer(fault);
        }
    }
    Ok(acted)
}

/// Notes what a host said, for a release: what failed has failed there, what may pass is borne with for a while.
pub(crate) fn blame(side: &SidePlan, host: &str, answer: Answer, memory: &mut Memory) -> Result<(), Fault> {
    refused(&answer)?;
    match answer {
        Ok(Said::Done(_)) => memory.did_well(host),
        Ok(Said::Failed(why)) => memory.fail(host, &side.identity.release, &why),
        Err(trouble) if memory.trouble(host) => memory.fail(host, &side.identity.release, trouble.sentence()),
        Ok(Said::Busy | Said::Superseded(_)) | Err(_) => {}
    }
    Ok(())
}

/// Returns the last lines that a slot's program wrote, in one sentence.
pub(crate) fn last_words(call: &Call<Settings>, plan: &Plan<'_>, host: &str, slot: &str) -> String {
    let Some(found) = plan.hosts.iter().find(|found| found.name == host) else { return String::new() };
    let script = crate::fleet::on(call, found, Purpose::Look).then(&["log", slot]);
    match ask::all(call, &[(host.to_owned(), script)]).pop() {
        Some(Ok(Said::Done(lines))) => {
            let words = lines.iter().filter_map(|line| line.strip_prefix("line "));
            crate::script::plain(&words.collect::<Vec<_>>().join(" | "))
        }
        Some(_) | None => String::new(),
    }
}

/// Fails when the answer is a refusal of the power: that ends the call.
fn refused(answer: &Answer) -> Result<(), Fault> {
    match answer {
        Err(Trouble::Refused(why)) => Err(Fault::permanent(why.clone())),
        Err(Trouble::Unreachable(_) | Trouble::Unknown(_)) | Ok(_) => Ok(()),
    }
}

fn of_balancer(host: &str, answer: &Answer) -> Option<Fault> {
    match answer {
        Ok(Said::Done(_) | Said::Busy | Said::Superseded(_)) => None,
        Ok(Said::Failed(why)) => Some(Fault::retryable(format!("the balancer on {host}: {why}"))),
        Err(trouble) => Some(Fault::retryable(format!("the balancer on {host}: {}", trouble.sentence()))),
    }
}
