//! The kernel's tests in Python, and the notebooks under nbval: what pytest runs.

use crate::notebook::execute::usual_jobs;
use crate::process::command::run_visibly;
use crate::project::Project;
use anyhow::Result;
use blitz_contract::variables::{self, BUILTIN_DATA};
use std::path::Path;
use std::process::Command;

/// Processes that run tests at once: compiling a cell is one core's work.
const MOST: usize = 2;

/// Failures after which the rest is not run: where kernels do not start, each test would wait in vain.
const MOST_FAILURES: usize = 10;

/// The kernel through a Jupyter client.
///
/// # Errors
/// A test fails, or pytest cannot be started.
pub fn jupyter(project: &Project) -> Result<()> {
    let tests = project.path("crates/blitz-kernel/tests");
    let mut command = pytest(project, project.root(), &tests);
    command.args(["--durations", "10"]);
    run_visibly(command)
}

/// The notebooks under nbval, on the built-in data set.
///
/// # Errors
/// An output is not the stored one, or pytest cannot be started.
pub fn nbval(project: &Project) -> Result<()> {
    let notebooks = project.notebooks_dir();
    let mut command = pytest(project, &notebooks, &notebooks);
    // Those have no stored outputs: the check `exercises` executes them.
    for dir in [project.exercises_dir(), project.my_exercises_dir()] {
        command.arg("--ignore").arg(dir);
    }
    command.args(["--nbval", "--nbval-cell-timeout", "600"]);
    command.args(["--nbval-kernel-startup-timeout", "300"]);
    run_visibly(command)
}

/// pytest on `tests`, shared out among processes: one that is done takes the next file, in the
/// order in which they were collected.
fn pytest(project: &Project, current_dir: &Path, tests: &Path) -> Command {
    let mut command = project.python_command();
    command.current_dir(current_dir).env(variables::DATA, BUILTIN_DATA);
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--rootdir"]).arg(tests).arg(tests);
    command.args(["--numprocesses", &usual_jobs().get().min(MOST).to_string()]);
    command.args(["--dist", "loadfile", "--no-loadscope-reorder"]);
    command.args(["--maxfail", &MOST_FAILURES.to_string()]);
    command
}
