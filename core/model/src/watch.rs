//! Watching: health checks asked repeatedly while the candidate takes traffic.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{Measurement, Millis, PluginUse, Timestamp, Verdict};

/// What a watch step does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchSpec {
    /// The shortest time that the checks must stay satisfied for.
    pub duration: Millis,
    /// Who is asked.
    pub checks: Vec<Check>,
    /// What happens when a check finds the candidate unhealthy.
    pub on_unhealthy: UnhealthyAction,
    /// What happens when, at the end, a check still cannot tell.
    pub on_inconclusive: InconclusiveAction,
    /// How much longer than `duration` a check that cannot tell is given. All others go on looking meanwhile.
    pub patience: Millis,
    /// Whether whoever wrote the watch named both its times, the shortest and the longest, and not the one it lasts. For people: the
    /// machine goes by the times.
    pub until_decided: bool,
}

impl WatchSpec {
    /// Returns the longest time that the watch lasts: then nobody is waited for who still cannot tell.
    pub fn longest(&self) -> Millis {
        Millis(self.duration.0.saturating_add(self.patience.0))
    }
}

/// One health check of a watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Check {
    /// Which plugin, with what settings.
    pub health: PluginUse,
    /// The time between two looks.
    pub interval: Millis,
    /// How many unhealthy looks in a row decide.
    pub failures_to_decide: u32,
    /// How many looks in a row may end in an error before that decides as well: fail closed.
    pub errors_tolerated: u32,
    /// What its looks lead to.
    pub role: CheckRole,
    /// How long after the watch's beginning it is asked first.
    pub start_after: Millis,
}

/// What the looks of a check lead to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CheckRole {
    /// It decides, with all others: the watch ends well when every one is satisfied, and badly when one is against the candidate.
    #[default]
    Deciding,
    /// It decides like the others, but one unhealthy look is enough, and leads back whatever the watch says.
    Critical,
    /// It is measured, shown and kept, and decides nothing.
    DryRun,
}

impl CheckRole {
    /// Returns whether its looks decide anything.
    pub fn decides(self) -> bool {
        match self {
            Self::Deciding | Self::Critical => true,
            Self::DryRun => false,
        }
    }

    /// Returns the role as people write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deciding => "deciding",
            Self::Critical => "critical",
            Self::DryRun => "dry-run",
        }
    }
}

/// What an unhealthy verdict leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnhealthyAction {
    /// The deployment is taken back.
    GoBack,
    /// It pauses and asks.
    Pause,
}

/// What a watch leads to that nobody could decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InconclusiveAction {
    /// It pauses and asks.
    Pause,
    /// The deployment is taken back.
    GoBack,
}

/// What one look found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Assessment {
    /// The verdict.
    pub verdict: Verdict,
    /// The numbers it rests on.
    pub measurements: Vec<Measurement>,
    /// One sentence for people.
    pub sentence: String,
    /// What the plugin wants to be given at its next look.
    pub plugin_state: Option<Vec<u8>>,
    /// When the plugin would like to look again; never sooner than the check's interval allows.
    pub next_look_after: Option<Millis>,
}

/// The state of a running watch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WatchState {
    /// When it began; moved forward by pauses.
    pub started_at: Timestamp,
    /// One entry per check of the step, in its order.
    pub checks: Vec<CheckState>,
}

/// What is known of one check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CheckState {
    /// How many looks were taken.
    pub looks: u32,
    /// What the last one found.
    pub last: Option<Assessment>,
    /// Unhealthy looks in a row.
    pub unhealthy_in_a_row: u32,
    /// Errors in a row.
    pub errors_in_a_row: u32,
    /// When the next look is due.
    pub next_look_at: Timestamp,
}
