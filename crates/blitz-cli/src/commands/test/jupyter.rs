//! The kernel's tests in Python.

use crate::notebook::execute::usual_jobs;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use blitz_contract::variables::{self, BUILTIN_DATA};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Processes that run tests at once: compiling a cell is one core's work.
const MOST: usize = 2;

/// Runs the tests, shared out among processes. What each prints appears when it ends.
///
/// # Errors
/// A test fails, or pytest cannot be started.
pub fn run(project: &Project) -> Result<()> {
    let tests = project.path("crates/blitz-kernel/tests");
    let shares = shares(files(&tests)?, usual_jobs().get().min(MOST));
    let run = |share: &Vec<PathBuf>| -> Result<bool> {
        let output = pytest(project, &tests, share).output().context("cannot start pytest")?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        Ok(output.status.success())
    };
    let passed: Vec<Result<bool>> = thread::scope(|scope| {
        let runs: Vec<_> = shares.iter().map(|share| scope.spawn(|| run(share))).collect();
        let panicked = |_| Err(anyhow::anyhow!("a thread that ran pytest panicked"));
        runs.into_iter().map(|run| run.join().unwrap_or_else(panicked)).collect()
    });
    let passed: Vec<bool> = passed.into_iter().collect::<Result<_>>()?;
    ensure!(passed.iter().all(|passed| *passed), "tests of the kernel failed");
    Ok(())
}

fn pytest(project: &Project, tests: &Path, files: &[PathBuf]) -> Command {
    let mut command = project.python_command();
    command.current_dir(project.root()).env(variables::DATA, BUILTIN_DATA);
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "--durations", "10", "--rootdir"]);
    command.arg(tests).args(files);
    command
}

/// The files of tests, with their lengths.
fn files(tests: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let entries =
        fs::read_dir(tests).with_context(|| format!("cannot read {}", tests.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("test_") && name.ends_with(".py") {
            files.push((entry.metadata()?.len(), entry.path()));
        }
    }
    ensure!(!files.is_empty(), "there are no tests in {}", tests.display());
    Ok(files)
}

/// The files in `count` shares of about one length: the longest file first, to the shortest share.
fn shares(mut files: Vec<(u64, PathBuf)>, count: usize) -> Vec<Vec<PathBuf>> {
    files.sort_by(|a, b| b.cmp(a));
    let mut shares = vec![(0, Vec::new()); count.max(1)];
    for (length, file) in files {
        if let Some(share) = shares.iter_mut().min_by_key(|(length, _)| *length) {
            share.0 += length;
            share.1.push(file);
        }
    }
    shares.into_iter().map(|(_, files)| files).filter(|files| !files.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_shared_out_once_each() {
        let files = [(5, "a"), (3, "b"), (3, "c"), (1, "d")].map(|(n, f)| (n, PathBuf::from(f)));
        let named = |count| -> Vec<Vec<String>> {
            let shares = shares(files.to_vec(), count).into_iter();
            shares.map(|it| it.iter().map(|it| it.display().to_string()).collect()).collect()
        };
        assert_eq!(named(2), [vec!["a", "d"], vec!["c", "b"]]);
        assert_eq!(named(1), [vec!["a", "c", "b", "d"]]);
        assert_eq!(named(9).len(), 4);
    }
}
