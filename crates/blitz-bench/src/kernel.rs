//! How long people wait for a kernel.

use crate::load;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = include_str!("../python/kernel.py");

/// The table's columns: a key of the script's result, how it is headed, and its unit.
const COLUMNS: [(&str, &str, &str); 6] = [
    ("start", "kernel ready", "s"),
    ("first_tensor", "first printed tensor", "s"),
    ("cell_median", "small cell, median", "ms"),
    ("cell_p90", "small cell, 90th percentile", "ms"),
    ("completion", "completion", "ms"),
    ("memory", "memory", "MB"),
];
/// The columns of the second table.
const MOMENTS: [(&str, &str, &str); 6] = [
    ("call", "`x.dim()`", "ms"),
    ("loop", "a loop", "ms"),
    ("error", "an error", "ms"),
    ("together", "first tensor, four kernels at once", "s"),
    ("idle", "processor time in 10 s without a question", "ms"),
    ("again", "restarted, all of notebook 01 run again", "s"),
];
/// Notebooks whose cells are measured.
const NOTEBOOKS: u32 = 3;
/// Measured starts and notebooks of `--quick`.
const QUICK: (u32, u32) = (1, 1);

/// What is measured.
pub struct Options {
    /// Measured starts of each kernel, after one that is not counted; `None` for a sample: one start
    /// and one notebook.
    pub runs: Option<u32>,
    /// The kernels, by the names that Jupyter knows.
    pub kernels: Vec<String>,
}

/// The program that measures: `python` with what it needs, on the notebooks in `notebooks`. It prints
/// JSON objects, one a line: `{"progress": TEXT}`, and at the end `{"result": RESULT}`.
pub fn command(mut python: Command, notebooks: &Path, options: &Options) -> Command {
    let (runs, count) = extent(options);
    python.args(["-c", SCRIPT]).arg(notebooks);
    python.arg(runs.to_string()).arg(count.to_string()).args(&options.kernels);
    python
}

/// How many measured starts of each kernel, and how many notebooks in each.
fn extent(options: &Options) -> (u32, u32) {
    options.runs.map_or(QUICK, |runs| (runs, NOTEBOOKS))
}

/// A RESULT as a Markdown table, with what a reader must know to make something of it.
pub fn table(result: &Value, options: &Options) -> String {
    let floor = rounded(result["floor"].as_f64(), "ms");
    format!(
        "{}\n\n{}\n\nrustc takes {floor} ms for a library with nothing in it. {}\n",
        rows(result, &options.kernels, &COLUMNS),
        rows(result, &options.kernels, &MOMENTS),
        conditions(result, options)
    )
}

/// A line for each kernel, and their ratios.
fn rows(result: &Value, kernels: &[String], columns: &[(&str, &str, &str)]) -> String {
    let mut text = String::from("| kernel |");
    for (_, heading, unit) in columns {
        let _ = write!(text, " {heading} ({unit}) |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(columns.len()));
    for kernel in kernels {
        let measured = &result["kernels"][kernel];
        let _ = write!(text, "\n| {kernel} |");
        for (key, _, unit) in columns {
            let _ = write!(text, " {} |", rounded(measured[key].as_f64(), unit));
        }
    }
    text + &ratios(result, kernels, columns)
}

/// How many times as long as the first kernel the others take, which depends less on the machine and
/// what else it does than the figures themselves.
fn ratios(result: &Value, kernels: &[String], columns: &[(&str, &str, &str)]) -> String {
    let Some((first, others)) = kernels.split_first() else { return String::new() };
    let mut text = String::new();
    for other in others {
        let _ = write!(text, "\n| {other} / {first} |");
        for (key, _, _) in columns {
            let value = |kernel: &String| result["kernels"][kernel][key].as_f64();
            let both = value(other).zip(value(first)).filter(|(_, first)| *first > 0.0);
            let ratio = both.map(|(other, first)| other / first);
            let _ = match ratio {
                Some(ratio) => write!(text, " {ratio:.2} |"),
                None => write!(text, " not measured |"),
            };
        }
    }
    text
}

fn rounded(value: Option<f64>, unit: &str) -> String {
    match value {
        Some(value) if unit == "s" => format!("{value:.2}"),
        Some(value) if value < 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
        None => "not measured".to_owned(),
    }
}

/// What a reader must know to make something of the figures.
fn conditions(result: &Value, options: &Options) -> String {
    let pairs = |name: &str| {
        let entries = result[name].as_object().into_iter().flatten();
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        entries.map(|(key, value)| format!("{key} {}", text(value))).collect::<Vec<_>>().join(", ")
    };
    let (runs, _) = extent(options);
    let mut text = match runs {
        1 => "One start of each kernel".to_owned(),
        runs => format!("Medians over {runs} starts of each kernel in turn"),
    };
    let _ = write!(
        text,
        ", after one that was not counted. {}. {}. Small cells: {} (cells per start: {}). Completion: \
         median of {} answers after notebook 01 and one that was not counted. Memory is the kernel's \
         with all its processes, after notebook 01, shared pages divided. The call, the loop and the \
         error are medians of nine cells that differ in a number, after notebook 01. The last rows \
         divide by the first kernel's figures.",
        pairs("hardware"),
        pairs("versions"),
        result["method"].as_str().unwrap_or_default(),
        pairs("cells"),
        result["completions"],
    );
    if options.runs.is_none() {
        text.push_str(" A sample (--quick): one start says little about the spread.");
    }
    if let Some(warning) = result["other_load"].as_f64().and_then(load::warning) {
        let _ = write!(text, " WARNING: {warning}.");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_has_a_row_for_each_kernel_and_says_on_what_it_was_measured() {
        let kernels = vec!["rust".to_owned(), "python3".to_owned()];
        let options = Options { runs: Some(3), kernels };
        let result = json!({
            "kernels": {
                "rust": {"start": 1.234, "first_tensor": 3.0, "cell_median": 312.4,
                         "cell_p90": 400.0, "completion": 31.0, "memory": 900.0,
                         "call": 110.4, "loop": 160.0, "error": 200.0, "together": 2.5, "idle": 0.0, "again": 2.0},
                "python3": {"start": 0.5, "first_tensor": 2.0, "cell_median": 3.21,
                            "cell_p90": 5.0, "completion": 3.1, "memory": null,
                            "call": 5.52, "loop": 8.0, "error": 10.0, "together": 5.0, "idle": 3.0, "again": 3.0},
            },
            "hardware": {"CPU": "a CPU", "cores": 2}, "versions": {"torch": "2.11.0"},
            "method": "what they are", "cells": {"rust": 90, "python3": 70},
            "completions": 5, "other_load": 0.0, "floor": 57.0,
        });
        let text = table(&result, &options);
        assert!(text.contains("\n| rust | 1.23 | 3.00 | 312 | 400 | 31 | 900 |\n"), "{text}");
        assert!(
            text.contains("\n| python3 | 0.50 | 2.00 | 3.2 | 5.0 | 3.1 | not measured |\n"),
            "{text}"
        );
        let ratios = "\n| python3 / rust | 0.41 | 0.67 | 0.01 | 0.01 | 0.10 | not measured |\n";
        assert!(text.contains(ratios) && !text.contains("WARNING"), "{text}");
        assert!(text.contains("\n| rust | 110 | 160 | 200 | 2.50 | 0.0 | 2.00 |\n"), "{text}");
        let ratios = "\n| python3 / rust | 0.05 | 0.05 | 0.05 | 2.00 | not measured | 1.50 |\n";
        assert!(text.contains(ratios) && text.contains("rustc takes 57 ms"), "{text}");
        assert!(text.contains("cores 2") && text.contains("torch 2.11.0"), "{text}");
        assert!(text.contains("over 3 starts") && text.contains("rust 90"), "{text}");
    }

    #[test]
    fn a_sample_is_called_one() {
        let kernels = vec!["rust".to_owned()];
        let options = Options { runs: None, kernels };
        let result = json!({"cells": {"rust": 40}, "completions": 5, "other_load": 1.7});
        let text = table(&result, &options);
        for expected in ["One start of each", "rust 40", "of 5 answers", "--quick", "1.7 of"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
