//! `towpath:plugin@0.1.0`: the bindings, and the door where its words become the newest ones.
//!
//! A later version of the interface gets a module beside this one; the rest of the room only knows `crate::types`.

pub(crate) mod bindings;
pub(crate) mod calls;
mod lift;
mod lower;

use wasmtime::component::InstancePre;

use crate::Kind;
use crate::call::CallState;
use bindings::gate::GatePluginPre;
use bindings::health::HealthPluginPre;
use bindings::target::TargetPluginPre;

/// The version of this module, for messages.
pub(crate) const VERSION: &str = "0.1";

/// What a plugin exports, looked up once.
pub(crate) struct Exports {
    pub(crate) target: Option<TargetPluginPre<CallState>>,
    pub(crate) gate: Option<GatePluginPre<CallState>>,
    pub(crate) health: Option<HealthPluginPre<CallState>>,
}

impl Exports {
    pub(crate) fn of(pre: &InstancePre<CallState>, kinds: &[Kind]) -> wasmtime::Result<Self> {
        let is = |kind| kinds.contains(&kind);
        Ok(Self {
            target: is(Kind::Target).then(|| TargetPluginPre::new(pre.clone())).transpose()?,
            gate: is(Kind::Gate).then(|| GatePluginPre::new(pre.clone())).transpose()?,
            health: is(Kind::Health).then(|| HealthPluginPre::new(pre.clone())).transpose()?,
        })
    }
}
