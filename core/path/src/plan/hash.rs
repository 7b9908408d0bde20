//! The hash of a plan, over a serialisation written by hand: it is our own, and no library changes it.
//!
//! Every field is written with its length before it, every variant with its number, so that no two plans are written alike.
//! Structures are taken apart without `..`: a field that is added does not compile until it is part of the hash.

use model::{
    Arrangement, Artifact, Check, CheckRole, Digest, InconclusiveAction, Match, MatchOn, Millis, Phase, Plan, PlanHash,
    PluginUse, Policies, ReleaseSpec, Routing, Scope, Side, Step, StepKind, Sticky, Strategy, Supersede, UnhealthyAction,
    WatchSpec,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Names the form of the serialisation: a changed form is a changed name.
const FORM: &[u8] = b"towpath plan v1";

/// Writing fields so that their borders are part of what is hashed.
pub(crate) trait Field {
    /// Adds a field: its length, then its bytes.
    fn field(&mut self, bytes: &[u8]);
}

impl Field for Sha256 {
    fn field(&mut self, bytes: &[u8]) {
        self.update((bytes.len() as u64).to_be_bytes());
        self.update(bytes);
    }
}

/// Returns a value as JSON with sorted keys and no spaces, the same for equal values whatever built them.
pub(crate) fn canonical(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Object(entries) => {
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| key.as_str());
            let entry = |(key, value): &(&String, &Value)| format!("{}:{}", Value::String((*key).clone()), canonical(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Returns the hash of a document, without its comments and its layout.
pub(crate) fn document(value: &Value) -> Digest {
    Digest(Sha256::digest(canonical(value).as_bytes()).into())
}

/// Returns what stands in a plan's hash until it is sealed.
pub(crate) fn unsealed() -> PlanHash {
    PlanHash::new("unsealed").unwrap_or_else(|invalid| panic!("BUG: {invalid}"))
}

/// Returns the plan with its hash filled in.
pub(crate) fn sealed(plan: Plan) -> Plan {
    let mut writer = Writer(Sha256::new());
    writer.plan(&plan);
    let digest = Digest(writer.0.finalize().into()).to_string();
    Plan { hash: PlanHash::new(&digest).unwrap_or_else(|invalid| panic!("BUG: {invalid}")), ..plan }
}

struct Writer(Sha256);

impl Writer {
    fn text(&mut self, text: &str) {
        self.0.field(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.field(&number.to_be_bytes());
    }

    fn list<T>(&mut self, items: &[T], mut one: impl FnMut(&mut Self, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| one(self, item));
    }

    fn plan(&mut self, plan: &Plan) {
        let Plan { hash: _, scope, release, path, strategy, first, target, steps, policies } = plan;
        let Scope { service, environment } = scope;
        self.0.field(FORM);
        self.text(service.as_str());
        self.text(environment.as_str());
        self.release(release);
        self.text(path);
        self.number(match strategy {
            Strategy::Canary => 0,
            Strategy::BlueGreen => 1,
            Strategy::Rolling => 2,
            Strategy::Recreate => 3,
            Strategy::Restore => 4,
        });
        self.number(u64::from(*first));
        self.plugin(target);
        self.list(steps, Self::step);
        self.policies(policies);
    }

    fn release(&mut self, release: &ReleaseSpec) {
        let ReleaseSpec { id, label, artifact, configuration } = release;
        let Artifact { reference, digest } = artifact;
        [id.as_str(), label, reference, configuration].into_iter().for_each(|text| self.text(text));
        self.0.field(&digest.0);
    }

    fn plugin(&mut self, plugin: &PluginUse) {
        let PluginUse { name, digest, settings } = plugin;
        self.text(name);
        self.0.field(&digest.0);
        self.text(settings);
    }

    fn policies(&mut self, policies: &Policies) {
        let Policies { supersede, queue_expires_after, pause_expires_after, way_back_deadline, attempts_max } = policies;
        self.number(match supersede {
            Supersede::Never => 0,
            Supersede::Queued => 1,
            Supersede::Active => 2,
        });
        [queue_expires_after, pause_expires_after, way_back_deadline].into_iter().for_each(|time| self.number(time.0));
        self.number(u64::from(*attempts_max));
    }

    fn step(&mut self, step: &Step) {
        let Step { id, phase, kind, reason, deadline, extra_capacity, point_of_no_return } = step;
        self.text(id.as_str());
        self.text(Phase::as_str(*phase));
        self.kind(kind);
        self.text(reason);
        self.number(deadline.0);
        self.number(u64::from(extra_capacity.get()));
        self.number(u64::from(*point_of_no_return));
    }

    fn kind(&mut self, kind: &StepKind) {
        match kind {
            StepKind::Gate { gate } => {
                self.number(0);
                self.plugin(gate);
            }
            StepKind::Approval { from, quorum, expires_after, requester_may_approve } => {
                self.number(1);
                self.list(from, |writer, who| writer.text(who));
                self.number(u64::from(*quorum));
                self.number(expires_after.0);
                self.number(u64::from(*requester_may_approve));
            }
            StepKind::Action { action, undoable } => {
                self.number(2);
                self.plugin(action);
                self.number(u64::from(*undoable));
            }
            StepKind::Reconcile { arrangement } => {
                self.number(3);
                self.arrangement(arrangement);
            }
            // A watch that says nothing new is written as it was before there was more to say, and keeps its plan's hash.
            StepKind::Watch(spec) if is_plain(spec) => {
                self.number(4);
                self.watch(spec, |_, _| {});
            }
            StepKind::Watch(spec) => {
                self.number(7);
                self.watch(spec, Self::more_of);
                self.number(u64::from(spec.until_decided));
            }
            StepKind::Wait { duration, until } => {
                self.number(5);
                self.number(duration.0);
                self.list(until.as_slice(), |writer, until| writer.0.field(&until.0.to_be_bytes()));
            }
            StepKind::Promote => self.number(6),
        }
    }

    fn arrangement(&mut self, arrangement: &Arrangement) {
        match arrangement {
            Arrangement::SideBySide { stable, candidate, routing } => {
                self.number(0);
                self.number(u64::from(stable.get()));
                self.number(u64::from(candidate.get()));
                self.routing(routing);
            }
            Arrangement::CandidateAlone => self.number(1),
            Arrangement::StableAlone => self.number(2),
        }
    }

    fn routing(&mut self, routing: &Routing) {
        let Routing::Open { candidate, matches, mirror, sticky } = routing else { return self.number(0) };
        self.number(1);
        self.number(u64::from(candidate.get()));
        self.list(matches, |writer, Match { on, value, side }| {
            match on {
                MatchOn::Header(name) => writer.part(0, name),
                MatchOn::Cookie(name) => writer.part(1, name),
            }
            writer.text(value);
            writer.number(match side {
                Side::Stable => 0,
                Side::Candidate => 1,
            });
        });
        self.number(u64::from(mirror.get()));
        self.list(sticky.as_slice(), |writer, sticky| match sticky {
            Sticky::Header(name) => writer.part(0, name),
            Sticky::Cookie(name) => writer.part(1, name),
        });
    }

    fn part(&mut self, kind: u64, name: &str) {
        self.number(kind);
        self.text(name);
    }

    fn watch(&mut self, spec: &WatchSpec, more_of: fn(&mut Self, &Check)) {
        let WatchSpec { duration, checks, on_unhealthy, on_inconclusive, patience, until_decided: _ } = spec;
        self.number(duration.0);
        self.list(checks, |writer, check| {
            let Check { health, interval, failures_to_decide, errors_tolerated, role: _, start_after: _ } = check;
            writer.plugin(health);
            writer.number(interval.0);
            writer.number(u64::from(*failures_to_decide));
            writer.number(u64::from(*errors_tolerated));
            more_of(writer, check);
        });
        self.number(match on_unhealthy {
            UnhealthyAction::GoBack => 0,
            UnhealthyAction::Pause => 1,
        });
        self.number(match on_inconclusive {
            InconclusiveAction::Pause => 0,
            InconclusiveAction::GoBack => 1,
        });
        self.number(patience.0);
    }

    fn more_of(&mut self, check: &Check) {
        self.number(match check.role {
            CheckRole::Deciding => 0,
            CheckRole::Critical => 1,
            CheckRole::DryRun => 2,
        });
        self.number(check.start_after.0);
    }
}

fn is_plain(spec: &WatchSpec) -> bool {
    let plain = |check: &Check| check.role == CheckRole::Deciding && check.start_after == Millis(0);
    !spec.until_decided && spec.checks.iter().all(plain)
}
