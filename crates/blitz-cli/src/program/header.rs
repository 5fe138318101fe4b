//! What stands at the top of a program: what it is, and how to run it.

use super::comments;
use super::writer::WIDTH;
use crate::notebook::nbformat::{Cell, Notebook};

/// The lines above the code.
pub fn of(notebook: &Notebook) -> String {
    let (file, name) = (notebook.name(), super::name(notebook));
    let first = notebook.all_cells().next().filter(Cell::is_markdown);
    let about = first.map(|cell| cell.source()).unwrap_or_else(|| format!("# {file}"));
    let made = format!(
        "Made of the notebook {file}.ipynb of Rust Blitz by `cargo blitz programs`: its text, and its cells \
         in order. What a cell shows is printed; pictures become files in pictures/, where the program \
         runs. After `cargo blitz setup`, which also gets libtorch, run it in the clone:\n\n\
         ```text\ncargo run --package blitz --example {name}\n```\n\n\
         It lies in crates/blitz/examples there. Anywhere else it needs a Cargo.toml with the crates \
         `blitz` and `tch`, as `cargo blitz programs --to DIR` writes one.\n"
    );
    let mut lines = comments::lines(&about, WIDTH);
    if let (Some(first), Some(title)) = (lines.first_mut(), comments::title(&about)) {
        *first = format!("# {title}");
    }
    lines.push(String::new());
    lines.extend(comments::lines(&made, WIDTH));
    let header: String =
        lines.iter().map(|line| format!("//! {line}").trim_end().to_owned() + "\n").collect();
    format!(
        "{header}\n// A page shows more than it goes on with.\n#![allow(unused, clippy::all, clippy::unwrap_used)]\n"
    )
}
