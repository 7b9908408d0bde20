//! What is wrong, where, what was expected, and what to do about it.

use std::fmt;

use super::source::{Place, Source, Span, shown_text};

/// The most diagnostics that one call gives: nobody reads more, and a hostile file must not fill a terminal.
pub(crate) const DIAGNOSTICS_MAX: usize = 50;

/// One thing that is wrong in a file, or between files.
///
/// Its `Display` is plain text in the manner of compilers: message, place, the line with the stretch underlined, notes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong, as a fragment that reads after "error:".
    pub message: String,
    /// Where, if it is at one place. Boxed, because most of a diagnostic's size is here.
    pub place: Option<Box<Place>>,
    /// What was expected there and what was found; empty when the message says it all.
    pub label: String,
    /// What else helps: known keys, the limit's origin.
    pub notes: Vec<String>,
    /// What to do, if there is an obvious thing to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    pub(crate) fn at(source: &Source, span: Span, message: impl Into<String>) -> Self {
        Self::placed(source.place(span), message)
    }

    pub(crate) fn placed(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(Box::new(place)), ..Self::nowhere(message) }
    }

    pub(crate) fn nowhere(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, label: String::new(), notes: Vec::new(), hint: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn hint_if(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", shown_text(&self.message))?;
        let gutter = self.place.as_ref().map_or(0, |place| place.line.to_string().len());
        if let Some(place) = &self.place {
            write!(f, "\n{:gutter$}--> {}:{}:{}", "", place.file, place.line, place.column)?;
            write!(f, "\n{:gutter$} |\n{} | {}", "", place.line, place.snippet)?;
            write!(f, "\n{:gutter$} | {:offset$}{:^<width$}", "", "", "", offset = place.snippet_offset, width = place.width)?;
            if !self.label.is_empty() {
                write!(f, " {}", shown_text(&self.label))?;
            }
            if !self.notes.is_empty() || self.hint.is_some() {
                write!(f, "\n{:gutter$} |", "")?;
            }
        } else if !self.label.is_empty() {
            write!(f, ": {}", shown_text(&self.label))?;
        }
        for note in &self.notes {
            write!(f, "\n{:gutter$} = {}", "", shown_text(note))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n{:gutter$} = hint: {}", "", shown_text(hint)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// Returns the diagnostics one below the other, with how many there are.
pub fn render_diagnostics(found: &[Diagnostic]) -> String {
    let mut text: String = found.iter().map(|one| format!("{one}\n\n")).collect();
    match found.len() {
        1 => text.push_str("1 error\n"),
        many => text.push_str(&format!("{many} errors\n")),
    }
    text
}

/// Sorts by place, as a person reads the file, drops repetitions and keeps what a person can read.
pub(crate) fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let key = |d: &Diagnostic| d.place.as_ref().map(|p| (p.file.clone(), p.line, p.column));
    found.sort_by_key(key);
    // One wrong value may be used in many places; it is one error.
    found.dedup_by(|b, a| a.place.is_some() && (&a.message, &a.place) == (&b.message, &b.place));
    if found.len() > DIAGNOSTICS_MAX {
        let more = found.len() - DIAGNOSTICS_MAX;
        found.truncate(DIAGNOSTICS_MAX);
        found.push(Diagnostic::nowhere(format!("{more} more errors are not shown")));
    }
    found
}
