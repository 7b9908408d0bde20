//! What a gate owes: it fails closed.

use super::deadline::Deadline;
use super::{FOREIGN_STATES, LARGE_BYTES, LONG, NOT_SETTINGS, UNKNOWN, hold, hold_numbers, with_unknown};
use crate::gate::{Answer, Evidence, Gate, Verdict, evaluate};
use crate::testing::{World, context, in_boxed_world};

/// A case in which the gate passes; the suite takes something away, and the gate must not.
pub struct GateCase {
    settings: String,
    evidence: Vec<Evidence>,
    world: Option<fn() -> Box<dyn World>>,
}

impl GateCase {
    /// Returns the case of a gate that needs no power: with these settings and this evidence it passes.
    pub fn new(settings: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self { settings: settings.into(), evidence, world: None }
    }

    /// Returns the case with the world in which the gate passes; in a world that refuses everything it must not.
    #[must_use]
    pub fn in_world(mut self, world: fn() -> Box<dyn World>) -> Self {
        self.world = Some(world);
        self
    }

    fn ask<G: Gate>(&self, settings: &str, evidence: Vec<Evidence>, state: Option<&[u8]>) -> Answer {
        let mut context = context(settings);
        context.state = state.map(<[u8]>::to_vec);
        let ask = || evaluate::<G>(context, evidence);
        let answer = match self.world {
            Some(world) => in_boxed_world(world(), ask),
            None => ask(),
        };
        hold_numbers("numbers-are-finite", &answer.measurements);
        answer
    }
}

/// Has a gate prove itself. Panics with the name of the check that fails.
pub fn gate<G: Gate>(case: &GateCase) {
    let good = |state| case.ask::<G>(&case.settings, case.evidence.clone(), state);
    let first = good(None);
    expect("the-good-case-passes", "pass", &first, |verdict| matches!(verdict, Verdict::Pass));
    let second = good(None);
    hold("twice-is-the-same", said(&first) == said(&second), &said(&first), &said(&second));
    for state in FOREIGN_STATES {
        expect("a-foreign-state-changes-nothing", "pass", &good(Some(state)), |verdict| matches!(verdict, Verdict::Pass));
    }
    settings_are_checked::<G>(case);
    evidence_is_checked::<G>(case);
    if case.world.is_some() {
        let bare = GateCase { settings: case.settings.clone(), evidence: case.evidence.clone(), world: None };
        no_pass("a-refused-power-is-no-pass", &bare.ask::<G>(&case.settings, case.evidence.clone(), None));
        let silent = GateCase { world: Some(|| Box::new(Deadline::silent(context("{}").deadline_ms))), ..bare };
        no_pass("it-ends-by-its-deadline", &silent.ask::<G>(&case.settings, case.evidence.clone(), None));
    }
}

fn settings_are_checked<G: Gate>(case: &GateCase) {
    let answer = case.ask::<G>(&with_unknown(&case.settings), case.evidence.clone(), None);
    let named = matches!(answer.verdict, Verdict::Error) && answer.sentence.contains(UNKNOWN);
    hold("unknown-settings-are-refused-by-name", named, &format!("an error that names {UNKNOWN}"), &said(&answer));
    for settings in NOT_SETTINGS {
        let answer = case.ask::<G>(settings, case.evidence.clone(), None);
        expect("settings-that-are-no-object-are-an-error", "error", &answer, |verdict| matches!(verdict, Verdict::Error));
    }
}

fn evidence_is_checked<G: Gate>(case: &GateCase) {
    if case.evidence.is_empty() {
        return;
    }
    let ask = |evidence| case.ask::<G>(&case.settings, evidence, None);
    no_pass("no-evidence-is-no-pass", &ask(Vec::new()));
    let content =
        |content: Vec<u8>| case.evidence.iter().map(|one| Evidence { content: content.clone(), ..one.clone() }).collect();
    for garbage in [Vec::new(), b"\xff\xfe\x00".to_vec(), b"NaN".to_vec(), vec![b'x'; LARGE_BYTES]] {
        no_pass("garbage-is-no-pass", &ask(content(garbage)));
    }
    let foreign = Evidence {
        kind: "of-another-kind".to_owned(),
        name: "x".repeat(100),
        media_type: String::new(),
        digest: String::new(),
        content: b"{}".to_vec(),
    };
    no_pass("foreign-evidence-is-no-pass", &ask(vec![foreign; LONG]));
}

fn no_pass(check: &str, answer: &Answer) {
    expect(check, "anything but pass", answer, |verdict| !matches!(verdict, Verdict::Pass));
}

fn expect(check: &str, expected: &str, answer: &Answer, holds: fn(&Verdict) -> bool) {
    hold(check, holds(&answer.verdict), expected, &said(answer));
}

fn said(answer: &Answer) -> String {
    format!("{:?}: {}", answer.verdict, answer.sentence)
}
