//! What stands at the top of a program: what it is, and how to run it.

use super::comments;
use super::words::Words;
use super::writer::WIDTH;
use crate::notebook::nbformat::{Cell, Notebook};

/// The lines above the code, with what is added in `words`.
pub fn of(notebook: &Notebook, words: &Words) -> String {
    let (file, name) = (notebook.name(), super::name(notebook));
    let first = notebook.all_cells().next().filter(Cell::is_markdown);
    let about = first.map(|cell| cell.source()).unwrap_or_else(|| format!("# {file}"));
    let made = format!(
        "{}\n\n```text\ncargo run --package blitz --example {name}\n```\n\n{}\n",
        words.made(&file),
        words.elsewhere()
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
        "{header}\n// {}\n#![allow(unused, clippy::all, clippy::unwrap_used)]\n",
        words.shows_more()
    )
}
