//! The measurements of training by several processes as a table.

use super::{CASES, PROCESSES, key};
use crate::load::warning;
use crate::median::median;
use serde_json::Value;
use std::fmt::Write;

/// A result as a Markdown table, with what a reader must know to make something of it.
pub fn table(result: &Value) -> String {
    let mut text = String::from(
        "| net | processes | batch of each | ms per step, Python | Rust | Rust's share | \
         images/s, Python | Rust | speed-up, Python | Rust | peak memory (MB), Python | Rust |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    );
    for case in &CASES {
        for (index, processes) in PROCESSES.into_iter().enumerate() {
            let time = |language: &str, processes: u32| {
                let runs = &result["runs"][key(case.name, language, processes)];
                middle(runs, |run| Some(run["seconds"].as_f64()? * 1e3 / run["batches"].as_f64()?))
            };
            let speed = |language: &str, index: usize| {
                let images = f64::from(case.batch_size[index] * PROCESSES[index]);
                images * 1e3 / time(language, PROCESSES[index])
            };
            let memory = |language: &str| {
                let runs = &result["runs"][key(case.name, language, processes)];
                middle(runs, |run| Some(run["peak_kb"].as_f64()? / 1024.0))
            };
            let (python, rust) = (time("python", processes), time("rust", processes));
            let _ = write!(
                text,
                "\n| {} channels | {processes} | {} | {python:.3} | {rust:.3} | {:.2} | {:.0} | \
                 {:.0} | {:.2} | {:.2} | {:.0} | {:.0} |",
                case.width,
                case.batch_size[index],
                rust / python,
                speed("python", index),
                speed("rust", index),
                speed("python", index) / speed("python", 0),
                speed("rust", index) / speed("rust", 0),
                memory("python"),
                memory("rust"),
            );
        }
    }
    let _ = write!(text, "\n\n{}\n", conditions(result));
    text
}

/// What a reader must know to make something of the figures.
fn conditions(result: &Value) -> String {
    let mut text = format!(
        "The tutorial's net with 6 and with 60 channels between the convolutions, on gloo, one \
         thread a process; medians. Python's loop is the best plain one (DistributedDataParallel, \
         fused SGD), its first steps are not counted. Speed-ups are in images per second over one \
         process of the same language; memory is VmHWM of rank 0. {}, {} cores, torch {}, {}.",
        result["cpu"].as_str().unwrap_or("unknown CPU"),
        result["cores"],
        result["versions"]["torch"].as_str().unwrap_or("unknown"),
        result["versions"]["rustc"].as_str().unwrap_or("unknown rustc"),
    );
    if result["quick"] == true {
        text.push_str(" A sample of one short run of each (--quick).");
    }
    if let Some(warning) = result["other_load"].as_f64().and_then(warning) {
        let _ = write!(text, " WARNING: {warning}.");
    }
    text
}

fn middle(runs: &Value, value: fn(&Value) -> Option<f64>) -> f64 {
    median(runs.as_array().into_iter().flatten().filter_map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows_have_shares_and_speed_ups() {
        let run = |ms: f64| json!([{"seconds": ms, "batches": 1000, "peak_kb": 102_400}]);
        let result = json!({
            "runs": {
                "tutorial, python, 1 process": run(2.0),
                "tutorial, rust, 1 process": run(1.0),
                "tutorial, python, 2 processes": run(4.0),
                "tutorial, rust, 2 processes": run(1.0),
                "wide, python, 1 process": run(64.0),
                "wide, rust, 1 process": run(64.0),
                "wide, python, 2 processes": run(80.0),
                "wide, rust, 2 processes": run(64.0),
            },
            "other_load": 1.5, "quick": true, "cores": 2,
        });
        let text = table(&result);
        let rows = [
            "| 6 channels | 1 | 4 | 2.000 | 1.000 | 0.50 | 2000 | 4000 | 1.00 | 1.00 | 100 | 100 |",
            "| 6 channels | 2 | 2 | 4.000 | 1.000 | 0.25 | 1000 | 4000 | 0.50 | 1.00 | 100 | 100 |",
            "| 60 channels | 2 | 32 | 80.000 | 64.000 | 0.80 | 800 | 1000 | 1.60 | 2.00 | 100 | 100 |",
        ];
        for expected in rows.into_iter().chain(["WARNING: ", "--quick"]) {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
