//! Sides, weights and how requests find a side.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// One of the two things that may run. Which one is known good is stored state, never inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// What served before this deployment.
    Stable,
    /// What this deployment brings.
    Candidate,
}

impl Side {
    /// Returns the side that is not this one.
    pub fn other(self) -> Self {
        match self {
            Self::Stable => Self::Candidate,
            Self::Candidate => Self::Stable,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
        })
    }
}

/// A share of traffic in hundredths of a percent: 0 to 10 000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// All of the traffic.
    pub const ALL: Self = Self(10_000);
    /// None of it.
    pub const NONE: Self = Self(0);

    /// Returns the share, or `None` above 10 000.
    pub fn new(value: u16) -> Option<Self> {
        (value <= Self::ALL.0).then_some(Self(value))
    }

    /// Returns the number, 0 to 10 000.
    pub fn get(self) -> u16 {
        self.0
    }

    /// Returns what is left for the other side.
    pub fn rest(self) -> Self {
        Self(Self::ALL.0 - self.0)
    }
}

impl fmt::Display for BasisPoints {
    /// Writes the share in percent: `5%`, `0.25%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 % 100 {
            0 => write!(f, "{}%", self.0 / 100),
            part => write!(f, "{}.{part:02}%", self.0 / 100),
        }
    }
}

/// A share of an environment's full capacity: 0 to 100 percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u8);

impl Percent {
    /// Full capacity.
    pub const FULL: Self = Self(100);
    /// Nothing runs.
    pub const NONE: Self = Self(0);

    /// Returns the share, or `None` above 100.
    pub fn new(value: u8) -> Option<Self> {
        (value <= Self::FULL.0).then_some(Self(value))
    }

    /// Returns the number, 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// How requests are spread over the sides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Routing {
    /// Nobody is served: nothing ran before, or the strategy takes the old down before the new comes up.
    Closed,
    /// The two weights sum to 10 000; only the candidate's is written down, so that they cannot disagree.
    Open {
        /// The candidate's share; the stable side has the rest.
        candidate: BasisPoints,
        /// Requests that go to a side whatever the weights say; the first that fits wins.
        matches: Vec<Match>,
        /// The share of stable's requests that is copied to the candidate, whose answers are dropped.
        mirror: BasisPoints,
        /// What keeps a caller on the side it met first.
        sticky: Option<Sticky>,
    },
}

impl Routing {
    /// Returns an open routing with plain weights.
    pub fn weights(candidate: BasisPoints) -> Self {
        Self::Open { candidate, matches: Vec::new(), mirror: BasisPoints::NONE, sticky: None }
    }

    /// Returns the share of real traffic that may reach a side by weight.
    pub fn share(&self, side: Side) -> BasisPoints {
        match (self, side) {
            (Self::Closed, _) => BasisPoints::NONE,
            (Self::Open { candidate, .. }, Side::Candidate) => *candidate,
            (Self::Open { candidate, .. }, Side::Stable) => candidate.rest(),
        }
    }

    /// Returns whether any request at all, by weight, match or mirror, may reach a side.
    pub fn reaches(&self, side: Side) -> bool {
        match self {
            Self::Closed => false,
            Self::Open { matches, mirror, .. } => {
                self.share(side) > BasisPoints::NONE
                    || matches.iter().any(|m| m.side == side)
                    || (side == Side::Candidate && *mirror > BasisPoints::NONE)
            }
        }
    }
}

/// A rule that sends matching requests to a side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Match {
    /// What is looked at.
    pub on: MatchOn,
    /// The value it must have.
    pub value: String,
    /// Where such a request goes.
    pub side: Side,
}

/// The part of a request that a match looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MatchOn {
    /// A header, by its name.
    Header(String),
    /// A cookie, by its name.
    Cookie(String),
}

/// What keeps a caller on one side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sticky {
    /// The value of this header.
    Header(String),
    /// The value of this cookie.
    Cookie(String),
}
