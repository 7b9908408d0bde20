//! Times as others write them, in Unix milliseconds. What cannot be read is `None`, never another time.

/// Reads an HTTP date in the one form that may be written today (IMF-fixdate, RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date_ms(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_once(", ")?.1.split(' ').collect();
    let [day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let month = i64::try_from(MONTHS.iter().position(|name| name == month)?).ok()? + 1;
    let day_number = days(number(year, 1970, 9999)?, month, number(day, 1, 31)?);
    Some((day_number * 86_400 + seconds(time)?) * 1_000)
}

/// Reads a time of RFC 3339, section 5.6: `2026-11-27T20:08:00.123456789+01:00`. What is finer than a millisecond is cut off.
pub fn rfc3339_ms(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't'])?;
    let parts: Vec<&str> = date.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return None };
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let day_number = days(number(year, 0, 9999)?, number(month, 1, 12)?, number(day, 1, 31)?);
    let end = time.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')?;
    let (time, zone) = time.split_at(end);
    let (time, fraction) = time.split_once('.').map_or((time, None), |(time, fraction)| (time, Some(fraction)));
    let fraction_ms = match fraction {
        None => 0,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            number(&format!("{digits:0<3}")[..3], 0, 999)?
        }
        Some(_) => return None,
    };
    Some((day_number * 86_400 + seconds(time)? - offset_seconds(zone)?) * 1_000 + fraction_ms)
}

/// Reads `20:08:00`; a leap second is the second that it becomes.
fn seconds(time: &str) -> Option<i64> {
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else { return None };
    Some(number(hour, 0, 23)? * 3_600 + number(minute, 0, 59)? * 60 + number(second, 0, 60)?)
}

/// Reads `Z` or `+01:00`.
fn offset_seconds(zone: &str) -> Option<i64> {
    if zone == "Z" || zone == "z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    Some(sign * (number(hours, 0, 23)? * 3_600 + number(minutes, 0, 59)? * 60))
}

fn number(text: &str, least: i64, most: i64) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<i64>().ok().filter(|number| digits && (least..=most).contains(number))
}

/// Returns the days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        assert_eq!(http_date_ms("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777_000));
        assert_eq!(http_date_ms("Tue, 29 Feb 2028 00:00:00 GMT"), Some(1_835_395_200_000));
        for text in
            ["", "soon", "Sun, 06 Nov 1994 25:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, +6 Nov 1994 08:49:37 GMT"]
        {
            assert_eq!(http_date_ms(text), None, "{text}");
        }
    }

    #[test]
    fn times_of_the_internet_are_read() {
        for (text, expect) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1994-11-06T08:49:37.5Z", Some(784_111_777_500)),
            ("1994-11-06T09:49:37.123456789+01:00", Some(784_111_777_123)),
            ("1994-11-06T03:19:37-05:30", Some(784_111_777_000)),
            // Go's zero time.
            ("0001-01-01T00:00:00.000Z", Some(-62_135_596_800_000)),
            ("1994-11-06", None),
            ("1994-11-06T08:49:37", None),
            ("1994-11-06T08:49:37.Z", None),
            ("1994-13-06T08:49:37Z", None),
            ("1994-11-06T08:49:37+1:0x", None),
            ("-994-11-06T08:49:37Z", None),
            ("1994-11-06T08:49:37Zé", None),
            ("", None),
        ] {
            assert_eq!(rfc3339_ms(text), expect, "{text}");
        }
    }
}
