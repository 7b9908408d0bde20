//! Placeholders in the texts of settings: `$service` stands for the service's name, `$$` for one dollar sign.
//!
//! A golden path keeps `${…}` for its own expressions, which are evaluated before a plugin sees them; a bare `$name` passes through it. A
//! dollar sign before anything but a letter is itself, so that the regular expression `^a$` needs no escape. What a name stands for
//! is put into another language (an address, a query, an expression), so the caller escapes it for the place where it stands.
//!
//! ```
//! use towpath_sdk::helpers::placeholders::{UnknownName, fill};
//! use towpath_sdk::helpers::text::percent_encoded;
//!
//! let value = |name: &str| (name == "service").then(|| percent_encoded("web shop"));
//! assert_eq!(fill("/carts/$service?price=5$$", value), Ok("/carts/web%20shop?price=5$".to_owned()));
//! assert_eq!(fill("/$serivce", value), Err(UnknownName("serivce".to_owned())));
//! ```

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        write!(formatter, "${} stands for nothing here; a dollar sign before a letter is written $$", self.0)
    }
}

impl std::error::Error for UnknownName {}

/// Returns the parts of a text, in their order.
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
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        match rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => Some(Piece::Name(&self.take(1 + end)[1..])),
            false => Some(Piece::Text(self.take(1))),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, &str>) {
        let found = fill(text, |name| (name != "absent").then(|| format!("<{name}>")));
        assert_eq!(found, expect.map(str::to_owned).map_err(|name| UnknownName(name.to_owned())), "{text}");
    }

    #[test]
    fn names_are_filled_and_all_else_is_left() {
        check("", Ok(""));
        check("plain", Ok("plain"));
        check("$service", Ok("<service>"));
        check("a-$service-$label_2.b", Ok("a-<service>-<label_2>.b"));
        check("$a$b", Ok("<a><b>"));
        check("costs $5, ends$", Ok("costs $5, ends$"));
        check("^a$|^b$", Ok("^a$|^b$"));
        check("$$service $$$service $$$$", Ok("$service $<service> $$"));
        check("über$größe", Ok("über<gr>öße"));
        check("x $absent", Err("absent"));
    }
}
