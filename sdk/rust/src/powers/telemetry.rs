//! What the service measures of itself and sends to the server, in the scope of the call: the host adds service and environment.
//!
//! ```
//! use towpath_sdk::powers::telemetry::{self, Query};
//!
//! fn requests_that_failed(release: &str, from_ms: i64, to_ms: i64) -> Result<u64, telemetry::Error> {
//!     let query = Query::new("http.server.request.duration", from_ms, to_ms).of_release(release);
//!     let reading = telemetry::read(&query.among("http.response.status_code", ["5*"]))?;
//!     Ok(reading.windows.iter().map(|window| window.count).sum())
//! }
//! # assert!(requests_that_failed("v2", 0, 1).expect_err("no world, no grant").sentence().starts_with("not allowed"));
//! ```

pub use crate::bindings::powers::towpath::plugin::telemetry::{Aspect, Error, Expectation, Filter, Query, Reading, Window};

/// Returns what was measured.
pub fn read(query: &Query) -> Result<Reading, Error> {
    ask!(telemetry::read => telemetry_read(query))
}

/// Returns what is usual for a metric of the service in the hour of the week of this instant; `None` where nothing was learnt yet.
pub fn usual(metric: &str, aspect: Aspect, at_ms: i64) -> Result<Option<Expectation>, Error> {
    ask!(telemetry::usual => telemetry_usual(metric, aspect, at_ms))
}

impl Query {
    /// Returns a question for all series of a metric between two instants, in Unix milliseconds.
    pub fn new(metric: impl Into<String>, from_ms: i64, to_ms: i64) -> Self {
        Self { metric: metric.into(), release: None, filters: Vec::new(), from_ms, to_ms }
    }

    /// Returns the question for one release alone.
    #[must_use]
    pub fn of_release(mut self, release: impl Into<String>) -> Self {
        self.release = Some(release.into());
        self
    }

    /// Returns the question for series whose attribute has one of these values; one that ends in `*` stands for all that begin so.
    #[must_use]
    pub fn among<V: Into<String>>(self, attribute: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        self.filtered(attribute.into(), values, true)
    }

    /// Returns the question for series whose attribute has none of these values.
    #[must_use]
    pub fn except<V: Into<String>>(self, attribute: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        self.filtered(attribute.into(), values, false)
    }

    fn filtered<V: Into<String>>(mut self, attribute: String, values: impl IntoIterator<Item = V>, among: bool) -> Self {
        self.filters.push(Filter { attribute, values: values.into_iter().map(Into::into).collect(), among });
        self
    }
}

impl Error {
    /// Returns the error as a sentence fragment.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) => format!("not allowed: {why}"),
            Self::Invalid(why) => format!("not a question: {why}"),
            Self::Unavailable(why) => format!("no telemetry: {why}"),
        }
    }
}
