//! `towpath audit show`: who did what, when, from where, and what came of it.

use api::outcome;
use cli::Output;
use engine::Clock;
use journal::{DeploymentFilter, DeploymentRow, Stamped, Store, StoreError};
use model::{Actor, Cause, DeploymentId, Event, HowCompleted, Outcome, Pause, PauseReason, Plan, Timestamp};
use serde::Serialize;

use crate::args::{AuditShowArgs, Since};
use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::store;

/// Deployments that are listed at once.
const PAGE: u32 = 500;

/// Acts that are shown: more cannot be read, and each is held in memory until all are in order.
const ACTS_MAX: usize = 10_000;

/// How far back is shown where nothing else was said.
const SINCE: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// So much of a digest tells it from others: "sha256:" and twelve digits. JSON has all of it.
const DIGEST_SHOWN: usize = 19;

/// Who did what nobody did.
const ITSELF: &str = "towpath";

/// Something that somebody did.
#[derive(Debug, Serialize)]
pub(super) struct Act {
    #[serde(serialize_with = "in_words")]
    pub(super) at: Timestamp,
    pub(super) by: String,
    pub(super) groups: Vec<String>,
    pub(super) from: String,
    pub(super) what: String,
    pub(super) service: String,
    pub(super) environment: String,
    pub(super) deployment: String,
    /// The plugin that it was done with; empty for what was done in a deployment.
    pub(super) plugin: String,
    /// That plugin's digest.
    pub(super) digest: String,
    pub(super) result: String,
}

pub(super) async fn run(journal: &dyn Store, place: &str, args: &AuditShowArgs, output: &mut Output) -> Result<(), Failure> {
    let failed = |error: StoreError| store::failed(place, &error);
    let Found { mut acts, unreadable } = match args.plugin {
        None => read(journal, args).await.map_err(failed)?,
        Some(_) => Found { acts: Vec::new(), unreadable: Vec::new() },
    };
    let plugins = super::plugins::read(journal, args, since(args)).await.map_err(failed)?;
    acts.extend(plugins.acts);
    acts.sort_by_key(|act| act.at);
    if acts.len() > ACTS_MAX {
        let message = format!("there is more to show than {ACTS_MAX} lines");
        return Err(Failure::new("TP0408", message).usage().hint("ask for less with --since, --service, --environment or --by"));
    }
    tell(output, &acts).map_err(|error| Failure::of("", &error))?;
    if let Some(first) = unreadable.first() {
        let message = format!("{} deployments in {place} cannot be shown; the first: {first}", unreadable.len());
        return Err(Failure::new("TP0402", message).hint("`towpath audit verify` names all of them"));
    }
    match plugins.unreadable.first() {
        None => Ok(()),
        Some(first) => {
            let message =
                format!("{} records of plugins in {place} cannot be shown; the first: {first}", plugins.unreadable.len());
            Err(Failure::new("TP0402", message).hint("compare the journal with a backup"))
        }
    }
}

/// What was found, and why some of it was not.
struct Found {
    acts: Vec<Act>,
    unreadable: Vec<StoreError>,
}

async fn read(journal: &dyn Store, args: &AuditShowArgs) -> Result<Found, StoreError> {
    let since = since(args);
    let mut filter = DeploymentFilter {
        service: args.service.clone(),
        environment: args.environment.clone(),
        limit: PAGE,
        ..DeploymentFilter::default()
    };
    let (mut acts, mut unreadable) = (Vec::new(), Vec::new());
    while acts.len() <= ACTS_MAX {
        let rows = journal.deployments(&filter).await?;
        let Some(last) = rows.last() else { break };
        filter.before = Some(last.id.clone());
        let wanted = |id: &DeploymentId| args.deployment.as_ref().is_none_or(|wanted| wanted == id.as_str());
        // Nothing happens to a deployment that is over.
        for row in rows.iter().filter(|row| wanted(&row.id) && row.ended_at.is_none_or(|ended| ended >= since)) {
            let loaded = match journal.load(&row.id).await {
                Ok(Some(loaded)) => loaded,
                Ok(None) => continue,
                // The others are shown all the same.
                Err(error) if error.is_of_one_deployment() => {
                    unreadable.push(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let found = acts_of(row, &loaded.events).into_iter();
            acts.extend(found.filter(|act| act.at >= since && args.by.as_ref().is_none_or(|by| *by == act.by)));
        }
    }
    Ok(Found { acts, unreadable })
}

/// Returns from when on is shown: of one deployment everything, else the last days, where nothing else was said.
fn since(args: &AuditShowArgs) -> Timestamp {
    match args.since.unwrap_or(Since::Ago(SINCE)) {
        _ if args.since.is_none() && args.deployment.is_some() => Timestamp(i64::MIN),
        Since::Instant(instant) => Timestamp(instant.as_millisecond()),
        Since::Ago(ago) => Timestamp(SystemClock.now().0.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))),
    }
}

/// Returns what was done in a deployment, in order.
fn acts_of(row: &DeploymentRow, events: &[Stamped]) -> Vec<Act> {
    let Some(Event::Requested { plan, .. }) = events.first().map(|stamped| &stamped.event) else { return Vec::new() };
    let turned = events.iter().any(|stamped| matches!(stamped.event, Event::TurnedBack { .. }));
    let acts = events.iter().filter_map(|stamped| {
        let (by, what, result) = act(&stamped.event, plan, row, turned)?;
        let (name, groups, from) = match by {
            Some(Actor { name, groups, from }) => (name.clone(), groups.clone(), from.clone()),
            None => (ITSELF.to_owned(), Vec::new(), String::new()),
        };
        Some(Act {
            at: stamped.at,
            by: name,
            groups,
            from,
            what,
            service: row.scope.service.to_string(),
            environment: row.scope.environment.to_string(),
            deployment: row.id.to_string(),
            plugin: String::new(),
            digest: String::new(),
            result,
        })
    });
    acts.collect()
}

/// Returns who did something with an event, what, and what came of it; `None` for what only carries on. Whether the deployment was
/// taken back says whether its end is still somebody's act.
fn act<'a>(event: &'a Event, plan: &Plan, row: &DeploymentRow, turned: bool) -> Option<(Option<&'a Actor>, String, String)> {
    let done = || "done".to_owned();
    Some(match event {
        Event::Requested { plan, by, .. } => {
            let what = format!("deploy {} along {}", plan.release.label, plan.path);
            (Some(by), what, row.phase.to_string())
        }
        Event::Approved { approval } => (Some(&approval.by), format!("approve {}", approval.step), done()),
        Event::Paused { pause: Pause { reason: PauseReason::Person { by, reason }, .. } } => {
            (Some(by), because("pause", reason), done())
        }
        Event::Paused { pause: Pause { reason: PauseReason::Inconclusive { check, sentence }, .. } } => {
            (None, format!("pause: {check} could not tell"), sentence.clone())
        }
        Event::Paused { pause: Pause { reason: PauseReason::Unhealthy { check, sentence }, .. } } => {
            (None, format!("pause: {check} found it unhealthy"), sentence.clone())
        }
        Event::Resumed { by, .. } => (Some(by), "resume".to_owned(), done()),
        Event::StepCompleted { step, how: HowCompleted::WaivedBy(by), .. } => {
            let step = plan.steps.get(*step).map_or_else(|| step.to_string(), |step| step.id.to_string());
            (Some(by), format!("promote: do not wait for {step}"), done())
        }
        Event::TurnedBack { cause: Cause::Aborted { by, reason }, .. } => {
            (Some(by), because("abort", reason), row.phase.to_string())
        }
        Event::TurnedBack { cause: Cause::RolledBack { by, reason }, .. } => {
            (Some(by), because("roll back", reason), row.phase.to_string())
        }
        Event::TurnedBack { cause, .. } => (None, "take it back".to_owned(), outcome::cause(cause)),
        Event::Ended { outcome: Outcome::Aborted { by, reason }, .. } if !turned => {
            (Some(by), because("abort", reason), row.phase.to_string())
        }
        Event::Ended { outcome, .. } => (None, "end".to_owned(), format!("{}: {}", outcome.phase(), outcome::outcome(outcome))),
        Event::Activated { .. }
        | Event::StepEntered { .. }
        | Event::StepCompleted { how: HowCompleted::Done | HowCompleted::Healthy, .. }
        | Event::OperationIntended { .. }
        | Event::OperationProgressed { .. }
        | Event::OperationRetried { .. }
        | Event::OperationCompleted { .. }
        | Event::OperationAbandoned { .. }
        | Event::CandidatePromoted { .. }
        | Event::PromotionReverted { .. }
        | Event::BackStepCompleted { .. } => return None,
    })
}

fn because(what: &str, reason: &str) -> String {
    match reason {
        "" => what.to_owned(),
        reason => format!("{what}: {reason}"),
    }
}

fn tell(output: &mut Output, acts: &[Act]) -> std::io::Result<()> {
    if output.context.json {
        return writeln!(output.out, "{}", serde_json::to_string(acts)?);
    }
    let or_dash = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    let row = |act: &Act| {
        let place = match act.plugin.as_str() {
            "" => format!("{}/{}", act.service, act.environment),
            plugin => format!("{plugin}@{}", act.digest.chars().take(DIGEST_SHOWN).collect::<String>()),
        };
        vec![
            instant(act.at),
            act.by.clone(),
            or_dash(&act.from),
            place,
            or_dash(&act.deployment),
            act.what.clone(),
            act.result.clone(),
        ]
    };
    let rows: Vec<_> = acts.iter().map(row).collect();
    output.table(&["TIME", "BY", "FROM", "WHERE", "DEPLOYMENT", "WHAT", "RESULT"], &rows)
}

/// Returns an instant in UTC.
fn instant(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |instant| format!("{instant:.3}"))
}

fn in_words<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&instant(*at))
}
