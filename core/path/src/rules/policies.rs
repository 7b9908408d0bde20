//! What holds for a whole run: policies and deadlines, with their defaults.

use model::{InconclusiveAction, Millis, Policies, Supersede, UnhealthyAction};

use crate::text::node::Node;
use crate::text::reader::{Reader, Setting};

/// How long a deployment waits for its turn by default: a working day, so that nothing deploys that nobody remembers.
const QUEUE_EXPIRES_AFTER: Millis = Millis::hours(8);

/// How long a pause may last by default: over a night, not over a weekend.
const PAUSE_EXPIRES_AFTER: Millis = Millis::hours(24);

/// How long the way back may take by default before a person is called.
const WAY_BACK_DEADLINE: Millis = Millis::minutes(15);

/// How often a retryable failure is retried by default: with the machine's growing pauses, about half a minute.
const ATTEMPTS_MAX: u32 = 8;

/// How long a reconcile may go without progress by default: the slow start of a large service.
pub(crate) const RECONCILE_DEADLINE: Millis = Millis::minutes(10);

/// How long a gate may take by default to find its answer.
pub(crate) const GATE_DEADLINE: Millis = Millis::minutes(10);

/// Returns the policies of a path that says nothing: supersede what is queued, eight hours in the queue, a day of pause, a
/// quarter of an hour for the way back, eight attempts.
pub fn default_policies() -> Policies {
    Policies {
        supersede: Supersede::Queued,
        queue_expires_after: QUEUE_EXPIRES_AFTER,
        pause_expires_after: PAUSE_EXPIRES_AFTER,
        way_back_deadline: WAY_BACK_DEADLINE,
        attempts_max: ATTEMPTS_MAX,
    }
}

/// What the file says of them; what it does not say has its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PolicyRules {
    pub(crate) supersede: Option<Supersede>,
    pub(crate) queue_expires_after: Option<Setting<Millis>>,
    pub(crate) pause_expires_after: Option<Setting<Millis>>,
    pub(crate) way_back_deadline: Option<Setting<Millis>>,
    pub(crate) attempts_max: Option<Setting<u32>>,
    pub(crate) reconcile_deadline: Option<Setting<Millis>>,
}

/// Reads `policies`.
pub(crate) fn policies(reader: &mut Reader<'_>, node: Option<&Node>) -> PolicyRules {
    let known = ["supersede", "queueExpiresAfter", "pauseExpiresAfter", "wayBackDeadline", "attemptsMax", "reconcileDeadline"];
    let Some(fields) = node.and_then(|node| reader.fields(node, "policies", &known)) else { return PolicyRules::default() };
    let words = [("never", Supersede::Never), ("queued", Supersede::Queued), ("active", Supersede::Active)];
    PolicyRules {
        supersede: fields.get("supersede").and_then(|node| reader.choice(node, "supersede", &words)),
        queue_expires_after: reader.setting_of(&fields, "queueExpiresAfter", "queueExpiresAfter"),
        pause_expires_after: reader.setting_of(&fields, "pauseExpiresAfter", "pauseExpiresAfter"),
        way_back_deadline: reader.setting_of(&fields, "wayBackDeadline", "wayBackDeadline"),
        attempts_max: reader.setting_of(&fields, "attemptsMax", "attemptsMax"),
        reconcile_deadline: reader.setting_of(&fields, "reconcileDeadline", "reconcileDeadline"),
    }
}

/// Reads `onFailure`: `rollback` where nothing is said.
pub(crate) fn on_failure(reader: &mut Reader<'_>, node: Option<&Node>) -> UnhealthyAction {
    let words = [("rollback", UnhealthyAction::GoBack), ("pause", UnhealthyAction::Pause)];
    node.and_then(|node| reader.choice(node, "onFailure", &words)).unwrap_or(UnhealthyAction::GoBack)
}

/// Reads `onInconclusive`: `pause` where nothing is said.
pub(crate) fn on_inconclusive(reader: &mut Reader<'_>, node: Option<&Node>) -> InconclusiveAction {
    let words = [("pause", InconclusiveAction::Pause), ("rollback", InconclusiveAction::GoBack)];
    node.and_then(|node| reader.choice(node, "onInconclusive", &words)).unwrap_or(InconclusiveAction::Pause)
}
