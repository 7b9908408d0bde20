//! What every gate owes: it fails closed.

use plugin_host::{Answer, CallContext, CallError, Called, Evidence, GateVerdict};

use towpath_sdk::testing::worlds::Fault;

use super::{Bench, CALL_MS, Keeper, List, SHORT_MS, civil, common};
use crate::ToolError;
use crate::call::EvidenceForm;

type CameOfIt = Result<Called<Answer>, CallError>;

pub(super) async fn prove(bench: &Bench, list: &mut List) -> Result<(), ToolError> {
    let (pass, fail) = (evidence(bench, &bench.case.gate.pass)?, evidence(bench, &bench.case.gate.fail)?);
    let context = || bench.context(bench.settings(), CALL_MS);
    bench.world.reset(Keeper::Documents, &bench.case.gate.world);

    if pass.is_empty() {
        list.not_asked("good evidence passes", "the case names no evidence in `gate.pass`");
    } else {
        let said = ask(bench, &context(), &pass).await;
        list.note("good evidence passes", verdict_is(&said, true));
        let again = ask(bench, &context(), &pass).await;
        list.note("the same question has the same answer", same(&said, &again));
    }
    if fail.is_empty() {
        list.not_asked("bad evidence does not pass", "the case names no evidence in `gate.fail`");
    } else {
        list.note("bad evidence does not pass", closed(&ask(bench, &context(), &fail).await));
    }
    list.note("no evidence is no pass", closed(&ask(bench, &context(), &[]).await));
    let changed = |content: Vec<u8>| changed(&pass, &content);
    list.note("empty evidence is no pass", closed(&ask(bench, &context(), &changed(Vec::new())).await));
    list.note("huge evidence of no form is no pass", closed(&ask(bench, &context(), &changed(common::huge())).await));
    if let Some(half) = pass.first().map(|one| one.content[..one.content.len() / 2].to_vec()) {
        list.note("half of the evidence is no pass", closed(&ask(bench, &context(), &changed(half)).await));
    }
    let unknown = bench.context(common::with_unknown(&bench.settings()), CALL_MS);
    list.note("settings that nobody knows are no pass", closed(&ask(bench, &unknown, &pass).await));
    let mut broken = Ok(());
    for text in common::NO_SETTINGS {
        let said = closed(&ask(bench, &bench.context(text.to_owned(), CALL_MS), &pass).await);
        broken = broken.and(said.map_err(|why| format!("with the settings {text}: {why}")));
    }
    list.note("what is no settings is no pass", broken);
    let strange = CallContext { state: Some(common::STRANGE_STATE.to_vec()), ..context() };
    list.note("a state of somebody else does no harm", civil(&ask(bench, &strange, &pass).await));

    bench.world.set_fault(Fault::Silent);
    let context = bench.context(bench.settings(), SHORT_MS);
    // Who asks nobody may well pass what is good in a world that is silent.
    let evidence = if asks_somebody(bench) { pass.as_slice() } else { &[] };
    let (said, kept) = bench.within_its_time(ask(bench, &context, evidence)).await;
    list.note("it ends by its deadline in a world that is silent, and does not pass", kept.and(closed(&said)));
    Ok(())
}

/// Returns whether the gate asks for a power that can find something out.
fn asks_somebody(bench: &Bench) -> bool {
    let powers = &bench.plugin.manifest().powers;
    ["command", "http", "runtime", "ssh", "telemetry"].iter().any(|power| powers.contains_key(*power))
}

fn evidence(bench: &Bench, forms: &[EvidenceForm]) -> Result<Vec<Evidence>, ToolError> {
    forms.iter().map(|form| form.evidence(&bench.folder)).collect()
}

/// Returns the evidence that passes with other content; of a kind that nobody reads when the case names none.
fn changed(pass: &[Evidence], content: &[u8]) -> Vec<Evidence> {
    let stranger = Evidence {
        kind: "unknown".to_owned(),
        name: "unknown".to_owned(),
        media_type: String::new(),
        digest: String::new(),
        content: content.to_vec(),
    };
    let changed = pass.first().map_or(stranger, |one| Evidence { content: content.to_vec(), ..one.clone() });
    vec![changed]
}

async fn ask(bench: &Bench, context: &CallContext, evidence: &[Evidence]) -> CameOfIt {
    bench.plugin.evaluate(context, evidence, &bench.grants()).await
}

/// Returns a sentence unless the gate said that the step may not go on, or nothing.
fn closed(said: &CameOfIt) -> Result<(), String> {
    civil(said)?;
    match said {
        Ok(called) if called.answer.verdict == GateVerdict::Pass => Err(format!("it passed: {}", called.answer.sentence)),
        Ok(called) if called.answer.sentence.trim().is_empty() => Err("it gave no reason".to_owned()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn verdict_is(said: &CameOfIt, pass: bool) -> Result<(), String> {
    match said {
        Ok(called) if (called.answer.verdict == GateVerdict::Pass) == pass => Ok(()),
        Ok(called) => Err(format!("it said {:?}: {}", called.answer.verdict, called.answer.sentence)),
        Err(error) => Err(error.to_string()),
    }
}

fn same(one: &CameOfIt, other: &CameOfIt) -> Result<(), String> {
    match (one, other) {
        (Ok(one), Ok(other)) if one.answer == other.answer => Ok(()),
        (Ok(one), Ok(other)) => Err(format!("first {:?}, then {:?}", one.answer, other.answer)),
        (Err(error), _) | (_, Err(error)) => Err(error.to_string()),
    }
}
