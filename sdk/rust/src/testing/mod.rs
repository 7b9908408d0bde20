//! A fake world for a plugin's own tests, on the host.
//!
//! ```
//! use towpath_sdk::powers::http;
//! use towpath_sdk::testing::{World, in_world};
//!
//! struct Up;
//!
//! impl World for Up {
//!     fn fetch(&mut self, _: &http::Request) -> Result<http::Response, http::Error> {
//!         Ok(http::Response::new(200, ""))
//!     }
//! }
//!
//! let status = in_world(Up, || http::get("http://127.0.0.1:1/").map(|answer| answer.status));
//! assert!(matches!(status, Ok(200)));
//! ```

#[cfg(not(target_arch = "wasm32"))]
pub mod conformance;
#[cfg(not(target_arch = "wasm32"))]
pub mod worlds;

use std::cell::RefCell;

use crate::powers::{artifact, command, http, runtime, secret, ssh, telemetry};
use crate::{Context, Side};

/// What the powers act on. Every power that a test does not set up is refused, as it would be without a grant.
///
/// A world may be moved to another thread and used as `&mut dyn World`: a host can answer a component's calls with it.
pub trait World: Send {
    /// Answers a request.
    fn fetch(&mut self, request: &http::Request) -> Result<http::Response, http::Error> {
        Err(http::Error::Refused(format!("the test's world has no http for {} {}", request.method, request.url)))
    }

    /// Takes a desired state.
    fn runtime_apply(&mut self, desired: &str) -> Result<String, runtime::Error> {
        Err(runtime::Error::Refused(format!("the test's world has no runtime for {desired}")))
    }

    /// Returns the runtime's status.
    fn runtime_status(&mut self) -> Result<Option<String>, runtime::Error> {
        Err(runtime::Error::Refused("the test's world has no runtime".to_owned()))
    }

    /// Returns the lines of a release.
    fn runtime_logs(&mut self, release: &str, _lines: u32) -> Result<Vec<runtime::LogLine>, runtime::Error> {
        Err(runtime::Error::Refused(format!("the test's world has no runtime for the lines of {release}")))
    }

    /// Returns what was measured.
    fn telemetry_read(&mut self, query: &telemetry::Query) -> Result<telemetry::Reading, telemetry::Error> {
        Err(telemetry::Error::Refused(format!("the test's world has no telemetry for {}", query.metric)))
    }

    /// Returns what is usual.
    fn telemetry_usual(
        &mut self,
        metric: &str,
        _aspect: telemetry::Aspect,
        _at_ms: i64,
    ) -> Result<Option<telemetry::Expectation>, telemetry::Error> {
        Err(telemetry::Error::Refused(format!("the test's world has no telemetry for {metric}")))
    }

    /// Runs a program.
    fn run_command(&mut self, request: &command::Request) -> Result<command::Outcome, command::Error> {
        Err(command::Error::Refused(format!("the test's world has no command for {}", request.program)))
    }

    /// Runs a command on a host.
    fn ssh_run(&mut self, request: &ssh::Request) -> Result<ssh::Outcome, ssh::Error> {
        Err(ssh::Error::Refused(format!("the test's world has no ssh to {}", request.host)))
    }

    /// Puts a file onto a host.
    fn ssh_put(&mut self, upload: &ssh::Upload) -> Result<(), ssh::Error> {
        Err(ssh::Error::Refused(format!("the test's world has no ssh to {}", upload.host)))
    }

    /// Runs commands on their hosts, each as [`World::ssh_run`] does.
    fn ssh_run_all(&mut self, requests: &[ssh::Request]) -> Vec<Result<ssh::Outcome, ssh::Error>> {
        requests.iter().map(|request| self.ssh_run(request)).collect()
    }

    /// Sends a piece of an artifact to a host.
    fn ssh_send(&mut self, piece: &ssh::Piece) -> Result<u64, ssh::Error> {
        Err(ssh::Error::Refused(format!("the test's world has no ssh to {}", piece.host)))
    }

    /// Sends pieces, each as [`World::ssh_send`] does.
    fn ssh_send_all(&mut self, pieces: &[ssh::Piece]) -> Vec<Result<u64, ssh::Error>> {
        pieces.iter().map(|piece| self.ssh_send(piece)).collect()
    }

    /// Returns the files of an artifact.
    fn artifact_files(&mut self, digest: &str) -> Result<Vec<artifact::File>, artifact::Error> {
        Err(artifact::Error::Refused(format!("the test's world has no artifact {digest}")))
    }

    /// Returns a part of a file of an artifact.
    fn artifact_read(&mut self, digest: &str, path: &str, _offset: u64, _length: u32) -> Result<Vec<u8>, artifact::Error> {
        Err(artifact::Error::Refused(format!("the test's world has no artifact {digest} with {path}")))
    }

    /// Returns the checksum of a file of an artifact.
    fn artifact_checksum(&mut self, digest: &str, path: &str) -> Result<String, artifact::Error> {
        Err(artifact::Error::Refused(format!("the test's world has no artifact {digest} with {path}")))
    }

    /// Returns a secret.
    fn reveal(&mut self, name: &str) -> Result<String, secret::Error> {
        Err(secret::Error::Refused(format!("the test's world has no secret {name}")))
    }

    /// Returns bytes that are the same in every test: a test must not hang on chance.
    fn random_bytes(&mut self, length: u32) -> Vec<u8> {
        (0..length.min(crate::powers::random::BYTES_MAX)).map(|number| (number % 251) as u8).collect()
    }

    /// Returns the time.
    fn now_ms(&mut self) -> i64 {
        0
    }

    /// Lets time pass.
    fn pause_ms(&mut self, _duration: u32) {}

    /// Takes a line.
    fn log(&mut self, _level: &str, _message: &str) {}

    /// Takes a number.
    fn measure(&mut self, name: &str, value: f64, unit: &str) {
        self.log("measure", &format!("{name} = {value} {unit}"));
    }
}

thread_local! {
    static WORLD: RefCell<Option<Box<dyn World>>> = const { RefCell::new(None) };
}

/// Runs `body` with the powers acting on `world`.
pub fn in_world<R>(world: impl World + 'static, body: impl FnOnce() -> R) -> R {
    in_boxed_world(Box::new(world), body)
}

/// The same, with a world whose kind is chosen at run time.
pub fn in_boxed_world<R>(world: Box<dyn World>, body: impl FnOnce() -> R) -> R {
    let before = WORLD.with(|slot| slot.replace(Some(world)));
    let _restore = Restore(before);
    body()
}

/// Puts back the world that was there before, whether the body returned or panicked.
struct Restore(Option<Box<dyn World>>);

impl Drop for Restore {
    fn drop(&mut self) {
        let before = self.0.take();
        WORLD.with(|slot| *slot.borrow_mut() = before);
    }
}

#[cfg(not(target_arch = "wasm32"))]
struct Nothing;

#[cfg(not(target_arch = "wasm32"))]
impl World for Nothing {}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn with<R>(act: impl FnOnce(&mut dyn World) -> R) -> R {
    WORLD.with(|slot| match slot.borrow_mut().as_mut() {
        Some(world) => act(world.as_mut()),
        None => act(&mut Nothing),
    })
}

/// Returns a context for a test: service `web` in `test`, at time 0, with these settings.
pub fn context(settings: &str) -> Context {
    Context {
        service: "web".to_owned(),
        environment: "test".to_owned(),
        settings: settings.to_owned(),
        deployment: "d-1".to_owned(),
        operation_key: "d-1/step/1".to_owned(),
        fence: 1,
        attempt: 1,
        deadline_ms: 60_000,
        now_ms: 0,
        outcome_unknown: false,
        state: None,
        artifact_digest: None,
    }
}

impl Side {
    /// Returns the side's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        }
    }
}
