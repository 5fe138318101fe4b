//! `cargo blitz bench`: sets up, runs what the crate `blitz-bench` measures, and prints its tables.

use crate::process::events;
use crate::process::logs::{end_of, last_lines};
use crate::process::progress::Step;
use crate::project::Project;
use crate::setup::{self, linked, prerequisites};
use crate::usage::Usage;
use anyhow::{Context, Result, bail};
use blitz_bench::{distributed, kernel, load, train};
use blitz_contract::variables::{self, BUILTIN_DATA};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What can be measured.
#[derive(Subcommand)]
pub enum Bench {
    /// How long a kernel takes to start, to print its first tensor and to run a small cell: this
    /// project's kernel, the stock one, and Python's
    Kernel(BenchKernelOptions),
    /// How fast the classifier trains, how much memory that takes and how accurate it gets: the
    /// tutorial's loop in Python, the best plain loop in Python, and this project's, in turn
    Train(BenchTrainOptions),
    /// How fast training by two processes is beside one: Python's DistributedDataParallel and this
    /// project's in turn, for the tutorial's net and one ten times as wide
    Distributed(BenchDistributedOptions),
}

/// Options of `bench distributed`.
#[derive(Args)]
pub struct BenchDistributedOptions {
    /// A sample of one short run of each
    #[arg(long)]
    pub quick: bool,
    /// Print every single measurement as JSON instead of the Markdown table
    #[arg(long)]
    pub json: bool,
}

/// Options of `bench train`.
#[derive(Args)]
pub struct BenchTrainOptions {
    /// CIFAR-10 to train on: a directory with the official binary files; without it the built-in
    /// set, on which accuracies say nothing
    #[arg(long, value_name = "DIR", env = variables::DATA)]
    pub data: Option<String>,
    /// A sample of 500 batches of each loop, without accuracies
    #[arg(long)]
    pub quick: bool,
    /// Images of a batch
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..))]
    pub batch_size: u16,
    /// Seeds, each of which trains with all loops
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: u32,
    /// Walks over the training images
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub epochs: u32,
    /// Print every single measurement as JSON instead of the Markdown table
    #[arg(long)]
    pub json: bool,
}

/// Options of `bench kernel`.
#[derive(Args)]
pub struct BenchKernelOptions {
    /// A sample that takes one to three minutes: one measured start of each kernel, notebook 01 alone
    #[arg(long, conflicts_with = "runs")]
    pub quick: bool,
    /// Measured starts of each kernel, after one that is not counted; the table has their medians
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,
    /// Kernels to measure
    #[arg(long, value_name = "NAME", value_delimiter = ',',
          default_values = ["rust", "rust-stock", "python3"],
          value_parser = ["rust", "rust-stock", "python3"])]
    pub kernels: Vec<String>,
    /// Print every single measurement as JSON instead of the Markdown table
    #[arg(long)]
    pub json: bool,
}

/// Measures and prints a Markdown table or JSON.
///
/// # Errors
/// Set-up fails, the data cannot be read, or something cannot be measured.
pub fn bench(project: &Project, what: &Bench) -> Result<()> {
    match what {
        Bench::Kernel(options) => kernels(project, options),
        Bench::Train(options) => training(project, options),
        Bench::Distributed(options) => processes(project, options),
    }
}

fn kernels(project: &Project, options: &BenchKernelOptions) -> Result<()> {
    setup::ensure(project)?;
    let load = other_load();
    let step = Step::start("measuring kernels (nothing else should run meanwhile)");
    let measured = kernel::Options {
        runs: (!options.quick).then_some(options.runs),
        kernels: options.kernels.clone(),
    };
    let mut result = measure_kernels(project, &measured, &step);
    result = step.end(result, |_| String::new());
    print(result?, load, options.json, |result| kernel::table(result, &measured))
}

/// Runs the script, shows how far it is, and returns its result.
fn measure_kernels(project: &Project, options: &kernel::Options, step: &Step) -> Result<Value> {
    let log = project.log("bench-kernel");
    let mut command = kernel::command(project.python_command(), &project.notebooks_dir(), options);
    command.env(variables::DATA, BUILTIN_DATA);
    // What is measured is compiling.
    command.env(variables::KEPT_CELLS, variables::OFF);
    let mut result = None;
    let status = events::run(command, b"", &log, |mut event| {
        if let Some(progress) = event["progress"].as_str() {
            step.detail(progress);
        } else if event["result"].is_object() {
            result = Some(event["result"].take());
        }
    })?;
    match result {
        Some(result) if status.success() => Ok(result),
        _ => bail!(
            "the kernels could not be measured ({status}):\n    {}\nAll of it is in {}.",
            last_lines(&log).join("\n    "),
            log.display()
        ),
    }
}

fn training(project: &Project, options: &BenchTrainOptions) -> Result<()> {
    ensure_libtorch(project)?;
    let named = options.data.as_deref().filter(|name| !name.is_empty() && *name != BUILTIN_DATA);
    if let Some(data) = named.map(Path::new)
        && !data.is_dir()
    {
        let message = format!("{} is no directory of CIFAR-10's .bin files", data.display());
        return Err(Usage(message).into());
    }
    let example = linked::example(project)?;
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
    let load = other_load();
    let step = Step::start("measuring trainings (nothing else should run meanwhile)");
    let bench = train::Bench {
        python: &|| project.python_command(),
        example: &example,
        data: &data,
        is_builtin: named.is_none(),
        options: train::Options {
            quick: options.quick,
            batch_size: options.batch_size.into(),
            seeds: options.seeds,
            epochs: options.epochs,
        },
    };
    let measured = bench.measure(&|what, name, command| {
        step.detail(what);
        json_of(command, name)
    });
    let result = step.end(measured, |_| String::new())?;
    print(result, load, options.json, train::table)
}

/// Python and libtorch are needed, but not the kernel.
fn ensure_libtorch(project: &Project) -> Result<()> {
    match project.python().exists() && project.libtorch().exists() {
        true => Ok(()),
        false => setup::ensure(project),
    }
}

fn processes(project: &Project, options: &BenchDistributedOptions) -> Result<()> {
    ensure_libtorch(project)?;
    let example = linked::example(project)?;
    // Times are those of any pictures.
    let data = export_builtin(project, &example)?;
    let load = other_load();
    let step = Step::start("measuring processes (nothing else should run meanwhile)");
    let bench = distributed::Bench {
        python: &|| project.python_command(),
        example: &example,
        data: &data,
        quick: options.quick,
    };
    let measured = bench.measure(&|what, name, command| {
        step.detail(what);
        json_of(command, name)
    });
    let result = step.end(measured, |_| String::new())?;
    print(result, load, options.json, distributed::table)
}

/// What other programs keep busy, after saying so where it disturbs.
fn other_load() -> f64 {
    let load = load::other_load();
    if let Some(warning) = load::warning(load) {
        eprintln!("warning: {warning}");
    }
    load
}

fn print(
    mut result: Value,
    other_load: f64,
    as_json: bool,
    table: impl FnOnce(&Value) -> String,
) -> Result<()> {
    result["versions"]["rustc"] = Value::from(prerequisites::rust()?);
    result["other_load"] = Value::from(other_load);
    match as_json {
        true => println!("{result:#}"),
        false => print!("{}", table(&result)),
    }
    Ok(())
}

/// Runs a loop and returns the JSON on its last line.
fn json_of(mut command: Command, name: &str) -> Result<Value> {
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

/// The built-in set as files, for Python.
fn export_builtin(project: &Project, example: &Path) -> Result<PathBuf> {
    let dir = project.bench_data_dir();
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut command = Command::new(example);
    command.args(["--data", BUILTIN_DATA, "--device", "cpu", "--export"]).arg(&dir);
    let output = command.output().context("cannot start the example")?;
    if !output.status.success() {
        bail!("the built-in set cannot be written: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(dir)
}
