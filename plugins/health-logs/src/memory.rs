//! What is kept from one look at a watch to the next.

use serde::{Deserialize, Serialize};
use towpath_sdk::prelude::*;

use crate::errors::Seen;
use crate::novelty::Forms;
use crate::settings::Settings;

/// What is kept from one look at a watch to the next. Some ten kilobytes; its parts are bounded where they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// Which watch: the instant it began.
    started_ms: i64,
    /// Up to where lines were read, in Unix nanoseconds; both sides alike.
    pub(crate) read_until_ns: i64,
    /// Whether stable's lines from before the watch were read.
    pub(crate) knows_before: bool,
    /// How long the time was that the candidate's lines were asked for, and of how much of it they were read, in milliseconds.
    pub(crate) span_ms: u64,
    pub(crate) read_ms: u64,
    pub(crate) seen: Seen,
    pub(crate) forms: Forms,
    /// Lines that the candidate wrote.
    pub(crate) candidate_lines: u64,
    /// Lines that stable wrote in the watch.
    pub(crate) stable_lines: u64,
}

impl Memory {
    /// Returns what an earlier look at the same watch left; at the first look, a memory of nothing since the watch began.
    pub(crate) fn of(look: &Look<Settings>) -> Self {
        let started_ms = look.window.started_ms;
        let left: Self = look.state();
        if left.started_ms == started_ms && look.context.state.is_some() && left.read_until_ns > 0 {
            return left;
        }
        Self { started_ms, read_until_ns: started_ms.saturating_mul(1_000_000), ..Self::default() }
    }
}
