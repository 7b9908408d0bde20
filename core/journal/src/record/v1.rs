//! Version 1 of the records. Never edited once released; a change is a new version beside it.
//!
//! In an enum's lines the first word of each pair is the model's member (`0` for the only one of a tuple), the second the name
//! that is written.

use super::Unreadable;
use super::mirror::{Hex, Mirror, mirror_enum, mirror_struct};

mirror_struct!(/// See [`model::Scope`].
    Scope = model::Scope { service: String, environment: String });
mirror_struct!(/// See [`model::Actor`]. The first records did not say from where.
    Actor = model::Actor { name: String, groups: Vec<String>, #[serde(default)] from: String });
mirror_struct!(/// See [`model::Artifact`].
    Artifact = model::Artifact { reference: String, digest: String });
mirror_struct!(/// See [`model::ReleaseSpec`].
    ReleaseSpec = model::ReleaseSpec { id: String, label: String, artifact: Artifact, configuration: String });
mirror_struct!(/// See [`model::SideDesired`].
    SideDesired = model::SideDesired { release: ReleaseSpec, capacity: u8 });
mirror_struct!(/// See [`model::Desired`].
    Desired = model::Desired { stable: Option<SideDesired>, candidate: Option<SideDesired>, routing: Routing });
mirror_enum!(/// See [`model::Side`].
    Side = model::Side { Stable {}, Candidate {} });
mirror_enum!(/// See [`model::MatchOn`].
    MatchOn = model::MatchOn { Header { 0 name: String }, Cookie { 0 name: String } });
mirror_enum!(/// See [`model::Sticky`].
    Sticky = model::Sticky { Header { 0 name: String }, Cookie { 0 name: String } });
mirror_struct!(/// See [`model::Match`].
    Match = model::Match { on: MatchOn, value: String, side: Side });
mirror_enum!(/// See [`model::Routing`].
Routing = model::Routing {
    Closed {},
    Open { candidate candidate: u16, matches matches: Vec<Match>, mirror mirror: u16, sticky sticky: Option<Sticky> },
});
mirror_struct!(/// See [`model::PluginUse`].
    PluginUse = model::PluginUse { name: String, digest: String, settings: String });
mirror_enum!(/// See [`model::GateAnswer`].
    GateAnswer = model::GateAnswer { Pass {}, Fail {}, Wait {}, Error {} });
mirror_enum!(/// See [`model::Verdict`].
    Verdict = model::Verdict { Healthy {}, Unhealthy {}, Inconclusive {}, Error {} });
mirror_struct!(/// See [`model::Interval`].
    Interval = model::Interval { low_micros: i64, high_micros: i64 });
// What a test says was not there at first: it is not written where there is none, so that older records keep their bytes.
mirror_struct!(/// See [`model::Measurement`].
Measurement = model::Measurement {
    name: String, value_micros: i64, unit: String, side: Option<Side>, limit_micros: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")] samples: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")] interval: Option<Interval>,
    #[serde(default, skip_serializing_if = "Option::is_none")] test: Option<String>,
});
mirror_enum!(/// See [`model::UnhealthyAction`].
    UnhealthyAction = model::UnhealthyAction { GoBack {}, Pause {} });
mirror_enum!(/// See [`model::InconclusiveAction`].
    InconclusiveAction = model::InconclusiveAction { Pause {}, GoBack {} });
mirror_struct!(/// See [`model::Check`].
    Check = model::Check { health: PluginUse, interval: u64, failures_to_decide: u32, errors_tolerated: u32 });
mirror_struct!(/// See [`model::WatchSpec`].
WatchSpec = model::WatchSpec {
    duration: u64, checks: Vec<Check>, on_unhealthy: UnhealthyAction, on_inconclusive: InconclusiveAction, patience: u64,
});
mirror_struct!(/// See [`model::Assessment`].
Assessment = model::Assessment {
    verdict: Verdict, measurements: Vec<Measurement>, sentence: String, plugin_state: Option<Hex>, next_look_after: Option<u64>,
});
mirror_enum!(/// See [`model::Strategy`].
    Strategy = model::Strategy { Canary {}, BlueGreen {}, Rolling {}, Recreate {}, Restore {} });
mirror_enum!(/// See [`model::Supersede`].
    Supersede = model::Supersede { Never {}, Queued {}, Active {} });
mirror_struct!(/// See [`model::Policies`].
Policies = model::Policies {
    supersede: Supersede, queue_expires_after: u64, pause_expires_after: u64, way_back_deadline: u64, attempts_max: u32,
});
mirror_enum!(/// See [`model::Phase`].
Phase = model::Phase {
    Queued {}, Checking {}, AwaitingApproval {}, Preparing {}, Provisioning {}, Shifting {}, Promoting {}, Soaking {},
    Finalising {}, RollingBack {}, Succeeded {}, RolledBack {}, Rejected {}, Expired {}, Superseded {}, Aborted {},
    RollbackFailed {}, Blocked {},
});
mirror_enum!(/// See [`model::Arrangement`].
Arrangement = model::Arrangement {
    SideBySide { stable stable: u8, candidate candidate: u8, routing routing: Routing },
    CandidateAlone {},
    StableAlone {},
});
mirror_enum!(/// See [`model::StepKind`].
StepKind = model::StepKind {
    Gate { gate gate: PluginUse },
    Approval {
        from from: Vec<String>, quorum quorum: u32, expires_after expires_after: u64,
        requester_may_approve requester_may_approve: bool,
    },
    Action { action action: PluginUse, undoable undoable: bool },
    Reconcile { arrangement arrangement: Arrangement },
    Watch { 0 spec: WatchSpec },
    Wait { duration duration: u64, until until: Option<i64> },
    Promote {},
});
mirror_struct!(/// See [`model::Step`].
Step = model::Step {
    id: String, phase: Phase, kind: StepKind, reason: String, deadline: u64, extra_capacity: u8, point_of_no_return: bool,
});
mirror_struct!(/// See [`model::Plan`].
Plan = model::Plan {
    hash: String, scope: Scope, release: ReleaseSpec, path: String, strategy: Strategy, first: bool, target: PluginUse,
    steps: Vec<Step>, policies: Policies,
});
mirror_struct!(/// See [`model::Approval`].
    Approval = model::Approval { by: Actor, at: i64, step: String, plan: String });
mirror_struct!(/// See [`model::SideObservation`].
SideObservation = model::SideObservation {
    side: Side, release: String, digest: String, ready: u32, wanted: u32, endpoint: Option<String>,
});
mirror_struct!(/// See [`model::Observation`].
Observation = model::Observation {
    sides: Vec<SideObservation>, candidate_weight: u16, public_endpoint: Option<String>, highest_fence: u64, drift: Vec<String>,
});
mirror_struct!(/// See [`model::Fault`].
    Fault = model::Fault { message: String, retryable: bool });
mirror_enum!(/// See [`model::OperationKind`].
OperationKind = model::OperationKind {
    AskGate {}, Reconcile { desired desired: Desired }, Look { check check: u64 }, Act { step step: u64 }, Undo { step step: u64 },
});
mirror_struct!(/// See [`model::Operation`].
Operation = model::Operation {
    key: String, fence: Option<u64>, kind: OperationKind, attempt: u32, failures: u32, outcome_unknown: bool, not_before: i64,
    intended_at: i64, plugin_state: Option<Hex>, message: String,
});
mirror_enum!(/// See [`model::OperationResult`].
OperationResult = model::OperationResult {
    Gate { answer answer: GateAnswer, measurements measurements: Vec<Measurement>, sentence sentence: String },
    Converged { 0 observation: Observation },
    Look { 0 assessment: Assessment },
    Done {},
    Failed { 0 fault: Fault },
    Superseded { 0 highest_fence: u64 },
});
mirror_struct!(/// See [`model::Confirmed`].
    Confirmed = model::Confirmed { stable: u8, candidate: u8, routing: Routing });
mirror_enum!(/// See [`model::BackStep`].
    BackStep = model::BackStep { RaiseStable {}, RestoreTraffic {}, Undo { step step: u64 }, RemoveCandidate {} });
mirror_enum!(/// See [`model::Cause`].
Cause = model::Cause {
    Unhealthy { step step: String, check check: String, sentence sentence: String },
    StepFailed { step step: String, message message: String },
    DeadlinePassed { step step: String, waiting_for waiting_for: String },
    PauseExpired { reason reason: String },
    Aborted { by by: Actor, reason reason: String },
    RolledBack { by by: Actor, reason reason: String },
    Superseded { by by: String },
    FencedOff { highest highest: u64 },
});
mirror_enum!(/// See [`model::PauseReason`].
PauseReason = model::PauseReason {
    Person { by by: Actor, reason reason: String },
    Inconclusive { check check: String, sentence sentence: String },
    Unhealthy { check check: String, sentence sentence: String },
});
mirror_struct!(/// See [`model::Pause`].
    Pause = model::Pause { reason: PauseReason, since: i64, deadline: i64 });
mirror_enum!(/// See [`model::Outcome`].
Outcome = model::Outcome {
    Succeeded {},
    RolledBack { 0 cause: Cause },
    Aborted { by by: Actor, reason reason: String },
    Rejected { reason reason: String },
    Expired { waiting_for waiting_for: String },
    Superseded { by by: String },
    RollbackFailed { cause cause: Cause, message message: String },
    Blocked { needs needs: String },
});
mirror_enum!(/// See [`model::HowCompleted`].
    HowCompleted = model::HowCompleted { Done {}, Healthy {}, WaivedBy { 0 by: Actor } });
mirror_enum!(/// See [`model::Event`].
Event = model::Event {
    Requested { id id: String, plan plan: Plan, by by: Actor, at at: i64, deadline deadline: i64 },
    Activated { stable stable: Option<ReleaseSpec>, fence fence: u64, at at: i64 },
    StepEntered { step step: u64, at at: i64, deadline deadline: i64 },
    StepCompleted { step step: u64, how how: HowCompleted, at at: i64 },
    OperationIntended { operation operation: Operation, asks_for asks_for: Option<Confirmed> },
    OperationProgressed {
        key key: String, attempt attempt: u32, not_before not_before: i64, message message: String,
        observation observation: Option<Observation>, plugin_state plugin_state: Option<Hex>, deadline deadline: Option<i64>,
    },
    OperationRetried {
        key key: String, attempt attempt: u32, message message: String, not_before not_before: i64,
        outcome_unknown outcome_unknown: bool, counts counts: bool,
    },
    OperationCompleted { key key: String, attempt attempt: u32, result result: OperationResult, at at: i64 },
    OperationAbandoned { key key: String, reason reason: String },
    Approved { approval approval: Approval },
    Paused { pause pause: Pause },
    Resumed { by by: Actor, at at: i64 },
    CandidatePromoted { at at: i64 },
    PromotionReverted { at at: i64 },
    TurnedBack { cause cause: Cause, steps steps: Vec<BackStep>, at at: i64, deadline deadline: i64 },
    BackStepCompleted { step step: u64, at at: i64 },
    Ended { outcome outcome: Outcome, at at: i64 },
});
