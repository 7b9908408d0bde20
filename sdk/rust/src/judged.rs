//! Which of the places that a health check is told of it asks.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::health::{Look, Subject};
use crate::{Measurement, Side};

/// A setting that checks have in common: what is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Judged {
    /// The candidate alone.
    #[default]
    Candidate,
    /// The stable side alone.
    Stable,
    /// The endpoint that callers use; release and label are the candidate's.
    Public,
}

impl Judged {
    /// Returns the side whose release and label count; `None` where there is no such side.
    pub fn subject<S>(self, look: &Look<S>) -> Option<&Subject> {
        match self.side() {
            Side::Candidate => look.subjects.candidate.as_ref(),
            Side::Stable => look.subjects.stable.as_ref(),
        }
    }

    /// Returns which side that is.
    pub fn side(self) -> Side {
        match self {
            Self::Candidate | Self::Public => Side::Candidate,
            Self::Stable => Side::Stable,
        }
    }

    /// Returns where it is reached, as `host:port`; `None` where it is not.
    pub fn endpoint<S>(self, look: &Look<S>) -> Option<&str> {
        match self {
            Self::Candidate | Self::Stable => self.subject(look)?.endpoint.as_deref(),
            Self::Public => look.subjects.public_endpoint.as_deref(),
        }
    }

    /// Returns how people call it ("candidate", "stable side", "public endpoint").
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Stable => "stable side",
            Self::Public => "public endpoint",
        }
    }

    /// Returns a measurement as that of its side; behind the public endpoint it is nobody's alone.
    pub fn placed(self, measurement: Measurement) -> Measurement {
        match self {
            Self::Candidate | Self::Stable => measurement.on(self.side()),
            Self::Public => measurement,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{Subjects, Window};
    use crate::testing::context;

    #[test]
    fn each_has_its_side_and_its_place() {
        let side = |release: &str, endpoint: &str| Subject { endpoint: Some(endpoint.to_owned()), ..Subject::new(release) };
        let mut look = Look {
            context: context("{}"),
            settings: (),
            subjects: Subjects {
                stable: Some(side("v1", "a:1")),
                candidate: Some(side("v2", "b:2")),
                public_endpoint: Some("c:3".to_owned()),
            },
            window: Window { started_ms: 0, ends_ms: 1 },
        };
        for (judged, release, endpoint, side) in [
            (Judged::Candidate, "v2", "b:2", Some(Side::Candidate)),
            (Judged::Stable, "v1", "a:1", Some(Side::Stable)),
            (Judged::Public, "v2", "c:3", None),
        ] {
            assert_eq!(judged.subject(&look).map(|subject| subject.release.as_str()), Some(release));
            assert_eq!((judged.endpoint(&look), judged.placed(Measurement::new("m", 1.0, "1")).side), (Some(endpoint), side));
        }
        look.subjects.stable = None;
        assert_eq!((Judged::Stable.endpoint(&look), Judged::Public.endpoint(&look)), (None, Some("c:3")));
    }
}
