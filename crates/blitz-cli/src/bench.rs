//! `cargo blitz bench kernel`: how long people wait for a kernel. `bench train` is below.

mod load;
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
const COLUMNS: [(&str, &str, &str); 6] = [
    ("start", "kernel ready", "s"),
    ("first_tensor", "first printed tensor", "s"),
    ("cell_median", "small cell, median", "ms"),
    ("cell_p90", "small cell, 90th percentile", "ms"),
    ("completion", "completion", "ms"),
    ("memory", "memory", "MB"),
];
/// Notebooks whose cells are measured.
const NOTEBOOKS: u32 = 3;
/// Measured starts and notebooks of `--quick`.
const QUICK: (u32, u32) = (1, 1);

/// Measures kernels and prints the result as a Markdown table or as JSON.
///
/// # Errors
/// Set-up fails, or a kernel cannot be measured.
pub fn kernel(project: &Project, options: &BenchKernelOptions) -> Result<()> {
    setup::ensure(project)?;
    let load = load::other_load();
    if let Some(warning) = load::warning(load) {
        eprintln!("warning: {warning}");
    }
    let step = Step::start("measuring kernels (nothing else should run meanwhile)");
    match measure(project, options, &step) {
        Ok(mut result) => {
            step.done("");
            result["versions"]["rustc"] = Value::from(prerequisites::rust()?);
            result["other_load"] = Value::from(load);
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
    command.args(["-c", SCRIPT]).arg(project.notebooks_dir());
    let (runs, notebooks) = extent(options);
    command.arg(runs.to_string()).arg(notebooks.to_string());
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

/// How many measured starts of each kernel, and how many notebooks in each.
fn extent(options: &BenchKernelOptions) -> (u32, u32) {
    if options.quick { QUICK } else { (options.runs, NOTEBOOKS) }
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
    text.push_str(&ratios(result, &options.kernels));
    let _ = write!(text, "\n\n{}\n", conditions(result, options));
    text
}

/// How many times as long as the first kernel the others take, which depends less on the machine and
/// what else it does than the figures themselves.
fn ratios(result: &Value, kernels: &[String]) -> String {
    let Some((first, others)) = kernels.split_first() else { return String::new() };
    let mut text = String::new();
    for other in others {
        let _ = write!(text, "\n| {other} / {first} |");
        for (key, _, _) in COLUMNS {
            let value = |kernel: &String| result["kernels"][kernel][key].as_f64();
            let ratio = value(other).zip(value(first)).map(|(other, first)| other / first);
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
fn conditions(result: &Value, options: &BenchKernelOptions) -> String {
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
         with all its processes, after notebook 01, shared pages divided. The last rows divide by the \
         first kernel's figures.",
        pairs("hardware"),
        pairs("versions"),
        result["method"].as_str().unwrap_or_default(),
        pairs("cells"),
        result["completions"],
    );
    if options.quick {
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
        let options = BenchKernelOptions { quick: false, runs: 3, kernels, json: false };
        let result = json!({
            "kernels": {
                "rust": {"start": 1.234, "first_tensor": 3.0, "cell_median": 312.4,
                         "cell_p90": 400.0, "completion": 31.0, "memory": 900.0},
                "python3": {"start": 0.5, "first_tensor": 2.0, "cell_median": 3.21,
                            "cell_p90": 5.0, "completion": 3.1, "memory": null},
            },
            "hardware": {"CPU": "a CPU", "cores": 2}, "versions": {"torch": "2.11.0"},
            "method": "what they are", "cells": {"rust": 90, "python3": 70},
            "completions": 5, "other_load": 0.0,
        });
        let text = table(&result, &options);
        assert!(text.contains("\n| rust | 1.23 | 3.00 | 312 | 400 | 31 | 900 |\n"), "{text}");
        assert!(
            text.contains("\n| python3 | 0.50 | 2.00 | 3.2 | 5.0 | 3.1 | not measured |\n"),
            "{text}"
        );
        let ratios = "\n| python3 / rust | 0.41 | 0.67 | 0.01 | 0.01 | 0.10 | not measured |\n";
        assert!(text.contains(ratios) && !text.contains("WARNING"), "{text}");
        assert!(text.contains("cores 2") && text.contains("torch 2.11.0"), "{text}");
        assert!(text.contains("over 3 starts") && text.contains("rust 90"), "{text}");
    }

    #[test]
    fn a_sample_is_called_one() {
        let kernels = vec!["rust".to_owned()];
        let options = BenchKernelOptions { quick: true, runs: 3, kernels, json: false };
        let result = json!({"cells": {"rust": 40}, "completions": 5, "other_load": 1.7});
        let text = table(&result, &options);
        for expected in ["One start of each", "rust 40", "of 5 answers", "--quick", "1.7 of"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
