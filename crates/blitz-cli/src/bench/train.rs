//! `cargo blitz bench train`: the classifier's training, in PyTorch and here, one after the other.

use super::load::{cores, other_load, warning};
use crate::cli::BenchTrainOptions;
use crate::command::end_of;
use crate::progress::Step;
use crate::project::{Project, Usage};
use crate::setup::dependencies;
use crate::{prerequisites, setup};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SCRIPT: &str = include_str!("../../python/bench_train.py");
/// Images and epochs of `--quick`: 500 batches.
const QUICK: (usize, u32) = (2_000, 1);
/// Images of each try at the best settings of the eager loop.
const TRIAL_IMAGES: usize = 2_000;

/// The loops, in the order in which they take turns.
const LOOPS: [(&str, &str); 3] = [
    ("tutorial", "Python, the tutorial's loop, DataLoader with 2 workers"),
    ("eager", "Python, the best plain loop on preloaded tensors"),
    ("rust", "Rust, `fit`, as notebook 04"),
];

/// Measures and prints a Markdown table or JSON.
///
/// # Errors
/// Set-up fails, the data cannot be read, or a loop cannot be measured.
pub fn train(project: &Project, options: &BenchTrainOptions) -> Result<()> {
    // Python and libtorch are needed, but not the kernel.
    if !project.python().exists() || !project.path(".blitz/libtorch").exists() {
        setup::ensure(project)?;
    }
    let bench = Bench::new(project, options)?;
    let load = other_load();
    if let Some(warning) = warning(load) {
        eprintln!("warning: {warning}");
    }
    let step = Step::start("measuring trainings (nothing else should run meanwhile)");
    match bench.measure(&step) {
        Ok(mut result) => {
            step.done("");
            result["other_load"] = json!(load);
            result["versions"]["rustc"] = Value::from(prerequisites::rust()?);
            match options.json {
                true => println!("{result:#}"),
                false => print!("{}", table(&result)),
            }
            Ok(())
        }
        Err(error) => {
            step.failed();
            Err(error)
        }
    }
}

struct Bench<'a> {
    project: &'a Project,
    options: &'a BenchTrainOptions,
    /// The compiled example.
    example: PathBuf,
    data: PathBuf,
    is_builtin: bool,
}

impl<'a> Bench<'a> {
    fn new(project: &'a Project, options: &'a BenchTrainOptions) -> Result<Self> {
        let named = options.data.as_deref().filter(|name| !name.is_empty() && *name != "builtin");
        if let Some(data) = named.map(Path::new)
            && !data.is_dir()
        {
            let message = format!("{} is no directory of CIFAR-10's .bin files", data.display());
            return Err(Usage(message).into());
        }
        let example = dependencies::example(project)?;
        let data = match named {
            // The loops run elsewhere.
            Some(data) => std::path::absolute(data)?,
            None => {
                eprintln!(
                    "warning: no real CIFAR-10 was named (--data DIR or BLITZ_DATA), so the loops \
                     train on the built-in set: times are the same, accuracies say nothing"
                );
                export_builtin(project, &example)?
            }
        };
        Ok(Bench { project, options, example, data, is_builtin: named.is_none() })
    }

    fn measure(&self, step: &Step) -> Result<Value> {
        let setting = self.best_setting(step)?;
        let seeds = if self.options.quick { 1 } else { self.options.seeds };
        let mut runs = json!({});
        for seed in 0..seeds {
            for (name, _) in LOOPS {
                step.detail(&format!("seed {seed}, {name}"));
                let run = self.run(name, seed, &setting)?;
                let list = runs[name].as_array().cloned().unwrap_or_default();
                runs[name] = Value::from([list, vec![run]].concat());
            }
        }
        Ok(json!({
            "runs": runs,
            "eager_setting": {"threads": setting.threads, "fused": setting.fused},
            "quick": self.options.quick,
            "epochs": self.epochs(),
            "builtin": self.is_builtin,
            "cpu": cpu_name(),
            "cores": cores(),
            "versions": {"torch": runs["eager"][0]["torch"]},
        }))
    }

    fn epochs(&self) -> u32 {
        if self.options.quick { QUICK.1 } else { self.options.epochs }
    }

    fn run(&self, name: &str, seed: u32, setting: &Setting) -> Result<Value> {
        let images = if self.options.quick { QUICK.0 } else { 0 };
        match name {
            "rust" => self.rust(images, self.epochs(), seed),
            _ => self.python(name, images, self.epochs(), seed, setting, !self.options.quick),
        }
    }

    /// The fastest number of threads and optimizer kernel of the eager loop, on this machine.
    fn best_setting(&self, step: &Step) -> Result<Setting> {
        let mut best: Option<(f64, Setting)> = None;
        let mut threads = vec![1, cores()];
        threads.dedup();
        for threads in threads {
            for fused in [false, true] {
                step.detail(&format!("trying {threads} threads, fused={fused}"));
                let setting = Setting { threads, fused };
                let run = self.python("eager", TRIAL_IMAGES, 1, 0, &setting, false)?;
                let time = per_batch(&run);
                if best.as_ref().is_none_or(|(least, _)| time < *least) {
                    best = Some((time, setting));
                }
            }
        }
        best.map(|(_, setting)| setting).context("no setting was tried")
    }

    fn python(
        &self,
        mode: &str,
        images: usize,
        epochs: u32,
        seed: u32,
        setting: &Setting,
        test: bool,
    ) -> Result<Value> {
        let mut command = self.project.python_command();
        command.args(["-c", SCRIPT, mode]).arg(&self.data);
        command.args([images.to_string(), epochs.to_string(), seed.to_string()]);
        command.arg(u8::from(test).to_string());
        if mode == "eager" {
            command.args([setting.threads.to_string(), u8::from(setting.fused).to_string()]);
        }
        self.json_of(&mut command, mode)
    }

    fn rust(&self, images: usize, epochs: u32, seed: u32) -> Result<Value> {
        let mut command = Command::new(&self.example);
        command.args(["--json", "--device", "cpu", "--data"]).arg(&self.data);
        command.args(["--epochs", &epochs.to_string(), "--seed", &seed.to_string()]);
        if images > 0 {
            command.args(["--images", &images.to_string(), "--no-test"]);
        }
        self.json_of(&mut command, "rust")
    }

    /// Runs a loop and returns the JSON on its last line.
    fn json_of(&self, command: &mut Command, name: &str) -> Result<Value> {
        let output = command.stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start the loop `{name}`"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        match serde_json::from_str(last) {
            Ok(value) if output.status.success() => Ok(value),
            _ => bail!(
                "the loop `{name}` failed ({}):\n    {}",
                output.status,
                end_of(&String::from_utf8_lossy(&output.stderr)).join("\n    ")
            ),
        }
    }
}

#[derive(Clone, Copy)]
struct Setting {
    threads: usize,
    fused: bool,
}

/// The built-in set as files, for Python.
fn export_builtin(project: &Project, example: &Path) -> Result<PathBuf> {
    let dir = project.path(".blitz/bench-data");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut command = Command::new(example);
    command.args(["--data", "builtin", "--device", "cpu", "--export"]).arg(&dir);
    let output = command.output().context("cannot start the example")?;
    if !output.status.success() {
        bail!("the built-in set cannot be written: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(dir)
}

fn per_batch(run: &Value) -> f64 {
    let number = |key: &str| run[key].as_f64().unwrap_or(f64::NAN);
    number("seconds") * 1e3 / number("batches")
}

/// The middle one; the mean of the middle two.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = ((values.len().max(1) - 1) / 2, values.len() / 2);
    match values.get(low).zip(values.get(high)) {
        Some((low, high)) => (low + high) / 2.0,
        None => f64::NAN,
    }
}

fn table(result: &Value) -> String {
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
        "Batches of 4, the same in all loops, {} epochs; medians over the seeds. The eager loop runs \
         with {} threads and fused={}, the fastest of those tried. Python's first 50 batches are not \
         counted. Memory is VmHWM, for the tutorial's loop of its process and both workers (pages \
         that they share count for each). {}, {} cores, torch {}, {}.",
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
    let loss = |(name, _): (&str, &str)| result["runs"][name][0]["losses"][0].as_f64();
    let losses: Vec<f64> = LOOPS.into_iter().map(loss).collect::<Option<_>>()?;
    let (least, most) = losses
        .iter()
        .fold((f64::MAX, 0.0f64), |(least, most), loss| (least.min(*loss), most.max(*loss)));
    Some(most / least - 1.0)
}

fn cpu_name() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "quick": false, "epochs": 2, "builtin": false, "cpu": "a CPU", "cores": 2,
            "versions": {"torch": "2.11.0", "rustc": "rustc 1.95.0"}, "other_load": 0.0,
        })
    }

    #[test]
    fn the_table_has_a_row_for_each_loop_and_rusts_share() {
        let text = table(&result());
        assert!(text.contains("2 workers | 3.200 | 0.16 | 500 | 53.1 |"), "{text}");
        assert!(text.contains("preloaded tensors | 1.300 | 0.38 | 500 | 52.8, 54.0 |"), "{text}");
        assert!(text.contains("notebook 04 | 0.500 | 1.00 | 500 | not measured |"), "{text}");
        assert!(text.contains("2 threads and fused=true") && text.contains("2.11.0"), "{text}");
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

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(vec![3.0, 1.0]), 2.0);
        assert_eq!(median(vec![5.0, 1.0, 2.0]), 2.0);
        assert!(median(vec![]).is_nan());
    }
}
