//! The target for one machine: desired states become desired states of the local runtime.
//!
//! The runtime does the work, stores the fence and refuses older ones; this plugin translates, and decides when a release that does
//! not come up has had its chance.

mod memory;
mod observe;
mod preview;
mod protocol;
mod settings;
mod translate;

use memory::Memory;
use protocol::Status;
pub use settings::Settings;
use towpath_sdk::powers::runtime::{self, Error};
use towpath_sdk::prelude::*;
use towpath_sdk::target::{Fencing, Pending};

/// The target.
pub struct TargetLocal;

impl Target for TargetLocal {
    type Settings = Settings;

    fn describe(_: &Settings) -> Descriptor {
        Descriptor {
            weights: true,
            weight_granularity_basis_points: 1,
            header_match: true,
            cookie_match: true,
            sticky: true,
            mirror: true,
            instant_switch: true,
            fencing: Fencing::Native,
        }
    }

    fn observe(call: &Call<Settings>) -> Result<Observation, Fault> {
        let status = status()?;
        let memory = call.context.state.clone();
        Ok(status.map_or_else(observe::nothing, |status| observe::observation(&status, memory)))
    }

    fn reconcile(call: &Call<Settings>, desired: &Desired) -> Progress {
        match apply(call, desired) {
            Ok(status) => progress(call, desired, &status),
            Err(Stopped::Superseded(highest_fence)) => Progress::Superseded(highest_fence),
            Err(Stopped::Failed(fault)) => Progress::Failed(fault),
        }
    }

    fn preview(call: &Call<Settings>, desired: &Desired) -> Result<Vec<String>, Fault> {
        let wanted = translate::state(&call.settings, desired).map_err(Fault::permanent)?;
        Ok(preview::changes(status()?.as_ref(), &wanted))
    }
}

/// Why the runtime did not take a state.
enum Stopped {
    Superseded(u64),
    Failed(Fault),
}

fn apply(call: &Call<Settings>, desired: &Desired) -> Result<Status, Stopped> {
    let wanted = translate::state(&call.settings, desired).map_err(|why| Stopped::Failed(Fault::permanent(why)))?;
    let text = serde_json::to_string(&wanted).map_err(|error| Stopped::Failed(Fault::permanent(error.to_string())))?;
    let answer = runtime::apply(&text).map_err(|error| match error {
        Error::Superseded(highest_fence) => Stopped::Superseded(highest_fence),
        error => Stopped::Failed(fault(&error)),
    })?;
    parse(&answer).map_err(Stopped::Failed)
}

/// Says how far the runtime got.
fn progress(call: &Call<Settings>, desired: &Desired, status: &Status) -> Progress {
    let memory = Memory::of(call).after(status);
    if status.converged && observe::is_as_desired(status, desired) {
        return Progress::Converged(observe::observation(status, None));
    }
    if let Some(hopeless) = memory.hopeless(&call.settings, status) {
        return Progress::Failed(Fault::permanent(hopeless));
    }
    Progress::InProgress(Pending {
        observation: observe::observation(status, memory.to_bytes()),
        retry_after_ms: call.settings.retry_after_ms,
        message: status.message.clone(),
    })
}

fn status() -> Result<Option<Status>, Fault> {
    let status = runtime::status().map_err(|error| fault(&error))?;
    status.as_deref().map(parse).transpose()
}

fn parse(answer: &str) -> Result<Status, Fault> {
    serde_json::from_str(answer).map_err(|error| Fault::permanent(format!("the runtime's answer cannot be read: {error}")))
}

fn fault(error: &Error) -> Fault {
    match error {
        Error::Unreachable(_) => Fault::retryable(error.sentence()),
        Error::Refused(_) | Error::Superseded(_) | Error::Invalid(_) => Fault::permanent(error.sentence()),
    }
}

towpath_sdk::export_target!(TargetLocal);

#[cfg(test)]
mod suite_tests;
#[cfg(test)]
mod tests;
