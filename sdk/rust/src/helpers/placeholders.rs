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

/// A part of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// It stands for itself.
    Text(&'a str),
    /// A placeholder, without its dollar sign.
    Name(&'a str),
}

/// A placeholder that stands for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName(pub String);

impl std::fmt::Display for UnknownName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "${} stands for nothing here; write $$ for a dollar sign", self.0)
    }
}

impl std::error::Error for UnknownName {}

/// Returns the parts of a text, in their order.
///
/// `$$` is a dollar sign, and a dollar sign before anything but a letter stands for itself: so do those at the end of regular expressions.
pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces(text)
}

/// The parts of a text, in their order.
#[derive(Clone, Debug)]
pub struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.0.is_empty() {
            return None;
        }
        let Some(rest) = self.0.strip_prefix('$') else {
            let end = self.0.find('$').unwrap_or(self.0.len());
            return Some(Piece::Text(self.take(end)));
        };
        if rest.starts_with('$') {
            return Some(Piece::Text(&self.take(2)[1..]));
        }
        match rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len()) {
            0 => Some(Piece::Text(self.take(1))),
            length => Some(Piece::Name(&self.take(1 + length)[1..])),
        }
    }
}

impl<'a> Pieces<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}

/// Returns the text with what `value` gives for each placeholder. The first that it gives nothing for is the error.
pub fn fill(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, UnknownName> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => filled.push_str(&value(name).ok_or_else(|| UnknownName(name.to_owned()))?),
        }
    }
    Ok(filled)
}

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

    /// Returns what a placeholder stands for; `None` where it is not known, or stands for nothing: an empty text in a query asks for what has
    /// no such label at all.
    pub fn value(&self, name: &str) -> Option<&str> {
        let known = self.0.iter().find(|(known, _)| *known == name)?;
        (!known.1.is_empty()).then_some(known.1.as_str())
    }

    /// Returns the text with every placeholder replaced by what it stands for, as `escape` writes it in such a text. See [`pieces`] for dollar
    /// signs that are none.
    ///
    /// # Errors
    /// When a placeholder is not known: a sentence with those that are.
    pub fn fill(&self, text: &str, escape: impl Fn(&str) -> String) -> Result<String, String> {
        let value = |name: &str| self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| escape(value));
        fill(text, value).map_err(|UnknownName(name)| self.unknown(&name))
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
    fn a_text_is_taken_apart_and_what_is_missing_is_named() {
        let parts: Vec<_> = pieces("a-$service_total$$x^$").collect();
        let expect = [
            Piece::Text("a-"),
            Piece::Name("service"),
            Piece::Text("_total"),
            Piece::Text("$"),
            Piece::Text("x^"),
            Piece::Text("$"),
        ];
        assert_eq!(parts, expect);
        let known = Placeholders::default().and("release", "r-1").and("label", "");
        let found = |text: &str| fill(text, |name| known.value(name).map(str::to_owned));
        assert_eq!(found("$release.$release"), Ok("r-1.r-1".to_owned()));
        assert_eq!(found("$label"), Err(UnknownName("label".to_owned())));
        assert_eq!(
            found("$other").expect_err("unknown").to_string(),
            "$other stands for nothing here; write $$ for a dollar sign"
        );
    }

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(quoted("a\"} or vector(1) #\\\n"), "a\\\"} or vector(1) #\\\\\\n");
    }
}
