//! Which command is legal when: one table. What it does not list cannot be said.

use model::{Command, Stage, State};

/// Where a deployment stands, as far as the legality of commands is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Situation {
    /// It waits for its turn.
    Queued,
    /// It follows its plan.
    Forward,
    /// It stands still.
    Paused,
    /// It is taken back.
    Back,
    /// It is over.
    Ended,
}

/// What the table says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Legality {
    /// The command is decided.
    Take,
    /// It comes late or twice: nothing happens, and that is no error.
    Absorb,
    /// It is refused.
    Refuse,
}

/// The kinds of command, in the order of the table's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// See [`Command::Activate`].
    Activate,
    /// See [`Command::Report`].
    Report,
    /// See [`Command::Tick`].
    Tick,
    /// See [`Command::Recover`].
    Recover,
    /// See [`Command::Pause`].
    Pause,
    /// See [`Command::Resume`].
    Resume,
    /// See [`Command::Promote`].
    Promote,
    /// See [`Command::Abort`].
    Abort,
    /// See [`Command::Rollback`].
    Rollback,
    /// See [`Command::Approve`].
    Approve,
    /// See [`Command::Reject`].
    Reject,
    /// See [`Command::Supersede`].
    Supersede,
}

use Legality::{Absorb, Refuse, Take};

/// The table. Columns: queued, forward, paused, back, ended.
///
/// Nothing is ever taken in the last column: terminal states absorb what comes by itself and refuse what a person says.
pub const TABLE: [(Kind, [Legality; 5]); 12] = [
    (Kind::Activate, [Take, Absorb, Absorb, Absorb, Absorb]),
    (Kind::Report, [Absorb, Take, Take, Take, Absorb]),
    (Kind::Tick, [Take, Take, Take, Take, Absorb]),
    (Kind::Recover, [Absorb, Take, Take, Take, Absorb]),
    (Kind::Pause, [Refuse, Take, Refuse, Refuse, Refuse]),
    (Kind::Resume, [Refuse, Refuse, Take, Refuse, Refuse]),
    (Kind::Promote, [Refuse, Take, Take, Refuse, Refuse]),
    (Kind::Abort, [Take, Take, Take, Refuse, Refuse]),
    (Kind::Rollback, [Refuse, Take, Take, Refuse, Refuse]),
    (Kind::Approve, [Refuse, Take, Take, Refuse, Refuse]),
    (Kind::Reject, [Refuse, Take, Take, Refuse, Refuse]),
    (Kind::Supersede, [Take, Take, Take, Absorb, Absorb]),
];

impl Kind {
    /// Returns the kind of a command.
    pub fn of(command: &Command) -> Self {
        match command {
            Command::Activate { .. } => Self::Activate,
            Command::Report(_) => Self::Report,
            Command::Tick => Self::Tick,
            Command::Recover => Self::Recover,
            Command::Pause { .. } => Self::Pause,
            Command::Resume { .. } => Self::Resume,
            Command::Promote { .. } => Self::Promote,
            Command::Abort { .. } => Self::Abort,
            Command::Rollback { .. } => Self::Rollback,
            Command::Approve { .. } => Self::Approve,
            Command::Reject { .. } => Self::Reject,
            Command::Supersede { .. } => Self::Supersede,
        }
    }

    /// Returns the command's verb, as it stands in "cannot … a deployment".
    pub fn verb(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Report => "report to",
            Self::Tick => "tick",
            Self::Recover => "recover",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Promote => "promote",
            Self::Abort => "abort",
            Self::Rollback => "roll back",
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Supersede => "supersede",
        }
    }
}

impl Situation {
    /// Returns where a deployment stands.
    pub fn of(state: &State) -> Self {
        match (&state.stage, &state.pause) {
            (Stage::Queued { .. }, _) => Self::Queued,
            (Stage::Forward { .. }, None) => Self::Forward,
            (Stage::Forward { .. }, Some(_)) => Self::Paused,
            (Stage::Back { .. }, _) => Self::Back,
            (Stage::Ended(_), _) => Self::Ended,
        }
    }
}

/// Returns what the table says.
pub fn legality(kind: Kind, situation: Situation) -> Legality {
    TABLE[kind as usize].1[situation as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_stand_in_the_order_of_the_kinds() {
        for (index, (kind, _)) in TABLE.iter().enumerate() {
            assert_eq!(*kind as usize, index, "{kind:?}");
        }
    }

    #[test]
    fn nothing_is_taken_once_it_is_over() {
        assert!(TABLE.iter().all(|(_, row)| row[Situation::Ended as usize] != Take));
    }
}
