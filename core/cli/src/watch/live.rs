//! The live view: drawn over itself, never higher than the terminal.

use std::io;

use towpath_proto::v1;

use super::frame::{self, Size};
use crate::output::Output;

/// A terminal whose size is not known is taken for the smallest usual one.
const UNKNOWN: Size = Size { width: 80, height: 24 };

/// What is drawn at the moment.
#[derive(Default)]
pub(super) struct Live {
    drawn: usize,
    lost: Option<String>,
    said: (u64, String),
}

impl Live {
    /// Draws the deployment over what was drawn before.
    pub(super) fn draw(&mut self, update: &v1::DeploymentUpdate, now: i64, output: &mut Output) -> io::Result<()> {
        if update.version > self.said.0 {
            // Something came: the connection is there.
            self.lost = None;
            self.said.0 = update.version;
            if update.event != "operation-intended" {
                self.said.1.clone_from(&update.sentence);
            }
        }
        let sentence = match &self.lost {
            Some(message) => format!("the connection broke off ({message}); trying again"),
            None => self.said.1.clone(),
        };
        self.frame(update, &sentence, now, output)
    }

    /// Says on the next drawing that the connection is gone.
    pub(super) fn lost(&mut self, message: &str) {
        self.lost = Some(message.to_owned());
    }

    /// Draws for the last time; the view stays on the screen.
    pub(super) fn leave(&mut self, update: &v1::DeploymentUpdate, now: i64, output: &mut Output) -> io::Result<()> {
        let outcome = update.deployment.as_ref().map(|deployment| deployment.outcome.clone()).unwrap_or_default();
        self.frame(update, &outcome, now, output)
    }

    fn frame(&mut self, update: &v1::DeploymentUpdate, sentence: &str, now: i64, output: &mut Output) -> io::Result<()> {
        let Some(deployment) = &update.deployment else { return Ok(()) };
        let size = terminal_size::terminal_size()
            .map_or(UNKNOWN, |(width, height)| Size { width: width.0.into(), height: height.0.into() });
        let lines = frame::draw(deployment, sentence, now, size, output.paint());
        let mut text = String::new();
        if self.drawn > 0 {
            // Up to the first line of the old frame, and everything below is gone; written at once, so that nothing flickers.
            text.push_str(&format!("\x1b[{}A\r\x1b[0J", self.drawn));
        }
        for line in &lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        self.drawn = lines.len();
        output.out.write_all(text.as_bytes())?;
        output.out.flush()
    }
}
