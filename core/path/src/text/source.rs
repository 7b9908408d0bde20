//! Where something stands in a file.

use std::sync::Arc;

/// The longest part of a line that a diagnostic shows: about a terminal's width.
const SNIPPET_CHARS_MAX: usize = 100;

/// How much of a long line is shown before the place itself.
const SNIPPET_CHARS_BEFORE: usize = 40;

/// A stretch of one line. Lines and columns are counted from 1, columns and width in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

/// A file's text under its name; cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) file: Arc<str>,
    pub(crate) text: Arc<str>,
}

/// A place in a file, with the line it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1, in characters.
    pub column: usize,
    /// How many characters are meant; at least 1.
    pub width: usize,
    /// The line's text, shortened around the place where it is long.
    pub snippet: String,
    /// Where the place begins in the snippet, counted from 0, in characters.
    pub snippet_offset: usize,
}

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self { file: file.into(), text: text.into() }
    }

    /// Returns the line's text; empty past the end.
    pub(crate) fn line(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or("")
    }

    /// Returns the span with what a person needs to find it.
    pub(crate) fn place(&self, span: Span) -> Place {
        let line: Vec<char> = self.line(span.line).chars().map(shown).collect();
        let at = span.column.saturating_sub(1).min(line.len());
        let from = if line.len() > SNIPPET_CHARS_MAX { at.saturating_sub(SNIPPET_CHARS_BEFORE) } else { 0 };
        let snippet: String = line.iter().skip(from).take(SNIPPET_CHARS_MAX).collect();
        let room = snippet.chars().count().saturating_sub(at - from);
        Place {
            file: self.file.to_string(),
            line: span.line,
            column: span.column,
            width: span.width.clamp(1, room.max(1)),
            snippet: snippet.trim_end().to_owned(),
            snippet_offset: at - from,
        }
    }

    /// Returns where `part` stands inside `span`'s line, at or behind the span's beginning, if it stands there verbatim.
    pub(crate) fn find_within(&self, span: Span, part: &str) -> Option<Span> {
        let line = self.line(span.line);
        let skip = line.char_indices().nth(span.column.saturating_sub(1)).map_or(line.len(), |(at, _)| at);
        let at = line[skip..].find(part)? + skip;
        Some(Span { column: line[..at].chars().count() + 1, width: part.chars().count(), ..span })
    }
}

/// Returns a text without control characters.
pub(crate) fn shown_text(text: &str) -> String {
    text.chars().map(shown).collect()
}

/// A terminal must not obey what a file contains.
fn shown(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}
