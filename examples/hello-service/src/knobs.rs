//! What the environment says about how to behave.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

/// How this copy behaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Knobs {
    /// `HOST` and `PORT`: where to listen. 127.0.0.1 and 8080; port 0 lets the system pick, and the first line of output says what.
    pub(crate) listen: SocketAddr,
    /// `VERSION`: what `GET /` answers. "unknown".
    pub(crate) version: String,
    /// `ERROR_RATE`, 0 to 1: the share of requests answered with 500, spread evenly. 0.
    pub(crate) error_rate: f64,
    /// `DELAY_MS`: how long every answer takes. 0.
    pub(crate) delay: Duration,
    /// `READY_AFTER_MS`: how long `/healthz` answers 503 after the start. 0.
    pub(crate) ready_after: Duration,
    /// `CRASH_AFTER_MS`: when to exit with status 1. Never.
    pub(crate) crash_after: Option<Duration>,
    /// `FAIL_AFTER_REQUESTS`: after how many good answers every further one is a 500. Never.
    pub(crate) fail_after_requests: Option<u64>,
    /// `LOG_ERRORS`, true or false: whether every request that fails leaves a line on standard error. false.
    pub(crate) log_errors: bool,
}

impl Knobs {
    /// Reads the knobs. The error names the variable and what it holds.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let host: IpAddr = value(&variable, "HOST", "an IP address")?.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let port: u16 = value(&variable, "PORT", "0 to 65535")?.unwrap_or(8080);
        let error_rate: f64 = value(&variable, "ERROR_RATE", "0 to 1")?.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&error_rate) {
            return Err(format!("ERROR_RATE is {error_rate}; expected 0 to 1"));
        }
        let time = |name: &str| value(&variable, name, "milliseconds").map(|ms: Option<u64>| ms.map(Duration::from_millis));
        Ok(Self {
            listen: SocketAddr::new(host, port),
            version: variable("VERSION").unwrap_or_else(|| "unknown".to_owned()),
            error_rate,
            delay: time("DELAY_MS")?.unwrap_or_default(),
            ready_after: time("READY_AFTER_MS")?.unwrap_or_default(),
            crash_after: time("CRASH_AFTER_MS")?,
            fail_after_requests: value(&variable, "FAIL_AFTER_REQUESTS", "a number of requests")?,
            log_errors: value(&variable, "LOG_ERRORS", "true or false")?.unwrap_or(false),
        })
    }

    /// Returns whether the `number`th request, counted from 0, is answered with an error.
    ///
    /// An error is due whenever the sum of the rates passes the next whole number: 0.25 fails every fourth request and no other, and no
    /// window of any length is off by more than one.
    pub(crate) fn fails(&self, number: u64) -> bool {
        let due = |requests: u64| (requests as f64 * self.error_rate).floor();
        due(number + 1) > due(number) || self.fail_after_requests.is_some_and(|good| number >= good)
    }
}

fn value<T: FromStr<Err: Display>>(
    variable: impl Fn(&str) -> Option<String>,
    name: &str,
    expected: &str,
) -> Result<Option<T>, String> {
    let Some(text) = variable(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|error| format!("{name} is {text:?}: {error}; expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knobs(variables: &[(&str, &str)]) -> Result<Knobs, String> {
        Knobs::read(|name| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn defaults_and_values() {
        let none = knobs(&[]).unwrap();
        assert_eq!((none.listen.to_string().as_str(), none.error_rate, none.crash_after), ("127.0.0.1:8080", 0.0, None));
        let some = knobs(&[("PORT", "0"), ("DELAY_MS", "5"), ("FAIL_AFTER_REQUESTS", "9"), ("LOG_ERRORS", "true")]).unwrap();
        assert_eq!((none.log_errors, some.log_errors), (false, true));
        assert_eq!((some.listen.port(), some.delay, some.fail_after_requests), (0, Duration::from_millis(5), Some(9)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert_eq!(knobs(&[("ERROR_RATE", "2")]).unwrap_err(), "ERROR_RATE is 2; expected 0 to 1");
        assert!(knobs(&[("LOG_ERRORS", "yes")]).unwrap_err().ends_with("expected true or false"));
        assert!(knobs(&[("PORT", "http")]).unwrap_err().starts_with("PORT is \"http\": invalid digit"));
    }

    #[test]
    fn errors_come_evenly() {
        let check = |rate: &str, requests: u64, expect: usize| {
            let knobs = knobs(&[("ERROR_RATE", rate)]).unwrap();
            assert_eq!((0..requests).filter(|n| knobs.fails(*n)).count(), expect, "{rate} of {requests}");
        };
        check("0", 1000, 0);
        check("0.25", 8, 2);
        check("0.5", 1000, 500);
        check("1", 7, 7);
        let late = knobs(&[("FAIL_AFTER_REQUESTS", "3")]).unwrap();
        assert_eq!((0..5).map(|n| late.fails(n)).collect::<Vec<_>>(), [false, false, false, true, true]);
    }
}
