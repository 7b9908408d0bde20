//! Lists for people: columns as wide as their widest cell, nothing else.

use std::io::{self, Write};

use crate::paint::Paint;
use crate::text::line;

/// Writes a table. Cells are cleaned here; the last column is not padded.
pub(crate) fn write(out: &mut dyn Write, paint: Paint, header: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([header[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let padded = |cells: &[String]| {
        let last = cells.len().saturating_sub(1);
        let pad = |(index, cell): (usize, &String)| match index == last {
            true => cell.clone(),
            false => format!("{cell:<width$}", width = widths[index]),
        };
        cells.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ")
    };
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    writeln!(out, "{}", paint.faint(&padded(&header)))?;
    for row in &rows {
        writeln!(out, "{}", padded(row).trim_end())?;
    }
    Ok(())
}
