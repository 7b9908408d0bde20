//! A world that answers nothing while the time of the call runs out.

use super::worlds::Trouble;
use crate::powers::{artifact, command, http, runtime, secret, ssh, telemetry};
use crate::testing::World;

/// Questions that a plugin may still ask when its time is over. A host answers none of them any more; a plugin that goes on and on would
/// have to be cut off, and nobody would hear what it found until then.
const LATE_MAX: u32 = 100;

/// How long a question takes that nobody waits for in particular, in milliseconds.
const ASKED_MS: u32 = 1;

/// A world whose time passes with each question, and in which nothing answers.
pub(super) struct Deadline<W> {
    world: W,
    now_ms: i64,
    deadline_ms: i64,
    late: u32,
}

impl Deadline<Trouble> {
    /// Returns a world without anything in it, where the time of a call ends at this instant.
    pub(super) fn silent(deadline_ms: i64) -> Self {
        Self::of(Trouble::Silent, deadline_ms)
    }
}

impl<W: World> Deadline<W> {
    /// Returns a world that does not answer, with the time running out.
    pub(super) fn of(world: W, deadline_ms: i64) -> Self {
        Self { world, now_ms: 0, deadline_ms, late: 0 }
    }

    /// Lets the time pass that a question takes.
    fn wait(&mut self, wanted_ms: u32) -> &mut W {
        if self.now_ms >= self.deadline_ms {
            self.late += 1;
        }
        let late = self.late;
        super::hold(
            "it-ends-by-its-deadline",
            late <= LATE_MAX,
            &format!("no question any more when the time is over, {LATE_MAX} are borne with"),
            &format!("{late} questions"),
        );
        self.now_ms = self.now_ms.saturating_add(i64::from(wanted_ms.max(ASKED_MS))).min(self.deadline_ms);
        &mut self.world
    }
}

impl<W: World> World for Deadline<W> {
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        self.wait(request.timeout_ms).fetch(request)
    }

    fn runtime_apply(&mut self, desired: &str) -> Result<String, runtime::Error> {
        self.wait(ASKED_MS).runtime_apply(desired)
    }

    fn runtime_status(&mut self) -> Result<Option<String>, runtime::Error> {
        self.wait(ASKED_MS).runtime_status()
    }

    fn runtime_logs(&mut self, release: &str, lines: u32) -> Result<Vec<runtime::LogLine>, runtime::Error> {
        self.wait(ASKED_MS).runtime_logs(release, lines)
    }

    fn telemetry_read(&mut self, query: &telemetry::Query) -> Result<telemetry::Reading, telemetry::Error> {
        self.wait(ASKED_MS).telemetry_read(query)
    }

    fn telemetry_usual(
        &mut self,
        metric: &str,
        aspect: telemetry::Aspect,
        at_ms: i64,
    ) -> Result<Option<telemetry::Expectation>, telemetry::Error> {
        self.wait(ASKED_MS).telemetry_usual(metric, aspect, at_ms)
    }

    fn run_command(&mut self, request: &command::Request) -> Result<command::Outcome, command::Error> {
        self.wait(request.timeout_ms).run_command(request)
    }

    fn ssh_run(&mut self, request: &ssh::Request) -> Result<ssh::Outcome, ssh::Error> {
        self.wait(request.timeout_ms).ssh_run(request)
    }

    fn ssh_put(&mut self, upload: &ssh::Upload) -> Result<(), ssh::Error> {
        self.wait(upload.timeout_ms).ssh_put(upload)
    }

    // Hosts are asked side by side: the time that passes is the longest of theirs.
    fn ssh_run_all(&mut self, requests: &[ssh::Request]) -> Vec<Result<ssh::Outcome, ssh::Error>> {
        let longest_ms = requests.iter().map(|request| request.timeout_ms).max().unwrap_or(0);
        self.wait(longest_ms).ssh_run_all(requests)
    }

    fn ssh_send(&mut self, piece: &ssh::Piece) -> Result<u64, ssh::Error> {
        self.wait(piece.timeout_ms).ssh_send(piece)
    }

    fn ssh_send_all(&mut self, pieces: &[ssh::Piece]) -> Vec<Result<u64, ssh::Error>> {
        let longest_ms = pieces.iter().map(|piece| piece.timeout_ms).max().unwrap_or(0);
        self.wait(longest_ms).ssh_send_all(pieces)
    }

    fn artifact_checksum(&mut self, digest: &str, path: &str) -> Result<String, artifact::Error> {
        self.wait(ASKED_MS).artifact_checksum(digest, path)
    }

    fn artifact_files(&mut self, digest: &str) -> Result<Vec<artifact::File>, artifact::Error> {
        self.wait(ASKED_MS).artifact_files(digest)
    }

    fn artifact_read(&mut self, digest: &str, path: &str, offset: u64, length: u32) -> Result<Vec<u8>, artifact::Error> {
        self.wait(ASKED_MS).artifact_read(digest, path, offset, length)
    }

    fn reveal(&mut self, name: &str) -> Result<String, secret::Error> {
        self.wait(ASKED_MS).reveal(name)
    }

    fn random_bytes(&mut self, length: u32) -> Vec<u8> {
        self.world.random_bytes(length)
    }

    fn now_ms(&mut self) -> i64 {
        self.wait(0);
        self.now_ms
    }

    fn pause_ms(&mut self, duration: u32) {
        self.wait(duration).pause_ms(duration);
    }

    fn log(&mut self, level: &str, message: &str) {
        self.world.log(level, message);
    }

    fn measure(&mut self, name: &str, value: f64, unit: &str) {
        self.world.measure(name, value, unit);
    }
}
