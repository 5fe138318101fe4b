//! Markdown cells that quote what code cells print on other data than the stored outputs are of.
//!
//! Such a cell has the comment `<!-- real: ID -->` with the id of the code cell, and one block
//! fenced by "```" whose contents are what that cell printed.

use super::nbformat::Notebook;
use anyhow::{Result, bail};

const BEGIN: &str = "<!-- real: ";
const END: &str = " -->";
/// Without a language: VS Code, where it colours other blocks at the same moment, can put one of those
/// in the place of a block with a language that it does not colour.
const FENCE: &str = "\n```\n";
const CLOSED: &str = "\n```";

/// Puts what the cells of `executed` printed into the cells of `notebook` that quote them, and
/// returns how many those are.
///
/// # Errors
/// A quoted cell does not exist or prints nothing, or a cell that quotes has no block for it.
pub fn quote(notebook: &mut Notebook, executed: &Notebook) -> Result<usize> {
    let mut count = 0;
    let name = notebook.name();
    notebook.try_edit_markdown(|source| {
        let Some(id) = quoted(source) else { return Ok(None) };
        let Some(cell) = executed.code_cells().find(|cell| cell.id() == Some(id)) else {
            bail!("{name} quotes the cell `{id}`, which is not there");
        };
        let text = cell.text();
        if text.trim().is_empty() {
            bail!("{name} quotes the cell `{id}`, which prints no text");
        }
        count += 1;
        replaced(source, text.trim_end()).map(Some).ok_or_else(|| {
            anyhow::anyhow!("{name} quotes the cell `{id}` without a block fenced by ```")
        })
    })?;
    Ok(count)
}

/// The id of the cell that `source` quotes.
fn quoted(source: &str) -> Option<&str> {
    let (_, rest) = source.split_once(BEGIN)?;
    Some(rest.split_once(END)?.0.trim())
}

/// `source` with another text in its block.
fn replaced(source: &str, text: &str) -> Option<String> {
    let (before, rest) = source.split_once(FENCE)?;
    let after = &rest[rest.find(CLOSED)?..];
    Some(format!("{before}{FENCE}{text}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::path::PathBuf;

    fn notebook(quoting: &str, printed: &str) -> Notebook {
        let cells = json!([
            {"cell_type": "code", "id": "train", "metadata": {}, "source": "fit()",
             "execution_count": 1, "outputs": [
                {"output_type": "stream", "name": "stdout", "text": [printed]},
                {"output_type": "stream", "name": "stderr", "text": ["not this"]},
                {"output_type": "execute_result", "execution_count": 1, "metadata": {},
                 "data": {"text/plain": ["0.54"]}}]},
            {"cell_type": "markdown", "id": "real", "metadata": {}, "source": quoting},
        ]);
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        Notebook::parse(PathBuf::from("n.ipynb"), &json.to_string()).expect("a notebook")
    }

    fn quoted_by(quoting: &str) -> Result<String> {
        let mut source = notebook(quoting, "");
        let executed = notebook("", "[1,  2000] loss: 2.1\n");
        assert_eq!(quote(&mut source, &executed)?, 1);
        let json: serde_json::Value = serde_json::from_slice(&source.to_bytes()?)?;
        let lines = json["cells"][1]["source"].as_array().expect("lines");
        Ok(lines.iter().filter_map(serde_json::Value::as_str).collect())
    }

    #[test]
    fn what_a_cell_printed_stands_in_the_block() {
        let quoting = "<!-- real: train -->\nReal:\n\n```\nold\nlines\n```\n\nSeed 0.";
        let written = quoted_by(quoting).expect("quoted");
        let block = "```\n[1,  2000] loss: 2.1\n0.54\n```";
        assert_eq!(written, format!("<!-- real: train -->\nReal:\n\n{block}\n\nSeed 0."));
    }

    #[test]
    fn what_cannot_be_quoted_is_named() {
        for (quoting, expected) in [
            ("<!-- real: no-such -->\n```\n\n```", "`no-such`, which is not there"),
            ("<!-- real: train -->\nno block", "without a block"),
        ] {
            let error = quoted_by(quoting).expect_err("it cannot be quoted").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
