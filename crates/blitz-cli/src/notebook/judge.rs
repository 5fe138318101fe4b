//! Judging whether an executed notebook's cells ran.

use super::nbformat::{Cell, ErrorOutput, Notebook};
use crate::kernel::Kernel;
use anstream::adapter::strip_str;
use anyhow::{Result, bail};

/// The tag of a cell that is meant to fail, as nbclient and nbval know it.
const MEANT_TO_FAIL: &str = "raises-exception";

/// Where and why execution was stopped from outside.
pub struct Stopped {
    /// The cell's place among all cells.
    pub index: usize,
    /// The reason.
    pub reason: String,
}

/// Checks that every code cell ran on `kernel` and none failed, given where execution was stopped,
/// if it was.
///
/// # Errors
/// The first cell that failed, was stopped or did not run, named, with the reason.
pub fn check_executed(
    notebook: &Notebook,
    kernel: Kernel,
    stopped: Option<&Stopped>,
) -> Result<()> {
    for cell in notebook.code_cells() {
        // A stopped cell's own outputs tell only how its process was ended.
        if let Some(stopped) = stopped.filter(|stopped| stopped.index <= cell.index) {
            bail!("{}: {}", cell.name(), stopped.reason);
        }
        if let Some(reason) = failure(&cell, kernel) {
            bail!("{}: {reason}", cell.name());
        }
        if !cell.was_executed() {
            bail!("{}: did not run", cell.name());
        }
    }
    Ok(())
}

/// The reason of the cell's failure, if it failed and was not meant to.
fn failure(cell: &Cell<'_>, kernel: Kernel) -> Option<String> {
    if cell.has_tag(MEANT_TO_FAIL) {
        return None;
    }
    if let Some(error) = cell.error() {
        return Some(described(&error));
    }
    // evcxr_jupyter answers "ok" to a panic and to an `Err`: only this text tells.
    let printed = if kernel == Kernel::RustStock { cell.stream("stderr") } else { String::new() };
    let printed = strip_str(printed.trim()).to_string();
    (!printed.is_empty()).then(|| format!("printed to stderr: {}", printed.replace('\n', "\n    ")))
}

/// The error in one line, and below it what its traceback adds.
fn described(error: &ErrorOutput) -> String {
    let headline = format!("{}: {}", error.name, error.value);
    let traceback = strip_str(&error.traceback.join("\n")).to_string();
    // Most tracebacks repeat the headline.
    let told = |line: &&str| line.trim().is_empty() || headline.contains(line.trim());
    let more: Vec<&str> = traceback.lines().map(str::trim_end).filter(|line| !told(line)).collect();
    std::iter::once(headline.as_str()).chain(more).collect::<Vec<_>>().join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What `check_executed` says about a notebook of these cells; empty where it is content.
    fn verdict(cells: Value, kernel: Kernel, stopped: Option<&Stopped>) -> String {
        let json = json!({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5});
        let notebook = Notebook::parse("n.ipynb".into(), &json.to_string()).expect("a notebook");
        let checked = check_executed(&notebook, kernel, stopped);
        checked.err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn cell(source: &str, count: Option<u32>, outputs: Value) -> Value {
        json!({"cell_type": "code", "id": "an-id", "metadata": {}, "source": [source],
               "execution_count": count, "outputs": outputs})
    }

    fn panic() -> Value {
        json!([{"output_type": "error", "ename": "panic", "evalue": "index out of bounds",
                "traceback": ["\u{1b}[31mpanic\u{1b}[0m: index out of bounds", "  in cell 2, line 1"]}])
    }

    #[test]
    fn names_the_cell_that_failed_and_shows_the_traceback_without_colours() {
        let cells =
            json!([cell("let x = 1;", Some(1), json!([])), cell("\nx[7]", Some(2), panic())]);
        assert_eq!(
            verdict(cells, Kernel::Rust, None),
            "cell 2 (an-id) `x[7]`: panic: index out of bounds\n      in cell 2, line 1"
        );
    }

    #[test]
    fn a_cell_without_a_count_did_not_run_and_an_empty_one_need_not() {
        let fine = json!([cell("1", Some(1), json!([])), cell("  \n", None, json!([]))]);
        assert_eq!(verdict(fine, Kernel::Rust, None), "");
        let unexecuted = json!([cell("2", None, json!([]))]);
        assert!(verdict(unexecuted, Kernel::Rust, None).ends_with("did not run"));
        // Stopped in its first cell, whatever that looks like by then.
        let stopped = Stopped { index: 0, reason: "took too long".to_owned() };
        let cells = json!([cell("1", Some(1), panic()), cell("2", None, json!([]))]);
        let said = verdict(cells, Kernel::Rust, Some(&stopped));
        assert_eq!(said, "cell 1 (an-id) `1`: took too long");
    }

    #[test]
    fn an_error_fails_a_cell_unless_it_is_meant_to() {
        let mut meant = cell("q", Some(1), panic());
        meant["metadata"]["tags"] = json!([MEANT_TO_FAIL]);
        assert_eq!(verdict(json!([meant]), Kernel::Rust, None), "");
        assert_eq!(verdict(json!([meant]), Kernel::RustStock, None), "");
        assert!(!verdict(json!([cell("q", Some(1), panic())]), Kernel::Rust, None).is_empty());
    }

    #[test]
    fn text_on_stderr_fails_a_cell_of_the_stock_kernel_only() {
        let printed = json!([{"output_type": "stream", "name": "stderr",
                              "text": ["thread panicked at src/lib.rs:1:\n", "no more\n"]}]);
        let cells = json!([cell("q", Some(1), printed)]);
        assert_eq!(verdict(cells.clone(), Kernel::Rust, None), "");
        let said = verdict(cells, Kernel::RustStock, None);
        assert!(said.contains("panicked at") && said.contains("no more"), "{said}");
    }
}
