//! What every health check owes: no data is not healthy.

use plugin_host::{Assessment, CallContext, CallError, Called, Grants, HealthVerdict, Subject, Subjects, Window};

use towpath_sdk::testing::worlds::Fault;

use super::{Bench, CALL_MS, Keeper, List, SHORT_MS, WATCHED_MS, civil, common, state_bytes_max};
use crate::ToolError;

type CameOfIt = Result<Called<Assessment>, CallError>;

pub(super) async fn prove(bench: &Bench, list: &mut List) -> Result<(), ToolError> {
    let case = &bench.case.health;
    let there = subjects(Some(bench.world.address().to_owned()));
    let (well, ill) = (case.well(), case.ill());
    match &well {
        None => list.not_asked(
            "a candidate that is well is healthy",
            "the case names nothing in `health.healthy` or `health.healthyWorld`",
        ),
        Some(world) => {
            bench.world.reset(Keeper::Documents, world);
            let (said, state) = settle(bench, &there).await;
            list.note("a candidate that is well is healthy", verdict_is(&said, HealthVerdict::Healthy));
            list.note("its state can be kept", small(state));
        }
    }
    match &ill {
        None => list.not_asked(
            "a candidate that is not well is not healthy",
            "the case names nothing in `health.unhealthy` or `health.unhealthyWorld`",
        ),
        Some(world) => {
            bench.world.reset(Keeper::Documents, world);
            let (said, state) = settle(bench, &there).await;
            list.note("a candidate that is not well is not healthy", closed(&said));
            list.note("its state can be kept when all is not well", small(state));
        }
    }
    bench.world.reset(Keeper::Documents, &well.unwrap_or_default());
    let context = || bench.context(bench.settings(), CALL_MS);
    list.note("nobody there is not healthy", closed(&ask(bench, &context(), &Subjects::default(), &bench.grants()).await));
    if !case.without_endpoint {
        list.note("no endpoint is not healthy", closed(&ask(bench, &context(), &subjects(None), &bench.grants()).await));
    }
    list.note("without grants nothing is healthy", closed(&ask(bench, &context(), &there, &Grants::default()).await));
    let unknown = bench.context(common::with_unknown(&bench.settings()), CALL_MS);
    list.note("settings that nobody knows are an error", refused(&ask(bench, &unknown, &there, &bench.grants()).await));
    let mut broken = Ok(());
    for text in common::NO_SETTINGS {
        let said = refused(&ask(bench, &bench.context(text.to_owned(), CALL_MS), &there, &bench.grants()).await);
        broken = broken.and(said.map_err(|why| format!("with the settings {text}: {why}")));
    }
    list.note("what is no settings is an error", broken);
    let strange = CallContext { state: Some(common::STRANGE_STATE.to_vec()), ..context() };
    list.note("a state of somebody else does no harm", civil(&ask(bench, &strange, &there, &bench.grants()).await));
    list.note("it ends by its deadline in a world that is silent, and is not healthy", deadline(bench, &there).await);
    Ok(())
}

async fn deadline(bench: &Bench, there: &Subjects) -> Result<(), String> {
    bench.world.set_fault(Fault::Silent);
    let (context, grants) = (bench.context(bench.settings(), SHORT_MS), bench.grants());
    let (said, kept) = bench.within_its_time(ask(bench, &context, there, &grants)).await;
    kept?;
    closed(&said)
}

/// Looks until there is a verdict, carrying the state; returns the last look and the largest state.
async fn settle(bench: &Bench, there: &Subjects) -> (CameOfIt, usize) {
    let mut state = None;
    let mut largest = 0;
    let mut look = 1;
    loop {
        let context = CallContext { state: state.take(), attempt: look, ..bench.context(bench.settings(), CALL_MS) };
        let said = ask(bench, &context, there, &bench.grants()).await;
        let Ok(called) = &said else { return (said, largest) };
        largest = largest.max(called.answer.state.as_ref().map_or(0, Vec::len));
        if called.answer.verdict != HealthVerdict::Inconclusive || look >= bench.case.health.looks {
            return (said, largest);
        }
        state = called.answer.state.clone();
        look += 1;
    }
}

fn subjects(endpoint: Option<String>) -> Subjects {
    let subject = |release: &str, basis_points| Subject {
        release: release.to_owned(),
        label: release.to_owned(),
        artifact_digest: format!("sha256:{}", "0".repeat(64)),
        endpoint: endpoint.clone(),
        ready: 1,
        wanted: 1,
        basis_points,
    };
    let (stable, candidate) = (Some(subject("v1", 9_000)), Some(subject("v2", 1_000)));
    Subjects { stable, candidate, public_endpoint: endpoint }
}

async fn ask(bench: &Bench, context: &CallContext, subjects: &Subjects, grants: &Grants) -> CameOfIt {
    let window = Window { started_ms: bench.started_ms, ends_ms: bench.started_ms.saturating_add(2 * WATCHED_MS) };
    bench.plugin.assess(context, subjects, &window, grants).await
}

fn closed(said: &CameOfIt) -> Result<(), String> {
    civil(said)?;
    match said {
        Ok(called) if called.answer.verdict == HealthVerdict::Healthy => {
            Err(format!("it said healthy: {}", called.answer.sentence))
        }
        Ok(called) if called.answer.sentence.trim().is_empty() => Err("it gave no reason".to_owned()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Settings that do not fit are the check's own failure, not the candidate's.
fn refused(said: &CameOfIt) -> Result<(), String> {
    verdict_is(said, HealthVerdict::Error)
}

fn verdict_is(said: &CameOfIt, wanted: HealthVerdict) -> Result<(), String> {
    match said {
        Ok(called) if called.answer.verdict == wanted => Ok(()),
        Ok(called) => Err(format!("it said {:?}: {}", called.answer.verdict, called.answer.sentence)),
        Err(error) => Err(format!("{error}{}", super::last_line(error))),
    }
}

fn small(bytes: usize) -> Result<(), String> {
    if bytes <= state_bytes_max() { Ok(()) } else { Err(format!("it has {bytes} bytes, at most {} are kept", state_bytes_max())) }
}
