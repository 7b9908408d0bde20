//! Worlds in which nothing can be found out.

use crate::powers::{http, runtime};
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
            Self::Garbage => {
                Ok(http::Response { status: 500, headers: Vec::new(), body: b"\xff NaN".to_vec(), elapsed_ms: u32::MAX })
            }
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
}
