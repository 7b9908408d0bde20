//! Worlds in which nothing can be found out.

use crate::powers::{command, http, runtime, telemetry};
use crate::testing::World;

/// How a world fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing is granted.
    Refused,
    /// Nothing can be reached.
    Unreachable,
    /// Nothing answers in time.
    Silent,
    /// What answers makes no sense.
    Garbage,
}

impl Trouble {
    pub(super) const ALL: [Self; 4] = [Self::Refused, Self::Unreachable, Self::Silent, Self::Garbage];
}

impl World for Trouble {
    fn fetch(&mut self, _: &http::Request) -> Result<http::Response, http::Error> {
        match self {
            Self::Refused => Err(http::Error::Refused("not granted".to_owned())),
            Self::Unreachable => Err(http::Error::Unreachable("nobody listens".to_owned())),
            Self::Silent => Err(http::Error::Timeout),
            Self::Garbage => Ok(http::Response { elapsed_ms: u32::MAX, ..http::Response::new(500, b"\xff NaN") }),
        }
    }

    fn runtime_apply(&mut self, _: &str) -> Result<String, runtime::Error> {
        self.runtime_status().map(Option::unwrap_or_default)
    }

    fn runtime_status(&mut self) -> Result<Option<String>, runtime::Error> {
        match self {
            Self::Refused => Err(runtime::Error::Refused("not granted".to_owned())),
            Self::Unreachable | Self::Silent => Err(runtime::Error::Unreachable("nobody listens".to_owned())),
            Self::Garbage => Ok(Some("{\"counters\":NaN".to_owned())),
        }
    }

    fn runtime_logs(&mut self, _: &str, _: u32) -> Result<Vec<runtime::LogLine>, runtime::Error> {
        self.runtime_status().map(|_| Vec::new())
    }

    fn telemetry_read(&mut self, _: &telemetry::Query) -> Result<telemetry::Reading, telemetry::Error> {
        match self {
            Self::Refused => Err(telemetry::Error::Refused("not granted".to_owned())),
            Self::Unreachable | Self::Silent => Err(telemetry::Error::Unavailable("this server keeps none".to_owned())),
            Self::Garbage => Ok(nonsense()),
        }
    }

    fn telemetry_usual(
        &mut self,
        _: &str,
        _: telemetry::Aspect,
        _: i64,
    ) -> Result<Option<telemetry::Expectation>, telemetry::Error> {
        self.telemetry_read(&telemetry::Query::new("", 0, 0)).map(|_| None)
    }

    fn run_command(&mut self, _: &command::Request) -> Result<command::Outcome, command::Error> {
        match self {
            Self::Refused => Err(command::Error::Refused("not granted".to_owned())),
            Self::Unreachable => Err(command::Error::Unavailable("no such program".to_owned())),
            Self::Silent => Err(command::Error::Timeout),
            Self::Garbage => Ok(command::Outcome {
                exit_code: -1,
                stdout: b"\xff NaN".to_vec(),
                stderr: Vec::new(),
                cut: true,
                files: Vec::new(),
                elapsed_ms: u32::MAX,
            }),
        }
    }
}

/// A window whose numbers are none and contradict each other.
fn nonsense() -> telemetry::Reading {
    let window = telemetry::Window {
        start_ms: i64::MAX,
        length_ms: 0,
        count: u64::MAX,
        sum: f64::NAN,
        min: Some(f64::INFINITY),
        max: Some(f64::NEG_INFINITY),
        bounds: vec![f64::NAN, 1.0],
        counts: vec![u64::MAX; 7],
    };
    telemetry::Reading { windows: vec![window], settled_ms: i64::MIN, series: 0, turned_away: u32::MAX }
}
