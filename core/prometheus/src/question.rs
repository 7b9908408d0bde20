//! What is asked: the path and the form of a request.

/// A question of the query API. All times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// The value of an expression at one instant.
    Instant {
        /// The expression, in PromQL.
        query: String,
        /// When; the server's own now where nothing is said, so that two clocks need not agree.
        at_ms: Option<i64>,
    },
    /// The values of an expression over a window.
    Range {
        /// The expression, in PromQL.
        query: String,
        /// Which window.
        window: Window,
    },
}

/// A window that is looked at step by step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub start_ms: i64,
    /// The last instant that may be looked at.
    pub end_ms: i64,
    /// The time from one instant to the next; at least a millisecond.
    pub step_ms: u64,
}

impl Window {
    /// Returns how many points a series can have in the window.
    pub fn points(&self) -> u64 {
        let length = u64::try_from(self.end_ms.saturating_sub(self.start_ms)).unwrap_or(0);
        length / self.step_ms.max(1) + 1
    }
}

impl Question {
    /// Returns the expression.
    pub fn query(&self) -> &str {
        match self {
            Self::Instant { query, .. } | Self::Range { query, .. } => query,
        }
    }

    /// Returns the path below the address of the server. The request is a POST: expressions may be longer than an address may be.
    pub fn path(&self) -> &'static str {
        match self {
            Self::Instant { .. } => "/api/v1/query",
            Self::Range { .. } => "/api/v1/query_range",
        }
    }

    /// Returns the address to ask, below that of the server: with or without a slash at its end, with or without a path of its own.
    pub fn url(&self, server: &str) -> String {
        format!("{}{}", server.trim_end_matches('/'), self.path())
    }

    /// Returns the body of the request, as `application/x-www-form-urlencoded`. The server gives up after `timeout_ms`.
    pub fn form(&self, timeout_ms: u64) -> String {
        let mut form = Form::default();
        form.add("query", self.query());
        match self {
            Self::Instant { at_ms, .. } => {
                if let Some(at) = at_ms {
                    form.add("time", &seconds(*at));
                }
            }
            Self::Range { window, .. } => {
                form.add("start", &seconds(window.start_ms));
                form.add("end", &seconds(window.end_ms));
                form.add("step", &format!("{}ms", window.step_ms.max(1)));
            }
        }
        form.add("timeout", &format!("{}ms", timeout_ms.max(1)));
        form.0
    }
}

/// The media type of the body.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Returns an instant as the API takes it: seconds with three decimals, exactly.
fn seconds(at_ms: i64) -> String {
    let (whole, part) = (at_ms.div_euclid(1_000), at_ms.rem_euclid(1_000));
    match whole {
        // A negative whole part with a positive rest would read as another number.
        ..0 if part > 0 => format!("-{}.{:03}", -(whole + 1), 1_000 - part),
        whole => format!("{whole}.{part:03}"),
    }
}

#[derive(Default)]
struct Form(String);

impl Form {
    fn add(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => self.0.push(char::from(byte)),
                b' ' => self.0.push('+'),
                byte => {
                    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
                    self.0.extend(['%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_becomes_a_request() {
        let query = r#"sum(rate(http_requests_total{code=~"5.."}[1m])) / 2 + ü"#.to_owned();
        let instant = Question::Instant { query: query.clone(), at_ms: None };
        assert_eq!(instant.url("http://prometheus:9090/base/"), "http://prometheus:9090/base/api/v1/query");
        let form = "query=sum%28rate%28http_requests_total%7Bcode%3D~%225..%22%7D%5B1m%5D%29%29+%2F+2+%2B+%C3%BC&timeout=2000ms";
        assert_eq!(instant.form(2_000).replace("%7E", "~"), form);
        let window = Window { start_ms: 1_500, end_ms: 61_499, step_ms: 15_000 };
        let range = Question::Range { query, window };
        assert_eq!(range.url("http://prometheus:9090"), "http://prometheus:9090/api/v1/query_range");
        assert!(range.form(1).ends_with("&start=1.500&end=61.499&step=15000ms&timeout=1ms"), "{}", range.form(1));
        assert_eq!(window.points(), 4);
    }

    #[test]
    fn instants_are_exact_before_1970_too() {
        let said = [0, 7, 1_000, 1_790_000_000_123, -1, -1_000, -1_500].map(seconds);
        assert_eq!(said, ["0.000", "0.007", "1.000", "1790000000.123", "-0.001", "-1.000", "-1.500"]);
    }
}
