//! The checks.

use super::outcome::Outcome;
use super::{programs, python, site};
use crate::commands::translate;
use crate::kernel::Kernel;
use crate::notebook::execute::{ExecuteOptions, execute, execute_all};
use crate::notebook::find::find;
use crate::notebook::nbformat::Notebook;
use crate::process::command::run_visibly;
use crate::project::Project;
use crate::setup::linked;
use anyhow::{Context, Result, ensure};
use blitz_contract::variables::{self, BUILTIN_DATA};
use clap::ValueEnum;
use serde_json::Value;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The notebook that trains the classifier.
const CLASSIFIER: &str = "04";
/// The notebooks that must also run on the stock kernel.
const STOCK_NOTEBOOKS: [&str; 3] = ["01", "02", "03"];
/// The helper crate.
const BLITZ: [&str; 1] = ["blitz"];
/// The kernel and the crates that it is built of. They are tested together, and apart from the
/// others: cargo unifies the features of what it compiles together, and would build rust-analyzer
/// once more for another choice.
const KERNEL: [&str; 6] = [
    "blitz-kernel",
    "blitz-toolchain",
    "blitz-cells",
    "blitz-contract",
    "blitz-messages",
    "blitz-user-dirs",
];
/// This command and what it measures with.
const CLI: [&str; 2] = ["blitz-cli", "blitz-bench"];
/// How many tests of a program Rust's test harness runs at once.
const THREADS: &str = "RUST_TEST_THREADS";
/// What the tutorial's net reaches on the 10,000 test images after two epochs, in percent.
const EXPECTED_ACCURACY: RangeInclusive<u32> = 50..=57;

/// One of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// Formatting of the Rust and Python sources, and Python's lints
    Format,
    /// Lints, with warnings denied
    Clippy,
    /// The translations: complete, by their rules, and up to date
    Translations,
    /// Tests of the crate `blitz`
    Blitz,
    /// The stored reference values against this torch, and Rust's numbers against it bit by bit
    Numbers,
    /// The kit for a machine with a GPU, packed and tried on the CPU; only where it is named, since
    /// the parts of its report have limits of time
    GpuKit,
    /// Tests of the kernel's parts
    BlitzKernel,
    /// Tests of this command
    BlitzCli,
    /// The kernel through a Jupyter client, with Jupyter's own `jupyter_kernel_test`
    Jupyter,
    /// The notebooks against their stored outputs, with nbval
    Notebooks,
    /// The notebooks as Rust programs: compiled, run, and against the stored outputs
    Programs,
    /// The exercises: as a learner gets them, with the mistakes that they name, and solved
    Exercises,
    /// The site and single pages in a browser: every page for everybody, and what readers do. Skipped, by
    /// name, where there is no browser and none can be fetched
    Site,
    /// A small course graded by nbgrader, which is installed where it is not there yet
    Class,
    /// Notebooks 01 to 03 on the stock kernel
    Stock,
    /// The classifier on real CIFAR-10; needs --data
    Classifier,
}

impl Check {
    /// What people see of it.
    pub fn title(self) -> &'static str {
        match self {
            Check::Format => "formatting",
            Check::Clippy => "clippy",
            Check::Translations => "translations",
            Check::Blitz => "tests of blitz",
            Check::Numbers => "the numbers of PyTorch, made anew",
            Check::GpuKit => "the GPU kit, on the CPU",
            Check::BlitzKernel => "tests of blitz-kernel",
            Check::BlitzCli => "tests of blitz-cli",
            Check::Jupyter => "the kernel through a Jupyter client",
            Check::Notebooks => "notebooks against their stored outputs",
            Check::Programs => "the notebooks as programs",
            Check::Exercises => "exercises, untouched, wrong and solved",
            Check::Site => "the site in a browser",
            Check::Class => "a course, graded by nbgrader",
            Check::Stock => "notebooks 01-03 on the stock kernel",
            Check::Classifier => "the classifier on real CIFAR-10",
        }
    }

    /// Runs it; `data` is a directory with real CIFAR-10.
    ///
    /// # Errors
    /// What is checked is not as it should be.
    pub fn run(self, project: &Project, data: Option<&str>) -> Result<Outcome> {
        let passed = match self {
            Check::Site => return site::site(project),
            Check::Format => format(project),
            Check::Clippy => clippy(project),
            Check::Translations => translate::check(project),
            Check::Blitz => run_visibly(cargo_test(project, &BLITZ)?),
            Check::Numbers => numbers(project),
            Check::GpuKit => gpu_kit(project),
            Check::BlitzKernel => run_visibly(cargo_test(project, &KERNEL)?),
            Check::BlitzCli => run_visibly(cargo_test(project, &CLI)?),
            Check::Jupyter => python::jupyter(project),
            Check::Notebooks => python::nbval(project),
            Check::Programs => programs::programs(project),
            Check::Exercises => python::exercises(project),
            Check::Class => python::class(project),
            Check::Stock => stock(project),
            Check::Classifier => classifier(project, data.context("no data directory")?),
        };
        passed.map(|()| Outcome::Passed)
    }
}

fn cargo(project: &Project, what: &str) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(project.root()).arg(what);
    command
}

/// `cargo test` of some packages. Clippy compiles them, so that what it has looked at is what is tested:
/// by `cargo clippy` all dependencies would be checked once more, which takes longer than all the rest.
fn cargo_test(project: &Project, packages: &[&str]) -> Result<Command> {
    let mut command = match packages == BLITZ {
        // Compiled as for cells, and of what set-up has compiled for them.
        true => linked::test(project)?,
        false => cargo(project, "test"),
    };
    // A test that asks for data gets what it asks for, not what the person has.
    command.env_remove(variables::DATA).env(variables::LANGUAGE, variables::ENGLISH);
    // Many wait for processes that they have started.
    if std::env::var_os(THREADS).is_none() {
        command.env(THREADS, "4");
    }
    command.args(["--config", "build.rustc-workspace-wrapper='clippy-driver'", "--locked"]);
    // One that fails hides no other.
    command.arg("--no-fail-fast");
    command.args(packages.iter().flat_map(|package| ["--package", package]));
    Ok(command)
}

/// Rust and Python.
fn format(project: &Project) -> Result<()> {
    let mut fmt = cargo(project, "fmt");
    fmt.args(["--all", "--check"]);
    run_visibly(fmt)?;
    for arguments in [&["check", "--quiet"][..], &["format", "--check", "--quiet"]] {
        let mut ruff = project.python_command();
        ruff.current_dir(project.root()).args(["-m", "ruff"]).args(arguments);
        run_visibly(ruff)?;
    }
    Ok(())
}

/// Compiles everything and fails where there is a warning.
fn clippy(project: &Project) -> Result<()> {
    let mut warnings = 0;
    for packages in [&BLITZ[..], &KERNEL, &CLI] {
        let mut command = cargo_test(project, packages)?;
        command.args(["--no-run", "--message-format", "json"]).stderr(Stdio::inherit());
        let output = command.output().context("cannot start cargo")?;
        let messages = String::from_utf8_lossy(&output.stdout).into_owned();
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for message in messages.filter(|it| it["reason"] == "compiler-message") {
            eprint!("{}", message["message"]["rendered"].as_str().unwrap_or_default());
            warnings += 1;
        }
        ensure!(output.status.success(), "cargo cannot compile {}", packages.join(", "));
    }
    ensure!(warnings == 0, "{warnings} warnings, which stand above");
    Ok(())
}

/// Lets PyTorch make all reference values anew: the stored ones must be theirs, and what Rust
/// computes on this machine must be the same in every bit.
fn numbers(project: &Project) -> Result<()> {
    let made = project.test_dir().join("reference");
    let mut remake = project.python_command();
    remake.current_dir(project.root());
    remake.arg(project.path("crates/blitz/tests/reference/remake.py")).arg(&made);
    run_visibly(remake)?;
    let mut command = cargo_test(project, &BLITZ)?;
    command.args(["--test", "same_numbers"]).env("BLITZ_REFERENCE", &made);
    run_visibly(command)
}

/// Packs the kit, for which cargo compiles the tests by itself, and goes through what a GPU would do,
/// apart from the tests that ran already.
fn gpu_kit(project: &Project) -> Result<()> {
    let mut bundle = Command::new(project.path("ci/gpu/bundle"));
    bundle.current_dir(project.root()).arg("--quick");
    run_visibly(bundle)?;
    let mut dry_run = Command::new(project.path("target/gpu-kit/ci/gpu/run"));
    dry_run.arg("--dry-run").env("BLITZ_PYTHON", project.python());
    dry_run.arg("--out").arg(project.test_dir().join("gpu-kit"));
    for part in ["the gpu tests", "training", "width", "nccl"] {
        dry_run.args(["--only", part]);
    }
    run_visibly(dry_run)
}

/// The notebooks that need nothing but tensors, on the stock kernel. They must run; their outputs
/// need not be those of this project's kernel.
fn stock(project: &Project) -> Result<()> {
    let options = ExecuteOptions {
        data: Some(BUILTIN_DATA.to_owned()),
        timeout: Duration::from_secs(600),
        kernel: Kernel::RustStock,
    };
    let notebooks = find(project, &STOCK_NOTEBOOKS.map(str::to_owned))?;
    let target =
        |notebook: &Notebook| project.test_dir().join(format!("stock-{}.ipynb", notebook.name()));
    // All at once: their compilers wait for much, and the last would have a core for itself.
    let jobs = NonZeroUsize::new(notebooks.len()).unwrap_or(NonZeroUsize::MIN);
    let results = execute_all(project, &notebooks, target, &options, jobs);
    for (notebook, result) in notebooks.iter().zip(results) {
        result.with_context(|| notebook.name())?;
    }
    Ok(())
}

/// Executes the classifier on real CIFAR-10 and checks the accuracy that it reports.
fn classifier(project: &Project, data: &str) -> Result<()> {
    let notebooks = find(project, &[CLASSIFIER.to_owned()])?;
    let target = project.test_dir().join("classifier-real-data.ipynb");
    let options = ExecuteOptions {
        data: Some(data.to_owned()),
        timeout: Duration::from_secs(3600),
        kernel: Kernel::Rust,
    };
    let printed = execute(project, &notebooks[0], &target, &options)?.stdout();
    let accuracy = reported_accuracy(&printed)
        .with_context(|| format!("no accuracy on 10000 test images in {}", target.display()))?;
    ensure!(
        EXPECTED_ACCURACY.contains(&accuracy),
        "the classifier reports {accuracy} %, expected {} to {} %",
        EXPECTED_ACCURACY.start(),
        EXPECTED_ACCURACY.end()
    );
    eprintln!("  {accuracy} % on the 10000 test images");
    Ok(())
}

/// The percentage in the tutorial's own sentence.
fn reported_accuracy(printed: &str) -> Option<u32> {
    let (_, rest) = printed.split_once("Accuracy of the network on the 10000 test images: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_crate_is_tested() {
        let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let mut names: Vec<String> = fs::read_dir(crates)
            .expect("the crates")
            .map(|entry| entry.expect("an entry").path())
            .filter(|dir| dir.join("Cargo.toml").is_file())
            .map(|dir| dir.file_name().expect("a name").to_string_lossy().into_owned())
            .collect();
        names.sort();
        let mut tested = [&BLITZ[..], &KERNEL, &CLI].concat();
        tested.sort_unstable();
        assert_eq!(names, tested);
    }

    #[test]
    fn reads_the_accuracy_on_the_whole_test_set_only() {
        let printed =
            "[2, 12000] loss: 1.2\nAccuracy of the network on the 10000 test images: 54 %\n";
        assert_eq!(reported_accuracy(printed), Some(54));
        assert_eq!(
            reported_accuracy("Accuracy of the network on the 1000 test images: 99 %"),
            None
        );
    }
}
