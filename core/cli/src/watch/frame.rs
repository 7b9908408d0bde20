//! One picture of a deployment: pure, so that it can be tested as text.

use towpath_proto::v1;
use v1::StepState;

use crate::paint::Paint;
use crate::text::{cut, duration, line, number, percent};

/// How much room there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Columns.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
}

/// The width of the traffic bar: one mark for five percent.
const BAR: usize = 20;

/// So many steps have room before the measurements of checks do.
const STEPS_SHOWN: usize = 5;

/// A line before it is painted: cut first, painted after, so that no colour code is ever cut in two.
struct Line {
    text: String,
    mood: Mood,
}

#[derive(Clone, Copy)]
enum Mood {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Waits,
}

impl Line {
    fn new(mood: Mood, text: impl Into<String>) -> Self {
        Self { text: text.into(), mood }
    }

    fn finish(&self, width: usize, paint: Paint) -> String {
        let text = cut(&line(&self.text), width);
        match self.mood {
            Mood::Plain => text,
            Mood::Strong => paint.strong(&text),
            Mood::Faint => paint.faint(&text),
            Mood::Good => paint.good(&text),
            Mood::Bad => paint.bad(&text),
            Mood::Waits => paint.waits(&text),
        }
    }
}

/// Draws a deployment: at most one line less than the terminal has, each at most one column less than it is wide.
pub(crate) fn draw(deployment: &v1::Deployment, sentence: &str, now: i64, size: Size, paint: Paint) -> Vec<String> {
    let mut top = vec![title(deployment, now), traffic(deployment)];
    let mut bottom: Vec<Line> = waiting(deployment, now).into_iter().collect();
    if !sentence.is_empty() {
        bottom.push(Line::new(mood_of_the_end(deployment), format!("» {sentence}")));
    }
    let room = size.height.saturating_sub(1).max(1);
    let steps = steps(deployment, now);
    let taken = top.len() + bottom.len() + steps.len().min(STEPS_SHOWN);
    let mut checks = checks(deployment, room.saturating_sub(taken));
    checks.append(&mut bottom);
    bottom = checks;
    let left = room.saturating_sub(top.len() + bottom.len());
    top.extend(window(steps, left));
    top.extend(bottom);
    top.truncate(room);
    let width = size.width.saturating_sub(1).max(1);
    top.iter().map(|line| line.finish(width, paint)).collect()
}

fn mood_of_the_end(deployment: &v1::Deployment) -> Mood {
    match deployment.ended {
        false => Mood::Plain,
        true if deployment.phase == "succeeded" => Mood::Good,
        true => Mood::Bad,
    }
}

fn title(deployment: &v1::Deployment, now: i64) -> Line {
    let scope = deployment.scope.clone().unwrap_or_default();
    let from = match deployment.stable_label.as_str() {
        "" => "nothing".to_owned(),
        label => label.to_owned(),
    };
    let until = if deployment.ended { deployment.ended_at_ms } else { now };
    let paused = if deployment.paused && !deployment.ended { " (paused)" } else { "" };
    let text = format!(
        "{} → {}: {from} → {}  {}{paused}  {}  [{} {}]",
        scope.service,
        scope.environment,
        deployment.release_label,
        deployment.phase,
        duration(until - deployment.requested_at_ms),
        deployment.path,
        deployment.strategy,
    );
    Line::new(Mood::Strong, text)
}

fn traffic(deployment: &v1::Deployment) -> Line {
    let Some(traffic) = &deployment.traffic else { return Line::new(Mood::Faint, "traffic  not known yet") };
    if !traffic.open {
        return Line::new(Mood::Faint, "traffic  nobody is served");
    }
    let share = traffic.candidate_basis_points.min(10_000);
    // Any traffic at all shows as one mark: the bar must not hide it.
    let marks = (usize::try_from(share).unwrap_or(0) * BAR).div_ceil(10_000);
    let text = format!(
        "traffic  [{}{}] candidate {} (capacity {}%), stable {} (capacity {}%)",
        "█".repeat(marks),
        "·".repeat(BAR - marks),
        percent(share),
        traffic.candidate_capacity_percent,
        percent(10_000 - share),
        traffic.stable_capacity_percent,
    );
    Line::new(Mood::Plain, text)
}

fn steps(deployment: &v1::Deployment, now: i64) -> Vec<(Line, StepState)> {
    let all = deployment.steps.iter().chain(&deployment.way_back);
    all.map(|step| (step_line(step, now), step.state())).collect()
}

fn step_line(step: &v1::StepStatus, now: i64) -> Line {
    let (mark, mood) = match step.state() {
        StepState::Done => ("✓", Mood::Good),
        StepState::Running => ("▶", Mood::Strong),
        StepState::Failed => ("✗", Mood::Bad),
        StepState::Skipped => ("–", Mood::Faint),
        StepState::Pending | StepState::Unspecified => ("·", Mood::Faint),
    };
    let took = match (step.entered_at_ms, step.ended_at_ms) {
        (0, _) => String::new(),
        (entered, 0) => duration(now - entered),
        (entered, ended) => duration(ended - entered),
    };
    let name = if step.id.is_empty() { "way back" } else { &step.id };
    let note = if step.note.is_empty() { String::new() } else { format!(" ({})", step.note) };
    Line::new(mood, format!("  {mark} {name:<14} {took:>7}  {}{note}", step.does))
}

/// Returns as many step lines as there is room for, around the one that runs.
fn window(steps: Vec<(Line, StepState)>, room: usize) -> Vec<Line> {
    if steps.len() <= room {
        return steps.into_iter().map(|(line, _)| line).collect();
    }
    if room < 3 {
        return steps.into_iter().filter(|(_, state)| *state == StepState::Running).map(|(line, _)| line).take(room).collect();
    }
    let current = steps.iter().rposition(|(_, state)| matches!(state, StepState::Running | StepState::Failed | StepState::Done));
    let shown = room - 2;
    let first = current.unwrap_or(0).saturating_sub(shown / 2).min(steps.len() - shown);
    let (before, after) = (first, steps.len() - shown - first);
    let hidden = |count: usize, where_: &str| Line::new(Mood::Faint, format!("    {count} steps {where_}"));
    let mut lines = vec![hidden(before, "before")];
    lines.extend(steps.into_iter().skip(first).take(shown).map(|(line, _)| line));
    lines.push(hidden(after, "to come"));
    lines
}

/// Returns a line for each check and, as far as there is room for all of them, one for each of its measurements.
fn checks(deployment: &v1::Deployment, room: usize) -> Vec<Line> {
    let all = deployment.checks.iter().map(|check| 1 + check.measurements.len()).sum::<usize>();
    let with_measurements = all <= room;
    let lines = |check: &v1::CheckStatus| {
        let measured: Vec<Line> = match with_measurements {
            true => check.measurements.iter().map(measurement_line).collect(),
            false => Vec::new(),
        };
        std::iter::once(check_line(check)).chain(measured)
    };
    deployment.checks.iter().flat_map(lines).collect()
}

fn check_line(check: &v1::CheckStatus) -> Line {
    let mood = match check.verdict.as_str() {
        "healthy" => Mood::Good,
        "unhealthy" | "error" => Mood::Bad,
        _ => Mood::Waits,
    };
    let verdict = if check.verdict.is_empty() { "not asked yet" } else { &check.verdict };
    Line::new(mood, format!("  {:<16} {verdict}  {}", check.name, check.sentence).trim_end())
}

fn measurement_line(measured: &v1::Measurement) -> Line {
    Line::new(Mood::Faint, format!("      {}", measurement(measured)))
}

/// Returns a measurement against its limit, with what it rests on.
pub(crate) fn measurement(measured: &v1::Measurement) -> String {
    let side = match measured.side() {
        v1::Side::Stable => "stable ",
        v1::Side::Candidate => "candidate ",
        v1::Side::Unspecified => "",
    };
    let unit = if measured.unit == "1" { String::new() } else { format!(" {}", measured.unit) };
    let mut text = format!("{side}{} {}{unit}", measured.name, number(measured.value));
    if let Some(limit) = measured.limit {
        text.push_str(&format!(", limit {}", number(limit)));
    }
    if let Some(v1::Interval { low, high }) = measured.interval {
        text.push_str(&format!(", within {} to {}", number(low), number(high)));
    }
    if let Some(samples) = measured.samples {
        text.push_str(&format!(", {samples} samples"));
    }
    if !measured.test.is_empty() {
        text.push_str(&format!(", {}", measured.test));
    }
    text
}

fn waiting(deployment: &v1::Deployment, now: i64) -> Option<Line> {
    if deployment.waiting.is_empty() || deployment.waiting_kind == "nothing" || deployment.ended {
        return None;
    }
    let left = match deployment.deadline_ms {
        0 => String::new(),
        deadline => format!(" (at most {})", duration(deadline - now)),
    };
    Some(Line::new(Mood::Waits, format!("waits for {}{left}", deployment.waiting)))
}

#[cfg(test)]
mod tests;
