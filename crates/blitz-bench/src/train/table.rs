//! The measurements of training as a table.

use super::loops::{LOOPS, per_batch};
use crate::load::warning;
use crate::median::median;
use serde_json::Value;
use std::fmt::Write;

/// A result as a Markdown table, with what a reader must know to make something of it.
pub fn table(result: &Value) -> String {
    let values = |name: &str, value: fn(&Value) -> Option<f64>| -> Vec<f64> {
        result["runs"][name].as_array().into_iter().flatten().filter_map(value).collect()
    };
    let time = |name: &str| median(values(name, |run| Some(per_batch(run))));
    let ours = time("rust");
    let mut text = String::from(
        "| loop | ms per batch | Rust's share of it | peak memory (MB) | test accuracy (%) |\n\
         |---|---:|---:|---:|---:|",
    );
    for (name, words) in LOOPS {
        if values(name, |run| Some(per_batch(run))).is_empty() {
            let _ = write!(text, "\n| {words} | not possible here | | | |");
            continue;
        }
        let memory = median(values(name, |run| Some(run["peak_kb"].as_f64()? / 1024.0)));
        let accuracies = values(name, |run| Some(run["accuracy"].as_f64()? * 100.0));
        let accuracies = match accuracies.is_empty() {
            true => "not measured".to_owned(),
            false => accuracies.iter().map(|a| format!("{a:.1}")).collect::<Vec<_>>().join(", "),
        };
        let (time, share) = (time(name), ours / time(name));
        let _ = write!(text, "\n| {words} | {time:.3} | {share:.2} | {memory:.0} | {accuracies} |");
    }
    let _ = write!(text, "\n\n{}\n", conditions(result));
    text
}

/// What a reader must know to make something of the figures.
fn conditions(result: &Value) -> String {
    let setting = &result["eager_setting"];
    let mut text = format!(
        "Batches of {}, the same in all loops, {} epochs; medians over the seeds. The eager loop runs \
         with {} threads and fused={}, the fastest of those tried, and so does the compiled one. Python's first 50 batches are not \
         counted. Memory is VmHWM, for the tutorial's loop of its process and both workers (pages \
         that they share count for each). {}, {} cores, torch {}, {}.",
        result["batch_size"],
        result["epochs"],
        setting["threads"],
        setting["fused"],
        result["cpu"].as_str().unwrap_or("unknown CPU"),
        result["cores"],
        result["versions"]["torch"].as_str().unwrap_or("unknown"),
        result["versions"]["rustc"].as_str().unwrap_or("unknown rustc"),
    );
    if result["quick"] == true {
        text.push_str(" A sample of 500 batches (--quick).");
    }
    if result["builtin"] == true {
        text.push_str(" On the built-in set: the accuracies say nothing about CIFAR-10.");
    }
    if let Some(spread) = loss_spread(result).filter(|spread| *spread > 0.02) {
        let _ = write!(
            text,
            " WARNING: the first epoch's losses differ by {:.0} %, so the loops did not do the same.",
            spread * 100.0
        );
    }
    if let Some(warning) = result["other_load"].as_f64().and_then(warning) {
        let _ = write!(text, " WARNING: {warning}.");
    }
    text
}

/// How far the loops' mean losses of the first epoch with the first seed are apart, as a share.
fn loss_spread(result: &Value) -> Option<f64> {
    let measured = LOOPS.into_iter().filter(|(name, _)| result["runs"][name].is_array());
    let loss = |(name, _): (&str, &str)| result["runs"][name][0]["losses"][0].as_f64();
    let losses: Vec<f64> = measured.map(loss).collect::<Option<_>>()?;
    let (least, most) = losses
        .iter()
        .fold((f64::MAX, 0.0f64), |(least, most), loss| (least.min(*loss), most.max(*loss)));
    Some(most / least - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result() -> Value {
        let run = |seconds: f64, loss: f64, accuracy: Option<f64>| {
            json!({"seconds": seconds, "batches": 1000, "losses": [loss], "peak_kb": 512_000,
                   "accuracy": accuracy, "torch": "2.11.0"})
        };
        json!({
            "runs": {
                "tutorial": [run(3.2, 2.001, Some(0.531))],
                "eager": [run(1.6, 2.0, Some(0.528)), run(1.0, 2.0, Some(0.54))],
                "rust": [run(0.5, 2.0, None)],
            },
            "eager_setting": {"threads": 2, "fused": true},
            "quick": false, "batch_size": 4, "epochs": 2, "builtin": false, "cpu": "a CPU", "cores": 2,
            "versions": {"torch": "2.11.0", "rustc": "rustc 1.95.0"}, "other_load": 0.0,
        })
    }

    #[test]
    fn the_table_has_a_row_for_each_loop_and_rusts_share() {
        let text = table(&result());
        assert!(text.contains("2 workers | 3.200 | 0.16 | 500 | 53.1 |"), "{text}");
        assert!(text.contains("preloaded tensors | 1.300 | 0.38 | 500 | 52.8, 54.0 |"), "{text}");
        assert!(text.contains("`torch.compile` | not possible here |"), "{text}");
        assert!(text.contains("notebook 04 | 0.500 | 1.00 | 500 | not measured |"), "{text}");
        assert!(
            text.contains("Batches of 4,") && text.contains("2 threads and fused=true"),
            "{text}"
        );
        assert!(text.contains("2.11.0"), "{text}");
        assert!(!text.contains("WARNING") && !text.contains("built-in"), "{text}");
    }

    #[test]
    fn what_makes_the_figures_doubtful_is_said() {
        let mut doubtful = result();
        doubtful["other_load"] = json!(1.5);
        doubtful["runs"]["rust"][0]["losses"][0] = json!(2.3);
        doubtful["builtin"] = json!(true);
        doubtful["quick"] = json!(true);
        let text = table(&doubtful);
        for expected in ["1.5 of", "differ by 15 %", "built-in set", "500 batches"] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}
