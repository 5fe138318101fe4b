//! Notebooks as Rust programs: their text as comments, their cells in order within `main`.
//!
//! What a cell would show is printed, or saved to a file: `blitz::program` and `blitz::show!` do that.

pub mod compare;
pub mod package;

mod cell;
mod comments;
mod format;
mod header;
mod scopes;
mod words;
mod writer;

use crate::notebook::nbformat::Notebook;
use anyhow::{Context, Result};
use cell::Code;
pub use words::Words;
use writer::Writer;

/// Begins the comment above the code of a cell, as Jupyter's exporters write it: the cell's number
/// follows.
const CELL: &str = "// In [";

/// The program that does what `notebook` does, with what is added in `words`.
///
/// # Errors
/// A cell is no Rust, or defines something a second time in a way that a program cannot; the message
/// names it.
pub fn of(notebook: &Notebook, words: &Words) -> Result<String> {
    let mut writer = Writer::new(header::of(notebook, words), words);
    let mut count = 0;
    for cell in notebook.all_cells() {
        // The first text is in the header.
        if cell.is_markdown() && cell.index > 0 {
            writer.text(&cell.source());
        } else if cell.is_program() {
            count += 1;
            let name = || format!("{}: {}", notebook.name(), cell.name());
            let code = Code::parse(&cell).with_context(name)?;
            writer.code(count, code).with_context(name)?;
        }
    }
    Ok(format::formatted(&writer.finish()))
}

/// The name of a notebook's program: that of its file, in what cargo allows.
pub fn name(notebook: &Notebook) -> String {
    let allowed = |it: char| if it.is_ascii_alphanumeric() || it == '-' { it } else { '_' };
    notebook.name().chars().map(allowed).collect()
}

/// The number of the cell that line `line` of `program`, from 1, belongs to.
pub fn cell_at(program: &str, line: usize) -> Option<usize> {
    let number = |line: &str| line.trim().strip_prefix(CELL)?.strip_suffix("]:")?.parse().ok();
    program.lines().take(line).filter_map(number).last()
}
