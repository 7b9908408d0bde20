//! Plain lines, for logs and pipes.

use std::io;

use towpath_proto::v1;

use crate::output::Output;
use crate::text::{line, time_of_day};

/// Remembers what was said last, so that nothing is said twice in a row.
#[derive(Default)]
pub(super) struct Lines {
    last: String,
}

impl Lines {
    /// Writes a line, if there is any news in the update.
    pub(super) fn update(&mut self, update: &v1::DeploymentUpdate, output: &mut Output) -> io::Result<()> {
        let deployment = update.deployment.clone().unwrap_or_default();
        let news = !matches!(update.event.as_str(), "operation-intended" | "step-completed");
        if !news || update.sentence == self.last {
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
}
