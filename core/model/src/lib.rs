//! The words of a deployment: everything that can be said about one.
//!
//! This room holds types and their own small rules (a weight is at most 10 000 basis points, a name is a DNS label). It
//! decides nothing, reads no clock, knows no file format and no wire format: [`machine`](../machine) decides, the edges
//! (`journal::record`, `towpath-proto`, `path::file`) own their formats and convert by hand.
//!
//! In reading order:
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

extern crate alloc;

pub mod approval;
pub mod command;
pub mod effect;
pub mod event;
pub mod name;
pub mod operation;
pub mod plan;
pub mod plugin;
pub mod release;
pub mod state;
pub mod time;
pub mod traffic;
pub mod waiting;
pub mod watch;

pub use approval::{Actor, Approval};
pub use command::{Command, Lost, Report, ReportOutcome};
pub use effect::{Call, Committed, Effect};
pub use event::{Event, HowCompleted};
pub use name::{
    DeploymentId, Digest, EnvironmentName, Fence, InvalidName, OperationKey, PlanHash, ReleaseId, Scope, ServiceName, StepId,
};
pub use operation::{Fault, Observation, Operation, OperationKind, OperationResult, Progress, SideObservation};
pub use plan::{Arrangement, Phase, Plan, Policies, Step, StepKind, Strategy, Supersede};
pub use plugin::{GateAnswer, Interval, Measurement, PluginUse, Verdict};
pub use release::{Artifact, Desired, ReleaseSpec, SideDesired};
pub use state::{BackStep, Cause, Confirmed, Outcome, Pause, PauseReason, Stage, State};
pub use time::{Millis, Timestamp};
pub use traffic::{BasisPoints, Match, MatchOn, Percent, Routing, Side, Sticky};
pub use waiting::Waiting;
pub use watch::{Assessment, Check, CheckState, InconclusiveAction, UnhealthyAction, WatchSpec, WatchState};
