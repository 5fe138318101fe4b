//! The kernel's tests in Python, exercises, and the notebooks under nbval: what pytest runs.

use crate::notebook::execute::usual_jobs;
use crate::process::command::run_visibly;
use crate::project::Project;
use anyhow::Result;
use blitz_contract::program;
use blitz_contract::variables::{self, BUILTIN_DATA};
use std::path::Path;
use std::process::Command;

/// Processes that run tests at once: compiling a cell is one core's work.
const MOST: usize = 2;

/// Failures after which the rest is not run: where kernels do not start, each test would wait in vain.
const MOST_FAILURES: usize = 10;

/// The test of the exercise notebooks, among the kernel's.
const EXERCISES: &str = "test_exercises.py";

/// The variable that tells tests which `cargo blitz` they belong to.
const PROGRAM: &str = "BLITZ_PROGRAM";

/// The kernel through a Jupyter client.
///
/// # Errors
/// A test fails, or pytest cannot be started.
pub fn jupyter(project: &Project) -> Result<()> {
    let tests = project.path("crates/blitz-kernel/tests");
    let mut command = pytest(project, project.root(), &tests);
    command.args(["--dist", "loadfile", "--no-loadscope-reorder", "--durations", "10"]);
    command.arg("--ignore").arg(tests.join(EXERCISES));
    run_visibly(command)
}

/// The exercises: untouched, with the mistakes that they name, solved.
///
/// # Errors
/// A check does not tell right from wrong, or pytest cannot be started.
pub fn exercises(project: &Project) -> Result<()> {
    let tests = project.path("crates/blitz-kernel/tests").join(EXERCISES);
    let mut command = pytest(project, project.root(), &tests);
    // A test is a whole notebook.
    command.args(["--dist", "worksteal"]).env(PROGRAM, program::path()?);
    run_visibly(command)
}

/// A small course through nbgrader, from the assignment to the grades.
///
/// # Errors
/// A grade is not what it should be, or pytest cannot be started.
pub fn class(project: &Project) -> Result<()> {
    let tests = project.path("crates/blitz-cli/tests/class");
    let mut command = pytest(project, project.root(), &tests);
    // The tests of a file look at one course.
    command.args(["--dist", "loadfile"]).env(PROGRAM, program::path()?);
    run_visibly(command)
}

/// The notebooks under nbval, on the built-in data set.
///
/// # Errors
/// An output is not the stored one, or pytest cannot be started.
pub fn nbval(project: &Project) -> Result<()> {
    let notebooks = project.notebooks_dir();
    let mut command = pytest(project, &notebooks, &notebooks);
    // Exercises have no stored outputs: the check `exercises` executes them. Translated pages have
    // those of the English ones.
    let others = ["exercises", "my_exercises", "zh"];
    for dir in others.map(|name| notebooks.join(name)) {
        command.arg("--ignore").arg(dir);
    }
    command.args(["--nbval", "--nbval-cell-timeout", "600"]);
    command.args(["--nbval-kernel-startup-timeout", "300"]);
    command.args(["--dist", "loadfile", "--no-loadscope-reorder"]);
    run_visibly(command)
}

/// pytest on `tests`, shared out among processes. With `loadfile`, one that is done takes the next
/// file, in the order in which they were collected.
fn pytest(project: &Project, current_dir: &Path, tests: &Path) -> Command {
    let mut command = project.python_command();
    command.current_dir(current_dir).env(variables::DATA, BUILTIN_DATA);
    command.env(variables::LANGUAGE, variables::ENGLISH);
    command.env(variables::COMPLETION, variables::WHEN_ASKED);
    // One file has its directory for a root.
    let root = if tests.is_dir() { tests } else { tests.parent().unwrap_or(tests) };
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--rootdir"]).arg(root).arg(tests);
    command.args(["--numprocesses", &usual_jobs().get().min(MOST).to_string()]);
    command.args(["--maxfail", &MOST_FAILURES.to_string()]);
    command
}
