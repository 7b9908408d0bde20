//! A plan as plain text, the way `towpath plan` prints it: no colour, 100 columns.

use model::{Percent, Plan};

use super::explain::{ExplainedStep, Summary, explain, summarise};
use crate::text::source::shown_text;

/// How wide the text may be.
const WIDTH: usize = 100;

/// Where the second and further lines of a step begin.
const INDENT: usize = 6;

/// Returns the plan as text for people.
pub fn render_plan(plan: &Plan) -> String {
    let mut text = String::new();
    head(&mut text, plan);
    let steps = explain(plan);
    let id_width = steps.iter().map(|step| step.id.as_str().len()).max().unwrap_or_default();
    let phase_width = steps.iter().map(|step| step.phase.as_str().len()).max().unwrap_or_default();
    for step in &steps {
        one(&mut text, step, id_width, phase_width);
    }
    foot(&mut text, &summarise(plan), steps.len());
    text
}

/// Adds a line. Labels and names come from people: a terminal must not obey them.
fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.push_str(shown_text(&words.to_string()).trim_end());
    text.push('\n');
}

fn head(text: &mut String, plan: &Plan) {
    let label = if plan.release.label.is_empty() { plan.release.id.as_str() } else { &plan.release.label };
    line(text, format_args!("{} {label} to {} by {}", plan.scope.service, plan.scope.environment, plan.strategy));
    line(text, format_args!(""));
    line(text, format_args!("  path      {}", plan.path));
    line(text, format_args!("  release   {}", plan.release.id));
    line(text, format_args!("  artifact  {}", plan.release.artifact.reference));
    line(text, format_args!("            {}", plan.release.artifact.digest));
    line(text, format_args!("  target    {}", plan.target.name));
    line(text, format_args!("  plan      {}", plan.hash));
    if plan.first {
        line(text, format_args!("  first     nothing is stable here yet: the strategy begins with the next release"));
    }
    line(text, format_args!(""));
}

fn one(text: &mut String, step: &ExplainedStep, id_width: usize, phase_width: usize) {
    let mut marks = format!("within {}", step.deadline);
    if step.extra_capacity > Percent::NONE {
        marks.push_str(&format!(", {} extra", step.extra_capacity));
    }
    if step.point_of_no_return {
        marks.push_str(", point of no return");
    }
    line(
        text,
        format_args!("{:>3}.  {:id_width$}  {:phase_width$}  {marks}", step.number, step.id.as_str(), step.phase.as_str()),
    );
    wrapped(text, "does", &step.does);
    wrapped(text, "why", &step.why);
    wrapped(text, "waits for", &step.waits_for);
    for (index, look) in step.looks.iter().enumerate() {
        wrapped(text, if index == 0 { "looks" } else { "" }, look);
    }
}

fn foot(text: &mut String, summary: &Summary, steps: usize) {
    line(text, format_args!(""));
    line(text, format_args!("  steps            {steps}, at least {} long", summary.least_duration));
    line(text, format_args!("  extra capacity   {} at most", summary.extra_capacity));
    if summary.interruption {
        line(text, format_args!("  interruption     nobody is served between close and open"));
    }
    line(text, format_args!("  on failure       before promote: {}", summary.on_failure_before));
    line(text, format_args!("                   after promote: {}", summary.on_failure_after));
}

/// Writes a labelled sentence, folded at the width.
fn wrapped(text: &mut String, label: &str, sentence: &str) {
    const LABEL: usize = 11;
    let mut row = format!("{:INDENT$}{label:LABEL$}", "");
    let empty = row.chars().count();
    for word in sentence.split_whitespace() {
        let used = row.chars().count();
        if used > empty && used + 1 + word.chars().count() > WIDTH {
            line(text, format_args!("{row}"));
            row = format!("{:empty$}", "");
        }
        if row.chars().count() > empty {
            row.push(' ');
        }
        row.push_str(word);
    }
    line(text, format_args!("{row}"));
}
