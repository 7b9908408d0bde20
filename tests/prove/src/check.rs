//! Exploring: every moment that can be reached is visited once, and asked what must hold.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use model::Phase;
use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::system::{Move, Setting, System};

/// The name of the property that must hold everywhere.
const SOUND: &str = "every invariant holds";

/// The name of the property that is asked of a sample of the moments: from it, a healed world leads to the end.
const LIVELY: &str = "a healed world leads to the end";

type Met = fn(&Deployment, &System) -> bool;

/// The ends that are looked for: an exploration that never gets to one says nothing about it.
const ENDS: [(&str, Met); 7] = [
    ("succeeded", |_, system| system.state.phase() == Phase::Succeeded),
    ("rolled-back", |_, system| system.state.phase() == Phase::RolledBack),
    ("rollback-failed", |_, system| system.state.phase() == Phase::RollbackFailed),
    ("rejected", |_, system| system.state.phase() == Phase::Rejected),
    ("expired", |_, system| system.state.phase() == Phase::Expired),
    ("superseded", |_, system| system.state.phase() == Phase::Superseded),
    ("aborted", |_, system| system.state.phase() == Phase::Aborted),
];

/// One deployment, as the checker sees it.
pub struct Deployment {
    setting: Setting,
    /// From one in so many moments the world is healed, and the deployment must come to its end.
    heal_one_in: u64,
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// Different moments.
    pub moments: usize,
    /// Moves made, also those that led to a moment that was known.
    pub moves: usize,
    /// The longest shortest way to a moment.
    pub depth: usize,
    /// What did not hold, with the moves that lead there.
    pub broken: Option<Broken>,
    /// The ends that were met.
    pub ends: Vec<&'static str>,
    /// Whether every moment within the bound was visited.
    pub complete: bool,
}

/// Something that must hold and does not.
#[derive(Debug)]
pub struct Broken {
    /// What.
    pub what: String,
    /// The shortest way there.
    pub moves: Vec<Move>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for action in &self.moves {
            writeln!(f, "  {action:?}")?;
        }
        write!(f, "  {}", self.what)
    }
}

impl Model for Deployment {
    type State = System;
    type Action = Move;

    fn init_states(&self) -> Vec<System> {
        vec![System::new(&self.setting)]
    }

    fn actions(&self, system: &System, moves: &mut Vec<Move>) {
        moves.extend(system.moves(self.setting.weakness));
    }

    fn next_state(&self, system: &System, action: Move) -> Option<System> {
        Some(system.after(&action, self.setting.weakness))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always(SOUND, |_, system: &System| system.broken.is_none()),
            Property::always(LIVELY, |model: &Self, system: &System| !model.is_sampled(system) || system.heals().is_ok()),
        ];
        properties.extend(ENDS.map(|(name, met)| Property::sometimes(name, met)));
        properties
    }
}

impl Deployment {
    fn is_sampled(&self, system: &System) -> bool {
        let mut hasher = DefaultHasher::new();
        system.hash(&mut hasher);
        system.broken.is_none() && hasher.finish().is_multiple_of(self.heal_one_in)
    }
}

/// Explores a deployment, by breadth, for no longer than a time.
pub fn explore(setting: Setting, heal_one_in: u64, threads: usize, time: Duration) -> Found {
    let checker = Deployment { setting, heal_one_in }.checker().threads(threads).timeout(time);
    let checker = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = [SOUND, LIVELY].into_iter().find_map(|name| checker.discovery(name));
    let broken = found.map(|path| {
        let system = path.last_state();
        let what = system.broken.clone().or_else(|| system.heals().err()).unwrap_or_default();
        Broken { what, moves: path.into_actions() }
    });
    Found {
        moments: checker.unique_state_count(),
        moves: checker.state_count(),
        depth: checker.max_depth(),
        ends: ENDS.iter().map(|(name, _)| *name).filter(|name| checker.discovery(name).is_some()).collect(),
        complete: checker.is_done() && broken.is_none(),
        broken,
    }
}
