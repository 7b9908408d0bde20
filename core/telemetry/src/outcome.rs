//! What became of points that came together: how many were taken, how many refused, and why, in sentences for whoever sent them.

use crate::limits::REASONS_MAX;

/// What became of points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many were taken.
    pub taken: u64,
    /// How many were refused.
    pub refused: u64,
    reasons: Vec<String>,
}

impl Outcome {
    /// Counts points that were refused.
    pub fn refuse(&mut self, points: u64, reason: String) {
        self.refused += points;
        self.say(reason);
    }

    /// Adds what became of others.
    pub fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.refused += other.refused;
        other.reasons.into_iter().for_each(|reason| self.say(reason));
    }

    /// Returns why points were refused; empty where none were.
    pub fn sentence(&self) -> String {
        self.reasons.join("; ")
    }

    fn say(&mut self, reason: String) {
        if self.reasons.len() < REASONS_MAX && !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_once_and_not_without_end() {
        let mut outcome = Outcome { taken: 1, ..Outcome::default() };
        outcome.refuse(2, "too old".to_owned());
        outcome.refuse(1, "too old".to_owned());
        let mut other = Outcome { taken: 2, ..Outcome::default() };
        (0..20).for_each(|at| other.refuse(1, format!("reason {at}")));
        outcome.add(other);
        assert_eq!((outcome.taken, outcome.refused, outcome.reasons.len()), (3, 23, REASONS_MAX));
        assert!(outcome.sentence().starts_with("too old; reason 0; "), "{}", outcome.sentence());
    }
}
