//! How durations, shares, counts and choices are spelled.

use model::{BasisPoints, Millis, Percent};
use serde_json::Value;

/// The longest duration that can be said: a deployment that takes a month is a mistake in the unit.
const DURATION_MAX: Millis = Millis::hours(24 * 30);

/// The highest count that can be said: looks, attempts, people, batches.
const COUNT_MAX: u64 = 1_000;

/// A value that a file spells in one scalar.
pub(crate) trait Spelled: Sized {
    /// What is expected, as a person reads it behind "expected".
    const EXPECTED: &'static str;

    /// Returns the value that is spelled, if it is one.
    fn read(value: &Value) -> Option<Self>;
}

impl Spelled for Millis {
    const EXPECTED: &'static str = "a duration of up to 30 days like \"30s\", \"5m\" or \"1h30m\"";

    fn read(value: &Value) -> Option<Self> {
        duration(value.as_str()?)
    }
}

impl Spelled for BasisPoints {
    const EXPECTED: &'static str = "a share from \"0%\" to \"100%\" with at most two decimals, like \"5%\" or \"0.5%\"";

    fn read(value: &Value) -> Option<Self> {
        let (whole, part) = percent(value.as_str()?)?;
        BasisPoints::new(whole.checked_mul(100)?.checked_add(part)?)
    }
}

impl Spelled for Percent {
    const EXPECTED: &'static str = "a whole share from \"1%\" to \"100%\"";

    fn read(value: &Value) -> Option<Self> {
        let (whole, part) = percent(value.as_str()?)?;
        Percent::new(u8::try_from(whole).ok()?).filter(|share| part == 0 && *share > Percent::NONE)
    }
}

impl Spelled for u32 {
    const EXPECTED: &'static str = "a whole number from 0 to 1000";

    fn read(value: &Value) -> Option<Self> {
        value.as_u64().filter(|count| *count <= COUNT_MAX).and_then(|count| u32::try_from(count).ok())
    }
}

impl Spelled for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

/// Reads `1h30m`, `90s`, `1.5s`, `250ms`: numbers with units, each unit once, the larger first.
fn duration(text: &str) -> Option<Millis> {
    let units: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let (mut rest, mut total, mut next) = (text, 0_u64, 0);
    while !rest.is_empty() || next == 0 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let index = units.iter().position(|(name, _)| *name == unit).filter(|index| *index >= next)?;
        total = total.checked_add(thousandths(number)?.checked_mul(units[index].1)? / 1_000)?;
        (rest, next) = (behind, index + 1);
    }
    Some(Millis(total)).filter(|duration| *duration <= DURATION_MAX)
}

/// Reads `12` or `1.5` as thousandths.
fn thousandths(number: &str) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let short = (1..=3).contains(&part.len()) && (1..=12).contains(&whole.len());
    let digits = whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit());
    if !short || !digits {
        return None;
    }
    let part = format!("{part:0<3}").parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(part)
}

/// Reads `5%`, `0.5%`, `0.25%` as whole percent and hundredths.
fn percent(text: &str) -> Option<(u16, u16)> {
    let number = text.strip_suffix('%')?;
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 3) || !digits(part, 2) {
        return None;
    }
    Some((whole.parse().ok()?, format!("{part:0<2}").parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Spelled>(text: &str) -> Option<T> {
        T::read(&Value::String(text.to_owned()))
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, millis) in [("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("1.5s", 1_500), ("0s", 0)]
        {
            assert_eq!(read(text), Some(Millis(millis)), "{text}");
        }
        for bad in ["", "5", "s", "5 m", "m5", "30s1h", "1h1h", "-1s", "1.2345s", "1..5s", "31d", "99999999999999999999s", "5µs"]
        {
            assert_eq!(read::<Millis>(bad), None, "{bad}");
        }
    }

    #[test]
    fn shares_are_percent() {
        for (text, points) in [("5%", 500), ("0.5%", 50), ("0.25%", 25), ("100%", 10_000), ("0%", 0), ("12.05%", 1_205)] {
            assert_eq!(read(text), BasisPoints::new(points), "{text}");
        }
        for bad in ["", "%", "5", "101%", "100.01%", "0.001%", "-5%", "5 %", ".5%", "5.%"] {
            assert_eq!(read::<BasisPoints>(bad), None, "{bad}");
        }
        assert_eq!(read::<Percent>("20%"), Percent::new(20));
        assert_eq!([read::<Percent>("0.5%"), read::<Percent>("0%"), read::<Percent>("256%")], [None; 3]);
    }
}
