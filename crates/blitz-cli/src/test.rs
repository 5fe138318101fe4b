//! `cargo blitz test`: everything that CI checks.

use crate::cli::TestOptions;
use crate::command::run_visibly;
use crate::execute::{ExecuteOptions, execute};
use crate::notebook::Notebook;
use crate::progress::elapsed;
use crate::project::{Project, Usage, notebook_name};
use crate::setup::kernelspec::Kernel;
use crate::{run, setup};
use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// The notebook that trains the classifier.
const CLASSIFIER: &str = "04";
/// The notebooks that must also run on the stock kernel.
const STOCK_NOTEBOOKS: [&str; 3] = ["01", "02", "03"];
/// What the tutorial's net reaches on the 10,000 test images after two epochs, in percent.
const EXPECTED_ACCURACY: RangeInclusive<u32> = 50..=57;
/// One of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// Formatting of the Rust sources
    Format,
    /// Lints, with warnings denied
    Clippy,
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
    /// Notebooks 01 to 03 on the stock kernel
    Stock,
    /// The classifier on real CIFAR-10; needs --data
    Classifier,
}

impl Check {
    fn title(self) -> &'static str {
        match self {
            Check::Format => "formatting",
            Check::Clippy => "clippy",
            Check::Blitz => "tests of blitz",
            Check::Numbers => "the numbers of PyTorch, made anew",
            Check::GpuKit => "the GPU kit, on the CPU",
            Check::BlitzKernel => "tests of blitz-kernel",
            Check::BlitzCli => "tests of blitz-cli",
            Check::Jupyter => "the kernel through a Jupyter client",
            Check::Notebooks => "notebooks against their stored outputs",
            Check::Stock => "notebooks 01-03 on the stock kernel",
            Check::Classifier => "the classifier on real CIFAR-10",
        }
    }

    fn run(self, project: &Project, data: Option<&str>) -> Result<()> {
        match self {
            Check::Format => cargo(project, &["fmt", "--all", "--check"]),
            Check::Clippy => clippy(project),
            // Packages are tested one by one: together, cargo would unify their dependencies'
            // features and build rust-analyzer a second time.
            Check::Blitz => cargo_test(project, "blitz"),
            Check::Numbers => numbers(project),
            Check::GpuKit => gpu_kit(project),
            Check::BlitzKernel => cargo_test(project, "blitz-kernel"),
            Check::BlitzCli => cargo_test(project, "blitz-cli"),
            Check::Jupyter => jupyter(project),
            Check::Notebooks => nbval(project),
            Check::Stock => stock(project),
            Check::Classifier => classifier(project, data.context("no data directory")?),
        }
    }
}

/// Runs all checks, or those that are named, and fails where one did, after all have run.
///
/// # Errors
/// Set-up fails, or a check does.
pub fn test(project: &Project, options: &TestOptions) -> Result<()> {
    let data = run::data(options.data.as_deref())?.filter(|data| data != "builtin");
    let checks = chosen(&options.checks, data.is_some())?;
    setup::ensure(project)?;
    if data.is_none() && options.checks.is_empty() {
        eprintln!("No data directory given (--data DIR): 04 runs on the built-in set only.");
    }
    report(project, &checks, data.as_deref())
}

/// The checks to run, in their own order, whatever order they were named in.
fn chosen(named: &[Check], has_data: bool) -> Result<Vec<Check>> {
    if named.contains(&Check::Classifier) && !has_data {
        let message = "the check `classifier` needs a directory with real CIFAR-10: --data DIR";
        return Err(Usage(message.to_owned()).into());
    }
    let wanted = |check: &Check| match named {
        [] => match check {
            Check::Classifier => has_data,
            Check::GpuKit => false,
            _ => true,
        },
        named => named.contains(check),
    };
    Ok(Check::value_variants().iter().copied().filter(wanted).collect())
}

fn report(project: &Project, checks: &[Check], data: Option<&str>) -> Result<()> {
    let start = Instant::now();
    let (mut passed, mut failures) = (0, Vec::new());
    for check in checks {
        let name = check.title();
        eprintln!("\n── {name}");
        let start = Instant::now();
        match check.run(project, data) {
            Ok(()) => {
                passed += 1;
                eprintln!("✓ {name} [{}]", elapsed(start.elapsed()));
            }
            Err(error) => {
                eprintln!("✗ {name} [{}]", elapsed(start.elapsed()));
                failures.push(format!("{name}: {error:#}"));
            }
        }
    }
    eprintln!("\nAll checks took {}.", elapsed(start.elapsed()));
    println!("{passed} passed, {} failed", failures.len());
    if failures.is_empty() {
        return Ok(());
    }
    bail!("{} checks failed:\n  {}", failures.len(), failures.join("\n  "))
}

fn cargo(project: &Project, arguments: &[&str]) -> Result<()> {
    run_visibly(cargo_command(project, arguments))
}

fn cargo_command(project: &Project, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    // A test that asks for data gets what it asks for, not what the person has.
    command.current_dir(project.root()).args(arguments).env_remove("BLITZ_DATA");
    command
}

fn cargo_test(project: &Project, package: &str) -> Result<()> {
    cargo(project, &["test", "--locked", "--package", package])
}

fn clippy(project: &Project) -> Result<()> {
    let arguments =
        ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    cargo(project, &arguments)
}

/// Lets PyTorch make all reference values anew: the stored ones must be theirs, and what Rust
/// computes on this machine must be the same in every bit.
fn numbers(project: &Project) -> Result<()> {
    let made = project.path(".blitz/test/reference");
    let mut remake = project.python_command();
    remake.current_dir(project.root());
    remake.arg(project.path("crates/blitz/tests/reference/remake.py")).arg(&made);
    run_visibly(remake)?;
    let test = ["test", "--locked", "--package", "blitz", "--test", "same_numbers"];
    let mut command = cargo_command(project, &test);
    command.env("BLITZ_REFERENCE", &made);
    run_visibly(command)
}

/// Packs the kit of the tests that were compiled before, and goes through what a GPU would do, apart
/// from the tests that ran already.
fn gpu_kit(project: &Project) -> Result<()> {
    let mut bundle = Command::new(project.path("ci/gpu/bundle"));
    bundle.current_dir(project.root()).arg("--quick");
    run_visibly(bundle)?;
    let mut dry_run = Command::new(project.path("target/gpu-kit/ci/gpu/run"));
    dry_run.arg("--dry-run").env("BLITZ_PYTHON", project.python());
    dry_run.arg("--out").arg(project.path(".blitz/test/gpu-kit"));
    for part in ["the gpu tests", "training", "width", "nccl"] {
        dry_run.args(["--only", part]);
    }
    run_visibly(dry_run)
}

/// The kernel's tests in Python.
fn jupyter(project: &Project) -> Result<()> {
    let tests = project.path("crates/blitz-kernel/tests");
    let mut command = project.python_command();
    command.current_dir(project.root()).env("BLITZ_DATA", "builtin");
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--durations", "10", "--rootdir"]);
    command.arg(&tests).arg(&tests);
    run_visibly(command)
}

/// The notebooks that need nothing but tensors, on the stock kernel. They must run; their outputs
/// need not be those of this project's kernel.
fn stock(project: &Project) -> Result<()> {
    let options = ExecuteOptions {
        data: Some("builtin".to_owned()),
        timeout: Duration::from_secs(600),
        kernel: Kernel::RustStock,
    };
    for notebook in project.find_notebooks(&STOCK_NOTEBOOKS.map(str::to_owned))? {
        let target = project.path(&format!(".blitz/test/stock-{}.ipynb", notebook_name(&notebook)));
        create_parent(&target)?;
        execute(project, &notebook, &target, &options).with_context(|| notebook_name(&notebook))?;
    }
    Ok(())
}

fn create_parent(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))
}

/// The notebooks under nbval, on the built-in data set.
fn nbval(project: &Project) -> Result<()> {
    let notebooks = project.notebooks_dir();
    let mut command = project.python_command();
    command.current_dir(&notebooks).env("BLITZ_DATA", "builtin");
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--nbval", "--rootdir"]);
    command.arg(&notebooks).args(["--nbval-cell-timeout", "600"]);
    command.args(["--nbval-kernel-startup-timeout", "300"]).arg(&notebooks);
    run_visibly(command)
}

/// Executes the classifier on real CIFAR-10 and checks the accuracy that it reports.
fn classifier(project: &Project, data: &str) -> Result<()> {
    let notebooks = project.find_notebooks(&[CLASSIFIER.to_owned()])?;
    let target = project.path(".blitz/test/classifier-real-data.ipynb");
    create_parent(&target)?;
    let options = ExecuteOptions {
        data: Some(data.to_owned()),
        timeout: Duration::from_secs(3600),
        kernel: Kernel::Rust,
    };
    execute(project, &notebooks[0], &target, &options)?;
    let printed = Notebook::read(&target)?.stdout();
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

    #[test]
    fn checks_run_in_their_order_and_the_classifier_only_with_data() {
        let all = |has_data| chosen(&[], has_data).expect("some").len();
        assert_eq!(all(true), all(false) + 1);
        let some = chosen(&[Check::Stock, Check::Format], false).expect("two");
        assert_eq!(some, [Check::Format, Check::Stock]);
        let error = chosen(&[Check::Classifier], false).expect_err("no data");
        assert!(error.is::<Usage>() && error.to_string().contains("--data"), "{error}");
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
