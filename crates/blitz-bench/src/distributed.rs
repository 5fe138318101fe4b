//! Training by one process and by two, in PyTorch and here, one after the other.

mod table;

pub use table::table;

use crate::load::{cores, cpu_name};
use crate::train::Run;
use anyhow::Result;
use blitz_contract::launcher;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = include_str!("../python/distributed.py");
/// Epochs of a run and rounds of all runs, with and without `--quick`.
const QUICK: (u32, u32) = (1, 1);
const WHOLE: (u32, u32) = (4, 3);

/// A net and how it is trained.
struct Case {
    /// Its key in the results.
    name: &'static str,
    /// Channels between the convolutions.
    width: u32,
    /// Images of a step of each process, alone and of two.
    batch_size: [u32; 2],
    /// Steps of an epoch.
    steps: u32,
}

/// The tutorial's net, whose batch of 4 is shared; ten times as wide, each process has a batch of 32.
const CASES: [Case; 2] = [
    Case { name: "tutorial", width: 6, batch_size: [4, 2], steps: 500 },
    Case { name: "wide", width: 60, batch_size: [32, 32], steps: 40 },
];
const PROCESSES: [u32; 2] = [1, 2];
const LANGUAGES: [&str; 2] = ["python", "rust"];

/// With what it is measured.
pub struct Bench<'a> {
    /// Makes commands that run the Python of the environment with PyTorch.
    pub python: &'a dyn Fn() -> Command,
    /// The compiled example.
    pub example: &'a Path,
    /// A directory of CIFAR-10's binary files.
    pub data: &'a Path,
    /// A single short run of each.
    pub quick: bool,
}

impl Bench<'_> {
    /// Measures both nets, in both languages in turn, by one process and by two.
    ///
    /// # Errors
    /// A training cannot be measured.
    pub fn measure(&self, run: Run<'_>) -> Result<Value> {
        let (epochs, rounds) = if self.quick { QUICK } else { WHOLE };
        let mut runs = json!({});
        for round in 0..rounds {
            for case in &CASES {
                for (index, processes) in PROCESSES.into_iter().enumerate() {
                    for language in LANGUAGES {
                        let batch_size = case.batch_size[index];
                        let training = Training { case, processes, batch_size, epochs };
                        let name = key(case.name, language, processes);
                        let command = self.command(language, &training);
                        let result = run(&format!("round {}, {name}", round + 1), &name, command)?;
                        let list = runs[&name].as_array().cloned().unwrap_or_default();
                        runs[&name] = Value::from([list, vec![result]].concat());
                    }
                }
            }
        }
        let torch = runs[key("tutorial", "python", 1)][0]["torch"].clone();
        Ok(json!({
            "runs": runs,
            "quick": self.quick,
            "cpu": cpu_name(),
            "cores": cores(),
            "versions": {"torch": torch},
        }))
    }

    fn command(&self, language: &str, training: &Training<'_>) -> Command {
        let Training { case, processes, batch_size, epochs } = training;
        let images = case.steps * batch_size * processes;
        let mut command = match (language, processes) {
            ("rust", 1) => Command::new(self.example),
            (_, 1) => (self.python)(),
            _ => {
                let mut command = (self.python)();
                command.args(["-c", launcher::SCRIPT, "--nproc-per-node", &processes.to_string()]);
                command.arg("--no-python");
                match language {
                    "rust" => command.arg(self.example),
                    _ => command.arg((self.python)().get_program()),
                };
                command
            }
        };
        let [width, batch_size, images, epochs] =
            [case.width, *batch_size, images, *epochs].map(|number| number.to_string());
        match language {
            "rust" => command
                .args(["--json", "--no-test", "--device", "cpu", "--data"])
                .arg(self.data)
                .args(["--width", &width, "--batch-size", &batch_size])
                .args(["--images", &images, "--epochs", &epochs]),
            _ => command.args(["-c", SCRIPT]).arg(self.data).args([
                &width,
                &batch_size,
                &images,
                &epochs,
            ]),
        };
        command
    }
}

/// One run.
struct Training<'a> {
    case: &'a Case,
    processes: u32,
    batch_size: u32,
    epochs: u32,
}

/// Under which a run's results are: `tutorial, rust, 2 processes`.
fn key(case: &str, language: &str, processes: u32) -> String {
    let plural = if processes == 1 { "" } else { "es" };
    format!("{case}, {language}, {processes} process{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_are_started_by_the_launcher() {
        let bench = Bench {
            python: &|| Command::new("python"),
            example: Path::new("cifar10"),
            data: Path::new("data"),
            quick: true,
        };
        let words = |language: &str, processes: u32| -> Vec<String> {
            let training = Training { case: &CASES[1], processes, batch_size: 32, epochs: 1 };
            let command = bench.command(language, &training);
            let words = std::iter::once(command.get_program()).chain(command.get_args());
            words.map(|word| word.to_string_lossy().into_owned()).collect()
        };
        assert_eq!(words("rust", 1)[0], "cifar10");
        assert!(words("rust", 1).ends_with(&["1280", "--epochs", "1"].map(str::to_owned)));
        let python = words("python", 2);
        assert_eq!(python[3..7], ["--nproc-per-node", "2", "--no-python", "python"]);
        assert!(python.ends_with(&["data", "60", "32", "2560", "1"].map(str::to_owned)));
        assert_eq!(words("rust", 2)[6], "cifar10");
    }
}
