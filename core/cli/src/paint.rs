//! Colours, where they are wanted. Every output can be read without them.

/// Paints words, or leaves them as they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether to paint at all.
    pub(crate) on: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self.on && !text.is_empty() {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    /// Something went well.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Something went wrong.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Something waits for somebody.
    pub(crate) fn waits(self, text: &str) -> String {
        self.with("33", text)
    }

    /// What matters most.
    pub(crate) fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// What matters least.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }
}
