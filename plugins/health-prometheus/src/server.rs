//! Prometheus, as it is asked: within the time of the look, and with what its failures mean.

use prometheus::question::FORM;
use prometheus::{Answer, Data, Limits, Question, Unusable, answer};
use towpath_sdk::Context;
use towpath_sdk::powers::{clock, http};

use crate::settings::{POINTS_MAX, Settings};

/// What is left of the look's time for saying something, in milliseconds.
const RESERVE_MS: i64 = 500;

/// Clocks that differ by more are spoken of. It changes no verdict: instants are Prometheus' own, and only durations are the host's.
const SKEW_SAID_MS: i64 = 5_000;

/// How much is read: a query that gives more series was not summed up.
const LIMITS: Limits = Limits { series: 1_000, points: POINTS_MAX as usize + 1 };

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// What was asked, or for what place, is wrong. It stays so.
    Wrong(String),
    /// Prometheus cannot be asked now.
    Away(String),
}

/// Prometheus during one look.
pub(crate) struct Server<'a> {
    url: &'a str,
    timeout_ms: i64,
    deadline_ms: i64,
    clock: Option<Clocks>,
}

/// What two clocks showed at once.
#[derive(Clone, Copy)]
struct Clocks {
    theirs_ms: i64,
    ours_ms: i64,
}

impl<'a> Server<'a> {
    pub(crate) fn new(settings: &'a Settings, context: &Context) -> Self {
        let timeout_ms = i64::try_from(settings.timeout.ms).unwrap_or(i64::MAX);
        Self { url: &settings.url, timeout_ms, deadline_ms: context.deadline_ms, clock: None }
    }

    /// Asks.
    pub(crate) fn ask(&self, question: &Question) -> Result<Answer, Trouble> {
        let left_ms = self.deadline_ms.saturating_sub(clock::now_ms()).saturating_sub(RESERVE_MS);
        let Some(timeout_ms) = u32::try_from(self.timeout_ms.min(left_ms)).ok().filter(|left| *left > 0) else {
            return Err(Trouble::Away("no time is left of this look".to_owned()));
        };
        let request = http::Request::new("POST", question.url(self.url)).header("content-type", FORM).timeout_ms(timeout_ms);
        match request.body(question.form(timeout_ms.into())).send() {
            Ok(response) => answer::read(response.status, &response.body, LIMITS).map_err(|why| unusable(&why)),
            Err(error) => Err(unsent(&error)),
        }
    }

    /// Returns the time by Prometheus' own clock.
    pub(crate) fn now_ms(&mut self) -> Result<i64, Trouble> {
        let clocks = match self.clock {
            Some(clocks) => clocks,
            None => {
                let answer = self.ask(&Question::Instant { query: "time()".to_owned(), at_ms: None })?;
                let Data::Scalar(point) = answer.data else {
                    return Err(Trouble::Wrong(format!("time() gives a {}, expected a scalar", answer.data.kind())));
                };
                *self.clock.insert(Clocks { theirs_ms: point.at_ms, ours_ms: clock::now_ms() })
            }
        };
        Ok(clocks.theirs_ms.saturating_add(clock::now_ms().saturating_sub(clocks.ours_ms)))
    }

    /// Returns a remark where the clocks differ by much.
    pub(crate) fn skew(&self) -> Option<String> {
        let Clocks { theirs_ms, ours_ms } = self.clock?;
        let skew_ms = theirs_ms.saturating_sub(ours_ms);
        let direction = if skew_ms > 0 { "ahead of" } else { "behind" };
        let seconds = skew_ms.unsigned_abs() / 1_000;
        (skew_ms.saturating_abs() > SKEW_SAID_MS).then(|| format!("Prometheus' clock is {seconds} s {direction} this server's"))
    }
}

fn unusable(why: &Unusable) -> Trouble {
    match why {
        Unusable::Status { status: 401 | 403, .. } => Trouble::Wrong(format!("{why}; its credentials are those of the grant")),
        why if why.passes() => Trouble::Away(why.to_string()),
        why => Trouble::Wrong(why.to_string()),
    }
}

fn unsent(error: &http::Error) -> Trouble {
    match error {
        http::Error::Refused(_) | http::Error::Invalid(_) => Trouble::Wrong(error.sentence()),
        // What the host reads is far more than one number.
        http::Error::TooLarge(_) => Trouble::Wrong(format!("{}; the query must sum up to one number", error.sentence())),
        http::Error::Unreachable(_) | http::Error::Timeout | http::Error::Broken(_) => Trouble::Away(error.sentence()),
    }
}
