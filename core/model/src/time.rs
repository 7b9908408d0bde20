//! Time as data: every instant and duration is an argument or a stored value, never read from a clock here.

use core::fmt;
use core::ops::{Add, Sub};

/// An instant in milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A duration in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub u64);

impl Millis {
    /// Returns a duration of whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * 1_000)
    }

    /// Returns a duration of whole minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60_000)
    }

    /// Returns a duration of whole hours.
    pub const fn hours(hours: u64) -> Self {
        Self(hours * 3_600_000)
    }
}

impl Timestamp {
    /// Returns how long ago `earlier` was; zero when it is not in the past.
    pub fn since(self, earlier: Self) -> Millis {
        Millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Millis> for Timestamp {
    type Output = Self;

    fn add(self, duration: Millis) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.0).unwrap_or(i64::MAX)))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Millis) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.0).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Millis {
    /// Writes the duration as people say it: `250ms`, `40s`, `5m`, `1h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hours, minutes) = (self.0 / 3_600_000, self.0 / 60_000 % 60);
        let (seconds, millis) = (self.0 / 1_000 % 60, self.0 % 1_000);
        if self.0 < 1_000 {
            return write!(f, "{millis}ms");
        }
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        match (seconds, millis) {
            (0, 0) => Ok(()),
            (_, 0) => write!(f, "{seconds}s"),
            (_, _) => write!(f, "{seconds}.{:01}s", millis / 100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        let said = |ms| alloc::format!("{}", Millis(ms));
        assert_eq!([said(0), said(250), said(1_500), said(40_000)], ["0ms", "250ms", "1.5s", "40s"]);
        assert_eq!([said(300_000), said(5_400_000)], ["5m", "1h30m"]);
    }

    #[test]
    fn a_clock_that_went_back_measures_zero() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Millis(0));
        assert_eq!(Timestamp(i64::MAX) + Millis(u64::MAX), Timestamp(i64::MAX));
    }
}
