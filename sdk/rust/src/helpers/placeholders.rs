//! Placeholders in questions that a check asks somebody else: `$release` in a PromQL expression, `$endpoint` in a program's argument.
//!
//! A golden path has no text templates, but what a check asks is often one text for either side, and only at the look is it known which
//! release that is.
//!
//! ```
//! use towpath_sdk::health::Subject;
//! use towpath_sdk::helpers::placeholders::{Placeholders, quoted};
//! use towpath_sdk::testing::context;
//! use towpath_sdk::Side;
//!
//! let candidate = Subject::new("web-2\"3");
//! let known = Placeholders::of(&context("{}")).on(Side::Candidate, &candidate).and("window", "30s");
//! let query = known.fill(r#"rate(http_requests_total{release="$release", code=~"5..$"}[$window])"#, quoted);
//! assert_eq!(query.as_deref(), Ok(r#"rate(http_requests_total{release="web-2\"3", code=~"5..$"}[30s])"#));
//! let unknown = known.fill("$relase", quoted).expect_err("it is misspelt");
//! assert_eq!(unknown, "$relase is not known; known are $service, $environment, $side, $release, $label, $digest, $endpoint, $window; write $$ for a dollar sign");
//! ```

use crate::health::Subject;
use crate::{Context, Side};

/// What placeholders stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholders(Vec<(&'static str, String)>);

impl Placeholders {
    /// Returns what is known at every call: `$service` and `$environment`.
    pub fn of(context: &Context) -> Self {
        Self(vec![("service", context.service.clone()), ("environment", context.environment.clone())])
    }

    /// Returns them with what is known of a side: `$side`, `$release`, `$label`, `$digest`, `$endpoint` (empty where there is none).
    #[must_use]
    pub fn on(self, side: Side, subject: &Subject) -> Self {
        self.and("side", side.as_str())
            .and("release", &subject.release)
            .and("label", &subject.label)
            .and("digest", &subject.artifact_digest)
            .and("endpoint", subject.endpoint.as_deref().unwrap_or_default())
    }

    /// Returns them with one more. The name has letters alone.
    #[must_use]
    pub fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Returns the text with every placeholder replaced by what it stands for, as `escape` writes it in such a text.
    ///
    /// `$$` is a dollar sign, and a dollar sign before anything but a letter stands for itself: so do those at the end of regular
    /// expressions.
    ///
    /// # Errors
    /// When a placeholder is not known: a sentence with those that are.
    pub fn fill(&self, text: &str, escape: impl Fn(&str) -> String) -> Result<String, String> {
        let (mut filled, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            let name: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
            if let Some(behind) = rest.strip_prefix('$') {
                filled.push('$');
                rest = behind;
            } else if name.is_empty() {
                filled.push('$');
            } else {
                let value = self.0.iter().find(|(known, _)| *known == name).ok_or_else(|| self.unknown(&name))?;
                filled.push_str(&escape(&value.1));
                rest = &rest[name.len()..];
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.0.iter().map(|(known, _)| format!("${known}")).collect();
        format!("${name} is not known; known are {}; write $$ for a dollar sign", known.join(", "))
    }
}

/// Returns a value as it stands inside double quotes in PromQL, LogQL and matchers of alerts.
pub fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            other => quoted.push(other),
        }
    }
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_and_dollars_stay_where_they_are_none() {
        let known = Placeholders::default().and("release", "$side").and("side", "stable");
        let fill = |text: &str| known.fill(text, str::to_owned);
        assert_eq!(fill("$release/$side").as_deref(), Ok("$side/stable"));
        assert_eq!(fill("a$ $1 $$side $").as_deref(), Ok("a$ $1 $side $"));
        assert_eq!(fill("ä$sideü").as_deref(), Ok("ästableü"));
        assert_eq!(fill("").as_deref(), Ok(""));
        assert!(fill("$sides").is_err_and(|why| why.starts_with("$sides is not known; known are $release, $side;")));
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"} or vector(1) #\\\n"), "a\\\"} or vector(1) #\\\\\\n");
    }
}
