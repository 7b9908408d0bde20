//! Plain lines, for logs and pipes.

use std::io;

use towpath_proto::v1;

use crate::output::Output;
use crate::text::{line, time_of_day};

/// What is only of interest in the journal: the intent of what is told once it is done, and the end of what is no longer waited for.
const QUIET: [&str; 3] = ["operation-intended", "operation-abandoned", "step-completed"];

/// Remembers what was said last, so that nothing is said twice.
#[derive(Default)]
pub(super) struct Lines {
    last: String,
    verdicts: Vec<(String, String)>,
}

impl Lines {
    /// Writes a line, if there is any news in the update.
    pub(super) fn update(&mut self, update: &v1::DeploymentUpdate, output: &mut Output) -> io::Result<()> {
        let deployment = update.deployment.clone().unwrap_or_default();
        if QUIET.contains(&update.event.as_str()) || update.sentence == self.last || !self.is_news(update, &deployment) {
            return Ok(());
        }
        self.last = update.sentence.clone();
        let paint = output.paint();
        let sentence = line(&update.sentence);
        let sentence = match update.event.as_str() {
            "turned-back" | "operation-retried" => paint.bad(&sentence),
            "paused" => paint.waits(&sentence),
            "ended" if deployment.phase == "succeeded" => paint.good(&sentence),
            "ended" => paint.bad(&sentence),
            _ => sentence,
        };
        let time = paint.faint(&time_of_day(update.at_ms));
        writeln!(output.out, "{time}  {:<17}  {sentence}", line(&deployment.phase))?;
        output.out.flush()
    }

    /// A look that found what the one before it found is no news: a watch takes many.
    fn is_news(&mut self, update: &v1::DeploymentUpdate, deployment: &v1::Deployment) -> bool {
        if update.event != "operation-completed" || deployment.waiting_kind != "verdict" {
            return true;
        }
        let verdict = |check: &v1::CheckStatus| (format!("{} {}", check.step, check.name), check.verdict.clone());
        let verdicts = deployment.checks.iter().map(verdict).collect();
        let changed = verdicts != self.verdicts;
        self.verdicts = verdicts;
        changed
    }
}
