//! The words that a guest chose itself in what it answers: whoever looks through them looks through all of them.

use super::{Answer, Assessment, Change, Descriptor, Fault, Measurement, Observation, Pending, Progress};

/// An answer's words.
pub(crate) trait Words {
    /// Shows each text that the guest chose.
    fn each(&mut self, look: &mut dyn FnMut(&mut String));

    /// Returns what the guest wants to be given next time.
    fn state(&self) -> Option<&[u8]> {
        None
    }
}

impl<T: Words, E: Words> Words for Result<T, E> {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        match self {
            Ok(answer) => answer.each(look),
            Err(fault) => fault.each(look),
        }
    }

    fn state(&self) -> Option<&[u8]> {
        self.as_ref().ok().and_then(Words::state)
    }
}

impl Words for Descriptor {
    fn each(&mut self, _look: &mut dyn FnMut(&mut String)) {}
}

impl Words for Vec<Change> {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        self.iter_mut().for_each(look);
    }
}

impl Words for Fault {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        look(&mut self.message);
    }
}

impl Words for Vec<Measurement> {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        for measured in self {
            look(&mut measured.name);
            look(&mut measured.unit);
            measured.test.iter_mut().for_each(&mut *look);
        }
    }
}

impl Words for Answer {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        self.measurements.each(look);
        look(&mut self.sentence);
    }
}

impl Words for Assessment {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        self.measurements.each(look);
        look(&mut self.sentence);
    }

    fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }
}

impl Words for Observation {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        for side in &mut self.sides {
            look(&mut side.release);
            look(&mut side.artifact_digest);
            side.endpoint.iter_mut().for_each(&mut *look);
        }
        self.public_endpoint.iter_mut().for_each(&mut *look);
        self.drift.iter_mut().for_each(look);
    }

    fn state(&self) -> Option<&[u8]> {
        self.state.as_deref()
    }
}

impl Words for Progress {
    fn each(&mut self, look: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Converged(seen) => seen.each(look),
            Self::InProgress(Pending { observation, message, .. }) => {
                observation.each(look);
                look(message);
            }
            Self::Failed(fault) => fault.each(look),
            Self::Superseded { .. } => {}
        }
    }

    fn state(&self) -> Option<&[u8]> {
        match self {
            Self::Converged(seen) => seen.state.as_deref(),
            Self::InProgress(pending) => pending.observation.state.as_deref(),
            Self::Failed(_) | Self::Superseded { .. } => None,
        }
    }
}
