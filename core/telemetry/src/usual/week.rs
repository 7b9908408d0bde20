//! Hours of the week, in UTC.

/// How many there are.
pub(crate) const HOURS: usize = 168;

const MS_PER_HOUR: i64 = 3_600_000;
const MS_PER_DAY: i64 = 24 * MS_PER_HOUR;

/// 1970-01-01 was a Thursday: so many hours after the Monday that its week began with.
const HOURS_BEFORE_1970: i64 = 72;

/// Returns the hour of the week of an instant in Unix milliseconds: 0 is the first of Monday.
pub(crate) fn hour(at_ms: i64) -> usize {
    let hour = (at_ms.div_euclid(MS_PER_HOUR) + HOURS_BEFORE_1970).rem_euclid(HOURS as i64);
    usize::try_from(hour).expect("BUG: a remainder is not negative")
}

/// Returns the week of an instant: how many Mondays since that of 1970-01-01's week.
pub(crate) fn week(at_ms: i64) -> i64 {
    (at_ms.div_euclid(MS_PER_HOUR) + HOURS_BEFORE_1970).div_euclid(HOURS as i64)
}

/// Returns the day of an instant: days since 1970-01-01.
pub(crate) fn day(at_ms: i64) -> i64 {
    at_ms.div_euclid(MS_PER_DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday() {
        // 2026-11-23 was a Monday.
        let monday = 1_795_392_000_000;
        assert_eq!((hour(monday), hour(monday - 1), hour(monday + 25 * MS_PER_HOUR)), (0, 167, 25));
        assert_eq!(week(monday), week(monday - 1) + 1);
        assert_eq!(week(monday), week(monday + 7 * MS_PER_DAY - 1));
        assert_eq!((hour(0), week(0), day(0), day(-1)), (72, 0, 0, -1));
    }
}
