//! Tests that may be looked at after every observation, and stopped at any look.
//!
//! Each is an e-process: a bet against a hypothesis, which starts with one coin and has, whenever one stops, at most one coin on average
//! if the hypothesis is true. By Ville's inequality it ever reaches `1 / level` with at most the probability `level`. See A. Ramdas, P.
//! Grünwald, V. Vovk, G. Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical Science 38 (2023).
//!
//! Every test bets twice: against "the candidate is not worse", which proves it worse, and against "the candidate is worse by the margin or
//! more", which proves it good enough. Coins are kept as natural logarithms. Each bet is a mean of bets on several alternatives (a mixture),
//! which costs at most the logarithm of their number and needs no guess of how bad bad is.
//!
//! [`shares`] is candidate against stable; [`limit`] is candidate against a limit; [`means`] is for bounded measurements; [`exceedance`] for
//! times, by the share above stable's quantiles and by [`ranks`].

pub mod exceedance;
pub mod limit;
pub mod means;
pub mod ranks;
pub mod shares;

pub use exceedance::{Exceedance, ExceedanceDesign};
pub use limit::{LimitDesign, LimitTest, share_interval};
pub use means::{MeanDesign, MeanTest};
pub use ranks::RankSequence;
pub use shares::{SharesDesign, SharesTest};

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// How far from the hypothesis the alternatives lie that are bet on, as factors of the odds. From "one tenth more" to "thirty times".
pub(crate) const FACTORS: [f64; 8] = [1.15, 1.35, 1.7, 2.4, 4.0, 8.0, 16.0, 40.0];

/// What both bets have come to, as natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Evidence {
    /// Against "the candidate is not worse".
    pub worse: f64,
    /// Against "the candidate is worse by the margin or more".
    pub good: f64,
}

impl Evidence {
    /// Nothing seen: one coin each.
    pub const NONE: Self = Self { worse: 0.0, good: 0.0 };
}

/// Returns the logarithm of the coins that prove something at a level: ln(1 / level).
pub fn needed(level: f64) -> f64 {
    -level.ln()
}

pub(crate) fn odds(share: f64) -> f64 {
    share / (1.0 - share)
}

pub(crate) fn from_odds(odds: f64) -> f64 {
    odds / (1.0 + odds)
}
