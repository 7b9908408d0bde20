//! What a health check owes: no data is not healthy.

use super::deadline::Deadline;
use super::worlds::Trouble;
use super::{FOREIGN_STATES, LARGE_BYTES, NOT_SETTINGS, UNKNOWN, hold, hold_numbers, with_unknown};
use crate::health::{Assessment, HealthCheck, Subject, Subjects, Verdict, Window, assess};
use crate::testing::{World, context, in_boxed_world};

/// How many looks a check may need until it finds a well candidate healthy.
const LOOKS_MAX: u32 = 10;

/// A case in which the check finds the candidate healthy; the suite takes something away, and the check must not.
pub struct HealthCase {
    settings: String,
    world: fn() -> Box<dyn World>,
    needs_endpoint: bool,
}

impl HealthCase {
    /// Returns the case: with these settings and in this world, candidate `v2` at 127.0.0.1:4000, beside stable `v1` at
    /// 127.0.0.1:3999, is healthy. The watch begins at 0 and ends at 60000.
    pub fn new(settings: impl Into<String>, world: fn() -> Box<dyn World>) -> Self {
        Self { settings: settings.into(), world, needs_endpoint: true }
    }

    /// Returns the case of a check that judges without asking the candidate itself.
    #[must_use]
    pub fn without_endpoint(mut self) -> Self {
        self.needs_endpoint = false;
        self
    }
}

/// Has a health check prove itself. Panics with the name of the check that fails.
pub fn health<C: HealthCheck>(case: &HealthCase) {
    let look = |settings: &str, subjects: Subjects, state: Option<Vec<u8>>| look::<C>((case.world)(), settings, subjects, state);
    a_well_candidate_is_healthy::<C>(case);
    let (first, second) = (look(&case.settings, subjects(), None), look(&case.settings, subjects(), None));
    hold("twice-is-the-same", said(&first) == said(&second), &said(&first), &said(&second));
    for state in FOREIGN_STATES {
        let found = look(&case.settings, subjects(), Some(state.to_vec()));
        hold("a-foreign-state-is-no-state", said(&found) == said(&first), &said(&first), &said(&found));
    }
    let nobody = Subjects { stable: None, candidate: None, public_endpoint: None };
    not_healthy("no-candidate-is-not-healthy", &look(&case.settings, nobody, None));
    if case.needs_endpoint {
        not_healthy("no-endpoint-is-not-healthy", &look(&case.settings, placed(None), None));
    }
    let large = placed(Some(&"x".repeat(LARGE_BYTES)));
    // Whatever it says of such a place, it says something.
    look(&case.settings, large, None);
    for trouble in Trouble::ALL {
        let world = Deadline::of(trouble, context("{}").deadline_ms);
        not_healthy("no-data-is-not-healthy", &self::look::<C>(Box::new(world), &case.settings, subjects(), None));
    }
    let found = look(&with_unknown(&case.settings), subjects(), None);
    let named = found.verdict == Verdict::Error && found.sentence.contains(UNKNOWN);
    hold("unknown-settings-are-refused-by-name", named, &format!("an error that names {UNKNOWN}"), &said(&found));
    for settings in NOT_SETTINGS {
        let found = look(settings, subjects(), None);
        hold("settings-that-are-no-object-are-an-error", found.verdict == Verdict::Error, "Error", &said(&found));
    }
}

fn a_well_candidate_is_healthy<C: HealthCheck>(case: &HealthCase) {
    let mut found = look::<C>((case.world)(), &case.settings, subjects(), None);
    for _ in 1..LOOKS_MAX {
        if found.verdict == Verdict::Healthy {
            break;
        }
        found = look::<C>((case.world)(), &case.settings, subjects(), found.state.take());
    }
    hold("a-well-candidate-is-healthy", found.verdict == Verdict::Healthy, "Healthy", &said(&found));
}

fn look<C: HealthCheck>(world: Box<dyn World>, settings: &str, subjects: Subjects, state: Option<Vec<u8>>) -> Assessment {
    let mut context = context(settings);
    context.state = state;
    let window = Window { started_ms: 0, ends_ms: 60_000 };
    let found = in_boxed_world(world, || assess::<C>(context, subjects, window));
    hold_numbers("numbers-are-finite", &found.measurements);
    found
}

fn not_healthy(check: &str, found: &Assessment) {
    hold(check, found.verdict != Verdict::Healthy, "anything but Healthy", &said(found));
}

fn subjects() -> Subjects {
    let mut subjects = placed(Some("127.0.0.1:4000"));
    if let Some(stable) = &mut subjects.stable {
        stable.endpoint = Some("127.0.0.1:3999".to_owned());
    }
    subjects
}

fn placed(endpoint: Option<&str>) -> Subjects {
    let endpoint = endpoint.map(str::to_owned);
    let subject = |release: &str, basis_points| Subject { endpoint: endpoint.clone(), basis_points, ..Subject::new(release) };
    Subjects { stable: Some(subject("v1", 9_500)), candidate: Some(subject("v2", 500)), public_endpoint: endpoint.clone() }
}

fn said(found: &Assessment) -> String {
    format!("{:?}: {}", found.verdict, found.sentence)
}
