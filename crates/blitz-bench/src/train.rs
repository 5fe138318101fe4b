//! The classifier's training, in PyTorch and here, one after the other.

mod loops;
mod table;

pub use table::table;

use crate::load::{cores, cpu_name};
use anyhow::{Context, Result};
use loops::{LOOPS, per_batch};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = include_str!("../python/train.py");
/// Batches and epochs of `--quick`.
const QUICK: (usize, u32) = (500, 1);
/// Batches of each try at the best settings of the eager loop.
const TRIAL_BATCHES: usize = 500;

/// Runs a command that prints a JSON object in its last line, and returns that. The texts say what is
/// measured now, and which of the loops it is.
pub type Run<'a> = &'a dyn Fn(&str, &str, Command) -> Result<Value>;

/// What is measured.
pub struct Options {
    /// A sample of 500 batches of each loop, without accuracies.
    pub quick: bool,
    /// Images of a batch.
    pub batch_size: usize,
    /// Seeds, each of which trains with all loops.
    pub seeds: u32,
    /// Walks over the training images.
    pub epochs: u32,
}

/// With what it is measured.
pub struct Bench<'a> {
    /// Makes commands that run the Python of the environment with PyTorch.
    pub python: &'a dyn Fn() -> Command,
    /// The compiled example.
    pub example: &'a Path,
    /// A directory of CIFAR-10's binary files.
    pub data: &'a Path,
    /// Whether they hold the set that is drawn, on which accuracies say nothing.
    pub is_builtin: bool,
    /// What is measured.
    pub options: Options,
}

impl Bench<'_> {
    /// Measures all loops.
    ///
    /// # Errors
    /// A loop cannot be measured.
    pub fn measure(&self, run: Run<'_>) -> Result<Value> {
        let setting = self.best_setting(run)?;
        let seeds = if self.options.quick { 1 } else { self.options.seeds };
        let mut runs = json!({});
        for seed in 0..seeds {
            for (name, _) in LOOPS {
                let command = self.command(name, seed, &setting);
                let result = match run(&format!("seed {seed}, {name}"), name, command) {
                    // torch.compile needs a C++ compiler that it can use, and Python's headers.
                    Err(error) if name == "compiled" => {
                        eprintln!("warning: torch.compile is not measured: {error:#}");
                        continue;
                    }
                    result => result?,
                };
                let list = runs[name].as_array().cloned().unwrap_or_default();
                runs[name] = Value::from([list, vec![result]].concat());
            }
        }
        Ok(json!({
            "runs": runs,
            "eager_setting": {"threads": setting.threads, "fused": setting.fused},
            "quick": self.options.quick,
            "batch_size": self.options.batch_size,
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

    fn command(&self, name: &str, seed: u32, setting: &Setting) -> Command {
        let images = if self.options.quick { QUICK.0 * self.options.batch_size } else { 0 };
        match name {
            "rust" => self.rust(images, self.epochs(), seed),
            _ => self.python(name, images, self.epochs(), seed, setting, !self.options.quick),
        }
    }

    /// The fastest number of threads and optimizer kernel of the eager loop, on this machine.
    fn best_setting(&self, run: Run<'_>) -> Result<Setting> {
        let mut best: Option<(f64, Setting)> = None;
        let mut threads = vec![1, cores()];
        threads.dedup();
        for threads in threads {
            for fused in [false, true] {
                let setting = Setting { threads, fused };
                let images = TRIAL_BATCHES * self.options.batch_size;
                let command = self.python("eager", images, 1, 0, &setting, false);
                let what = format!("trying {threads} threads, fused={fused}");
                let time = per_batch(&run(&what, "eager", command)?);
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
    ) -> Command {
        let mut command = (self.python)();
        command.args(["-c", SCRIPT, mode]).arg(self.data);
        command.args([images.to_string(), epochs.to_string(), seed.to_string()]);
        command.arg(u8::from(test).to_string());
        if mode != "tutorial" {
            command.args([setting.threads.to_string(), u8::from(setting.fused).to_string()]);
        }
        command.arg(format!("--batch-size={}", self.options.batch_size));
        command
    }

    fn rust(&self, images: usize, epochs: u32, seed: u32) -> Command {
        let mut command = Command::new(self.example);
        command.args(["--json", "--device", "cpu", "--data"]).arg(self.data);
        command.args(["--epochs", &epochs.to_string(), "--seed", &seed.to_string()]);
        command.args(["--batch-size", &self.options.batch_size.to_string()]);
        if images > 0 {
            command.args(["--images", &images.to_string(), "--no-test"]);
        }
        command
    }
}

#[derive(Clone, Copy)]
struct Setting {
    threads: usize,
    fused: bool,
}
