//! `cargo blitz test`: everything that CI checks.

use crate::cli::TestOptions;
use crate::command::run_visibly;
use crate::execute::{ExecuteOptions, execute};
use crate::notebook::Notebook;
use crate::progress::elapsed;
use crate::project::Project;
use crate::{run, setup};
use anyhow::{Context, Result, bail, ensure};
use std::ops::RangeInclusive;
use std::process::Command;
use std::time::{Duration, Instant};

/// The notebook that trains the classifier.
const CLASSIFIER: &str = "04";
/// What the tutorial's net reaches on the 10,000 test images after two epochs, in percent.
const EXPECTED_ACCURACY: RangeInclusive<u32> = 50..=57;
/// Packages, tested one by one: together, cargo would unify their dependencies' features and build
/// rust-analyzer a second time.
const PACKAGES: [&str; 3] = ["blitz", "blitz-kernel", "blitz-cli"];

type Check<'a> = (String, Box<dyn FnOnce() -> Result<()> + 'a>);

/// Runs all checks and fails where one did, after all have run.
///
/// # Errors
/// Set-up fails, or a check does.
pub fn test(project: &Project, options: &TestOptions) -> Result<()> {
    let data = run::data(options.data.as_deref())?.filter(|data| data != "builtin");
    setup::ensure(project)?;
    let mut checks: Vec<Check> = vec![
        ("formatting".to_owned(), Box::new(|| cargo(project, &["fmt", "--all", "--check"]))),
        ("clippy".to_owned(), Box::new(|| clippy(project))),
    ];
    for package in PACKAGES {
        let check = move || cargo(project, &["test", "--locked", "--package", package]);
        checks.push((format!("tests of {package}"), Box::new(check)));
    }
    checks.push(("notebooks against their stored outputs".to_owned(), Box::new(|| nbval(project))));
    match data {
        Some(data) => checks.push((
            "the classifier on real CIFAR-10".to_owned(),
            Box::new(move || real_data(project, data)),
        )),
        None => {
            eprintln!("No data directory given (--data DIR): 04 runs on the built-in set only.")
        }
    }
    report(checks)
}

fn report(checks: Vec<Check>) -> Result<()> {
    let start = Instant::now();
    let (mut passed, mut failures) = (0, Vec::new());
    for (name, check) in checks {
        eprintln!("\n── {name}");
        let start = Instant::now();
        match check() {
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
    let mut command = Command::new("cargo");
    // A test that asks for data gets what it asks for, not what the person has.
    command.current_dir(project.root()).args(arguments).env_remove("BLITZ_DATA");
    run_visibly(command)
}

fn clippy(project: &Project) -> Result<()> {
    let arguments =
        ["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    cargo(project, &arguments)
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
fn real_data(project: &Project, data: String) -> Result<()> {
    let notebooks = project.find_notebooks(&[CLASSIFIER.to_owned()])?;
    let target = project.path(".blitz/test/classifier-real-data.ipynb");
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let options = ExecuteOptions { data: Some(data), timeout: Duration::from_secs(3600) };
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
