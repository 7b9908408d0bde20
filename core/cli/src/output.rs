//! Where answers go, and what was resolved once before anything ran.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::paint::Paint;
use crate::table;

/// What the binary resolved from arguments and environment; nothing behind it reads either.
#[derive(Clone, Debug)]
pub struct Context {
    /// The server's address as it was given; without it, the data folder says where it is.
    pub server: Option<String>,
    /// The data folder.
    pub data_dir: PathBuf,
    /// The file with the bearer token; without it, the one in the data folder.
    pub token_file: Option<PathBuf>,
    /// Whether answers are JSON.
    pub json: bool,
    /// Whether `out` is painted.
    pub color_out: bool,
    /// Whether `err` is painted.
    pub color_err: bool,
    /// Whether `out` is a terminal: only there is a live view drawn.
    pub terminal: bool,
    /// Whether somebody sits in front of it who can be asked.
    pub can_ask: bool,
}

/// The two streams.
pub struct Output {
    /// What was resolved.
    pub context: Context,
    /// Data.
    pub out: Box<dyn Write + Send>,
    /// Everything else.
    pub err: Box<dyn Write + Send>,
}

impl Output {
    /// Writes a list for people. Cells are made safe for a terminal.
    pub fn table(&mut self, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        let paint = self.paint();
        table::write(&mut *self.out, paint, header, rows)
    }

    pub(crate) fn paint(&self) -> Paint {
        Paint { on: self.context.color_out }
    }

    pub(crate) fn paint_err(&self) -> Paint {
        Paint { on: self.context.color_err }
    }
}
