//! Running the user's commands and reading their answers.

use std::path::Path;
use std::process::Stdio;

use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::failure::Failure;
use crate::up;

/// A deployment as it was followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deployed {
    /// The release's label.
    pub(crate) release: String,
    /// The phase it ended in.
    pub(crate) outcome: String,
    /// Its last sentence.
    pub(crate) sentence: String,
    /// From the request to the end.
    pub(crate) duration_ms: i64,
    /// When it was taken back; Unix milliseconds.
    pub(crate) turned_back_at_ms: Option<i64>,
    /// When the target confirmed that the good side has all traffic again.
    pub(crate) restored_at_ms: Option<i64>,
}

/// One line of `towpath watch --json`; of its many fields those that the demo looks at.
#[derive(Debug, Deserialize)]
pub(crate) struct Update {
    /// When, in Unix milliseconds.
    pub(crate) at_ms: i64,
    /// What, in kebab-case.
    pub(crate) event: String,
    /// What, as a sentence.
    pub(crate) sentence: String,
    /// The deployment after it.
    pub(crate) deployment: Deployment,
}

/// The deployment in an update.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployment {
    /// Its phase.
    pub(crate) phase: String,
    /// When it was requested.
    pub(crate) requested_at_ms: i64,
    /// How it ended, as a sentence.
    pub(crate) outcome: String,
    /// Its traffic.
    pub(crate) traffic: Option<Traffic>,
}

/// The traffic in an update.
#[derive(Debug, Deserialize)]
pub(crate) struct Traffic {
    /// The candidate's share.
    pub(crate) candidate_basis_points: u32,
}

/// Runs a command and returns its JSON answer.
pub(crate) async fn ask(data_dir: &Path, arguments: &[&str]) -> Result<Value, Failure> {
    let output = command(data_dir, arguments)?.output().await.map_err(|error| not_started(arguments, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new("TP0400", format!("`towpath {}` failed: {}", arguments.join(" "), said.trim())));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new("TP0400", format!("`towpath {}` did not answer in JSON: {error}", arguments.join(" "))))
}

/// A running `towpath watch --json`.
pub(crate) struct Watching {
    lines: Lines<BufReader<ChildStdout>>,
    // Ends with us.
    _child: Child,
}

impl Watching {
    /// Starts to follow a deployment.
    pub(crate) fn start(data_dir: &Path, deployment: &str) -> Result<Self, Failure> {
        let arguments = ["watch", deployment];
        let mut command = command(data_dir, &arguments)?;
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| not_started(&arguments, &error))?;
        let out = child.stdout.take().ok_or_else(|| Failure::new("TP0400", "a watch has no output"))?;
        Ok(Self { lines: BufReader::new(out).lines(), _child: child })
    }

    /// Returns the next update; `None` behind the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Update>, Failure> {
        let line = self.lines.next_line().await.map_err(|error| Failure::of("TP0400", &error))?;
        let update = line.map(|line| serde_json::from_str(&line)).transpose();
        update.map_err(|error| Failure::new("TP0400", format!("a watch said something else than an update: {error}")))
    }
}

fn command(data_dir: &Path, arguments: &[&str]) -> Result<Command, Failure> {
    let mut command = Command::new(up::own_program()?);
    command.args(arguments).arg("--json").arg("--log").arg("warn").arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    Ok(command)
}

fn not_started(arguments: &[&str], error: &std::io::Error) -> Failure {
    Failure::new("TP0400", format!("`towpath {}` could not be started: {error}", arguments.join(" ")))
}

impl Deployed {
    /// Takes an update in.
    pub(crate) fn see(&mut self, update: &Update) {
        self.outcome.clone_from(&update.deployment.phase);
        self.duration_ms = update.at_ms - update.deployment.requested_at_ms;
        self.sentence.clone_from(if update.deployment.outcome.is_empty() {
            &update.sentence
        } else {
            &update.deployment.outcome
        });
        let back_at_stable = |traffic: &Traffic| traffic.candidate_basis_points == 0;
        match update.event.as_str() {
            "turned-back" => self.turned_back_at_ms = Some(update.at_ms),
            "operation-completed" | "back-step-completed"
                if self.turned_back_at_ms.is_some()
                    && self.restored_at_ms.is_none()
                    && update.deployment.traffic.as_ref().is_some_and(back_at_stable) =>
            {
                self.restored_at_ms = Some(update.at_ms);
            }
            _ => {}
        }
    }
}
