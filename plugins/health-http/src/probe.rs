//! One probe, and what it says.

use towpath_sdk::powers::http::{Error, Response};

use crate::Settings;

/// What came of one probe.
pub(crate) enum Probe {
    /// The expected answer.
    Good {
        /// How long it took.
        elapsed_ms: u32,
    },
    /// Another answer, or none.
    Bad {
        /// What was wrong.
        why: String,
        /// How long it took, if there was an answer.
        elapsed_ms: Option<u32>,
    },
}

impl Probe {
    pub(crate) fn of(answer: Result<Response, Error>, settings: &Settings) -> Self {
        match answer {
            Ok(answer) if settings.expects(answer.status) => Self::Good { elapsed_ms: answer.elapsed_ms },
            Ok(answer) => {
                let why = format!("status {}, expected {}", answer.status, settings.expected());
                Self::Bad { why, elapsed_ms: Some(answer.elapsed_ms) }
            }
            // A place where nobody listens is as bad as a wrong answer.
            Err(error) => Self::Bad { why: error.sentence(), elapsed_ms: None },
        }
    }

    pub(crate) fn failure(&self) -> Option<&str> {
        match self {
            Self::Good { .. } => None,
            Self::Bad { why, .. } => Some(why),
        }
    }

    pub(crate) fn elapsed_ms(&self) -> Option<u32> {
        match self {
            Self::Good { elapsed_ms } => Some(*elapsed_ms),
            Self::Bad { elapsed_ms, .. } => *elapsed_ms,
        }
    }
}
