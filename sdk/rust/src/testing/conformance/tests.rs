//! The suites catch plugins that are broken in one way each, and let good ones pass.

use std::panic::catch_unwind;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{GateCase, HealthCase, gate, health};
use crate::powers::{clock, http};
use crate::prelude::*;
use crate::testing::World;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Strict {}

#[derive(Deserialize, JsonSchema)]
struct Lax {}

/// A gate with one flaw; 0 has none.
struct Flawed<const FLAW: u8>;

impl<const FLAW: u8> Gate for Flawed<FLAW> {
    type Settings = Strict;

    fn evaluate(question: &Question<Strict>) -> Answer {
        let contents: Vec<_> = question.evidence.iter().filter(|one| one.kind == "ok" || FLAW == 3).collect();
        let good = contents.iter().all(|one| one.content == b"yes") || FLAW == 2;
        let passes = match FLAW {
            1 => good,
            3 => !contents.is_empty() && contents.iter().all(|one| one.content == b"yes" || one.content == b"{}"),
            4 => good && question.context.state.is_none() && !contents.is_empty(),
            _ => good && !contents.is_empty(),
        };
        let answer = if passes { Answer::pass("good") } else { Answer::fail("bad") };
        answer.measured((FLAW == 5).then(|| Measurement::new("nothing", f64::NAN, "1")))
    }
}

struct Careless;

impl Gate for Careless {
    type Settings = Lax;

    fn evaluate(question: &Question<Lax>) -> Answer {
        match question.evidence.first() {
            Some(one) if one.content == b"yes" => Answer::pass("good"),
            _ => Answer::fail("bad"),
        }
    }
}

fn case() -> GateCase {
    let text = |text: &str| text.to_owned();
    let one = Evidence { kind: text("ok"), name: text("n"), media_type: text("t"), digest: text(""), content: b"yes".to_vec() };
    GateCase::new("{}", vec![one])
}

/// Returns the name of the check that fails.
pub(super) fn failed(suite: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = catch_unwind(suite).expect_err("the plugin is broken");
    let message = panic.downcast_ref::<String>().expect("a message");
    message.split('`').nth(1).expect("a check's name").to_owned()
}

#[test]
fn a_good_gate_passes_and_a_broken_one_is_caught_by_name() {
    gate::<Flawed<0>>(&case());
    assert_eq!(failed(|| gate::<Flawed<1>>(&case())), "no-evidence-is-no-pass");
    assert_eq!(failed(|| gate::<Flawed<2>>(&case())), "garbage-is-no-pass");
    assert_eq!(failed(|| gate::<Flawed<3>>(&case())), "foreign-evidence-is-no-pass");
    assert_eq!(failed(|| gate::<Flawed<4>>(&case())), "a-foreign-state-changes-nothing");
    assert_eq!(failed(|| gate::<Flawed<5>>(&case())), "numbers-are-finite");
    assert_eq!(failed(|| gate::<Careless>(&case())), "unknown-settings-are-refused-by-name");
    let never = || gate::<Flawed<0>>(&GateCase::new("{}", Vec::new()));
    assert_eq!(failed(never), "the-good-case-passes");
    let up = || case().in_world(|| Box::new(Up));
    assert_eq!(failed(|| gate::<Waits>(&up())), "it-ends-by-its-deadline");
    let asks_nobody = || gate::<Flawed<0>>(&case().in_world(|| Box::new(Up)));
    assert_eq!(failed(asks_nobody), "a-refused-power-is-no-pass");
}

/// A gate that asks until somebody answers.
struct Waits;

impl Gate for Waits {
    type Settings = Strict;

    fn evaluate(question: &Question<Strict>) -> Answer {
        let answer = loop {
            match http::get("http://example.test/") {
                Err(http::Error::Timeout) => {}
                answer => break answer,
            }
        };
        match question.evidence.as_slice() {
            [one] if one.kind == "ok" && one.content == b"yes" && answer.is_ok() => Answer::pass("good"),
            _ => Answer::fail("bad"),
        }
    }
}

/// Everything answers with success.
struct Up;

impl World for Up {
    fn fetch(&mut self, _: &http::Request) -> Result<http::Response, http::Error> {
        Ok(http::Response::new(200, ""))
    }
}

/// A health check with one flaw; 0 has none.
struct Ill<const FLAW: u8>;

impl<const FLAW: u8> HealthCheck for Ill<FLAW> {
    type Settings = Strict;

    fn assess(look: &Look<Strict>) -> Assessment {
        let Some(candidate) = &look.subjects.candidate else {
            return if FLAW == 1 { Assessment::healthy("nobody") } else { Assessment::inconclusive("nobody") };
        };
        let Some(endpoint) = &candidate.endpoint else {
            return if FLAW == 2 { Assessment::healthy("nowhere") } else { Assessment::inconclusive("nowhere") };
        };
        let state = look.context.state.as_deref();
        while FLAW == 7 && matches!(http::get(endpoint), Err(http::Error::Timeout)) {
            clock::pause_ms(1_000);
        }
        match http::get(endpoint) {
            _ if FLAW == 4 => Assessment::inconclusive("never sure"),
            Ok(_) if FLAW == 5 && state.is_some() => Assessment::healthy("it remembers"),
            Ok(answer) if answer.is_success() => {
                let elapsed = if FLAW == 6 { f64::INFINITY } else { 1.0 };
                Assessment::healthy("up").measured([Measurement::new("latency", elapsed, "ms")])
            }
            Err(_) if FLAW == 3 => Assessment::healthy("no news is good news"),
            Err(http::Error::Timeout) if FLAW == 8 && clock::now_ms() > 0 => Assessment::healthy("it did not say no in time"),
            Ok(_) | Err(_) => Assessment::unhealthy("down"),
        }
    }
}

fn well() -> HealthCase {
    HealthCase::new("{}", || Box::new(Up))
}

#[test]
fn a_good_health_check_passes_and_a_broken_one_is_caught_by_name() {
    health::<Ill<0>>(&well());
    assert_eq!(failed(|| health::<Ill<1>>(&well())), "no-candidate-is-not-healthy");
    assert_eq!(failed(|| health::<Ill<2>>(&well())), "no-endpoint-is-not-healthy");
    assert_eq!(failed(|| health::<Ill<3>>(&well())), "no-data-is-not-healthy");
    assert_eq!(failed(|| health::<Ill<4>>(&well())), "a-well-candidate-is-healthy");
    assert_eq!(failed(|| health::<Ill<5>>(&well())), "a-foreign-state-is-no-state");
    assert_eq!(failed(|| health::<Ill<6>>(&well())), "numbers-are-finite");
    assert_eq!(failed(|| health::<Ill<7>>(&well())), "it-ends-by-its-deadline");
    assert_eq!(failed(|| health::<Ill<8>>(&well())), "no-data-is-not-healthy");
}
