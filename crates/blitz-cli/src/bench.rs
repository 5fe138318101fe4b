//! `cargo blitz bench kernel`: how long people wait for a kernel. `bench train` is below.

mod train;

pub use train::train;

use crate::cli::BenchKernelOptions;
use crate::command::last_lines;
use crate::progress::Step;
use crate::project::Project;
use crate::{prerequisites, setup};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::fmt::Write;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const SCRIPT: &str = include_str!("../python/bench.py");

/// The table's columns: a key of the script's result, how it is headed, and its unit.
const COLUMNS: [(&str, &str, &str); 5] = [
    ("start", "kernel ready", "s"),
    ("first_tensor", "first printed tensor", "s"),
    ("cell_median", "small cell, median", "ms"),
    ("cell_p90", "small cell, 90th percentile", "ms"),
    ("memory", "memory", "MB"),
];

/// Measures kernels and prints the result as a Markdown table or as JSON.
///
/// # Errors
/// Set-up fails, or a kernel cannot be measured.
pub fn kernel(project: &Project, options: &BenchKernelOptions) -> Result<()> {
    setup::ensure(project)?;
    let step = Step::start("measuring kernels (nothing else should run meanwhile)");
    match measure(project, options, &step) {
        Ok(mut result) => {
            step.done("");
            result["versions"]["rustc"] = Value::from(prerequisites::rust()?);
            if options.json {
                println!("{result:#}");
            } else {
                print!("{}", table(&result, options));
            }
            Ok(())
        }
        Err(error) => {
            step.failed();
            Err(error)
        }
    }
}

/// Runs the script, shows how far it is, and returns its result.
fn measure(project: &Project, options: &BenchKernelOptions, step: &Step) -> Result<Value> {
    let log = project.path(".blitz/logs/bench-kernel.log");
    fs::create_dir_all(project.path(".blitz/logs")).context("cannot create .blitz/logs")?;
    let stderr = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = project.python_command();
    command.args(["-c", SCRIPT]).arg(project.notebooks_dir()).arg(options.runs.to_string());
    command.args(&options.kernels).env("BLITZ_DATA", "builtin");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child = command.spawn().context("cannot start the environment's Python")?;
    let mut result = None;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let mut event: Value = serde_json::from_str(&line?).unwrap_or_default();
        if let Some(progress) = event["progress"].as_str() {
            step.detail(progress);
        } else if event["result"].is_object() {
            result = Some(event["result"].take());
        }
    }
    let status = child.wait().context("cannot wait for the environment's Python")?;
    match result {
        Some(result) if status.success() => Ok(result),
        _ => bail!(
            "the kernels could not be measured:\n    {}\nAll of it is in {}.",
            last_lines(&log).join("\n    "),
            log.display()
        ),
    }
}

fn table(result: &Value, options: &BenchKernelOptions) -> String {
    let mut text = String::from("| kernel |");
    for (_, heading, unit) in COLUMNS {
        let _ = write!(text, " {heading} ({unit}) |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(COLUMNS.len()));
    for kernel in &options.kernels {
        let measured = &result["kernels"][kernel];
        let _ = write!(text, "\n| {kernel} |");
        for (key, _, unit) in COLUMNS {
            let _ = write!(text, " {} |", rounded(measured[key].as_f64(), unit));
        }
    }
    let _ = write!(text, "\n\n{}\n", conditions(result, options));
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
fn conditions(result: &Value, options: &BenchKernelOptions) -> String {
    let pairs = |name: &str| {
        let entries = result[name].as_object().into_iter().flatten();
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        entries.map(|(key, value)| format!("{key} {}", text(value))).collect::<Vec<_>>().join(", ")
    };
    format!(
        "Medians over {} starts of each kernel in turn, after one that was not counted. {}. {}. Small \
         cells: {} (cells per start: {}). Memory is the kernel's with all its processes, after \
         notebook 01, shared pages divided.",
        options.runs,
        pairs("hardware"),
        pairs("versions"),
        result["method"].as_str().unwrap_or_default(),
        pairs("cells"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_table_has_a_row_for_each_kernel_and_says_on_what_it_was_measured() {
        let kernels = vec!["rust".to_owned(), "python3".to_owned()];
        let options = BenchKernelOptions { runs: 3, kernels, json: false };
        let result = json!({
            "kernels": {
                "rust": {"start": 1.234, "first_tensor": 3.0, "cell_median": 312.4,
                         "cell_p90": 400.0, "memory": 900.0},
                "python3": {"start": 0.5, "first_tensor": 2.0, "cell_median": 3.21,
                            "cell_p90": 5.0, "memory": null},
            },
            "hardware": {"CPU": "a CPU", "cores": 2}, "versions": {"torch": "2.11.0"},
            "method": "what they are", "cells": {"rust": 90, "python3": 70},
        });
        let text = table(&result, &options);
        assert!(text.contains("\n| rust | 1.23 | 3.00 | 312 | 400 | 900 |\n"), "{text}");
        assert!(
            text.contains("\n| python3 | 0.50 | 2.00 | 3.2 | 5.0 | not measured |\n"),
            "{text}"
        );
        assert!(text.contains("cores 2") && text.contains("torch 2.11.0"), "{text}");
        assert!(text.contains("over 3 starts") && text.contains("rust 90"), "{text}");
    }
}
