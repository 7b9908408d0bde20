//! From an answer that is no success to a [`Fault`], and to the time after which another attempt makes sense.

use crate::Fault;
use crate::powers::http::{Error, Response};

/// The longest wait that is taken from an answer, in milliseconds: an hour. Who says more is not obeyed further.
pub const WAIT_MS_MAX: u32 = 3_600_000;

/// Returns what the header `retry-after` asks for, in milliseconds from `now_ms` (Unix milliseconds), at most [`WAIT_MS_MAX`]. Reads
/// both forms of RFC 9110, section 10.2.3: seconds, and a date like `Sun, 06 Nov 1994 08:49:37 GMT`. `None` without one that can be read.
pub fn after_ms(answer: &Response, now_ms: i64) -> Option<u32> {
    let value = answer.header("retry-after")?.trim();
    let wait_ms = match value.parse::<u64>() {
        Ok(seconds) => i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000),
        Err(_) => date_ms(value)?.saturating_sub(now_ms),
    };
    let wait_ms = wait_ms.clamp(0, i64::from(WAIT_MS_MAX));
    u32::try_from(wait_ms).ok()
}

/// Returns the fault of an answer that is no success: 408, 425, 429 and all from 500 on but 501 and 505 may be over at the next attempt.
pub fn fault(doing: &str, answer: &Response) -> Fault {
    let message = format!("{doing}: status {}", answer.status);
    match answer.status {
        501 | 505 => Fault::permanent(message),
        408 | 425 | 429 | 500.. => Fault::retryable(message),
        _ => Fault::permanent(message),
    }
}

/// Returns the fault of a request without an answer: what was refused or is no request stays so.
pub fn unanswered(doing: &str, error: &Error) -> Fault {
    let message = format!("{doing}: {}", error.sentence());
    match error {
        Error::Refused(_) | Error::Invalid(_) | Error::TooLarge(_) => Fault::permanent(message),
        Error::Unreachable(_) | Error::Timeout | Error::Broken(_) => Fault::retryable(message),
    }
}

/// Reads an HTTP date in the one form that may be written today (IMF-fixdate), in Unix milliseconds.
fn date_ms(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = text.split_once(", ")?.1.split(' ').collect();
    let [day, month, year, time, "GMT"] = words.as_slice() else { return None };
    let number = |text: &str, least: i64, most: i64| text.parse::<i64>().ok().filter(|number| (least..=most).contains(number));
    let month = i64::try_from(MONTHS.iter().position(|name| name == month)?).ok()? + 1;
    let (day, year) = (number(day, 1, 31)?, number(year, 1970, 9999)?);
    let clock: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = clock.as_slice() else { return None };
    let seconds = number(hour, 0, 23)? * 3_600 + number(minute, 0, 59)? * 60 + number(second, 0, 60)?;
    Some((days(year, month, day) * 86_400 + seconds) * 1_000)
}

/// Returns the days since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = year % 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    (year / 400) * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, value: &str) -> Response {
        Response { headers: vec![("Retry-After".to_owned(), value.to_owned())], ..Response::new(status, "") }
    }

    #[test]
    fn both_forms_of_the_header_are_read() {
        let now_ms = 784_111_777_000 - 5_000;
        for (value, expect) in [
            ("3", Some(3_000)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(5_000)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("99999999999999999999", None),
            ("18446744073709551615", Some(WAIT_MS_MAX)),
            ("soon", None),
            ("-3", None),
            ("Sun, 06 Nov 1994 25:49:37 GMT", None),
        ] {
            assert_eq!(after_ms(&answer(503, value), now_ms), expect, "{value}");
        }
        assert_eq!(date_ms("Tue, 29 Feb 2028 00:00:00 GMT"), Some(1_835_395_200_000));
    }

    #[test]
    fn what_may_pass_is_told_from_what_stays() {
        for (status, retryable) in [(404, false), (409, false), (429, true), (500, true), (501, false), (503, true), (200, false)]
        {
            assert_eq!(fault("writing", &answer(status, "1")).retryable, retryable, "{status}");
        }
        assert!(unanswered("writing", &Error::Timeout).retryable);
        assert!(!unanswered("writing", &Error::Refused("no".to_owned())).retryable);
    }
}
