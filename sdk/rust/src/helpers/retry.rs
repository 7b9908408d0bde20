//! From an answer that is no success to a [`Fault`], and to the time after which another attempt makes sense.

use super::time::http_date_ms;
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
        Err(_) => http_date_ms(value)?.saturating_sub(now_ms),
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
