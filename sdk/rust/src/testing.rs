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
//!         Ok(http::Response { status: 200, headers: vec![], body: vec![], elapsed_ms: 3 })
//!     }
//! }
//!
//! let status = in_world(Up, || http::get("http://127.0.0.1:1/").map(|answer| answer.status));
//! assert!(matches!(status, Ok(200)));
//! ```

use std::cell::RefCell;

use crate::powers::{http, runtime};
use crate::{Context, Side};

/// What the powers act on. Every power that a test does not set up is refused, as it would be without a grant.
pub trait World {
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

    /// Returns the time.
    fn now_ms(&mut self) -> i64 {
        0
    }

    /// Lets time pass.
    fn pause_ms(&mut self, _duration: u32) {}

    /// Takes a line.
    fn log(&mut self, _level: &str, _message: &str) {}
}

thread_local! {
    static WORLD: RefCell<Option<Box<dyn World>>> = const { RefCell::new(None) };
}

/// Runs `body` with the powers acting on `world`.
pub fn in_world<R>(world: impl World + 'static, body: impl FnOnce() -> R) -> R {
    let before = WORLD.with(|slot| slot.replace(Some(Box::new(world))));
    let result = body();
    WORLD.with(|slot| *slot.borrow_mut() = before);
    result
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
