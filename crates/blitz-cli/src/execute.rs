//! Executing one notebook, through nbclient, as Jupyter's own tools do.

use crate::command::{Cancel, last_lines, run_logged};
use crate::judge::{self, Stopped};
use crate::notebook::Notebook;
use crate::progress::Step;
use crate::project::{Project, notebook_name};
use crate::setup::kernelspec::Kernel;
use anyhow::{Context, Result, anyhow};
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

const SCRIPT: &str = include_str!("../python/execute.py");

/// How a notebook is executed.
pub struct ExecuteOptions {
    /// The value of `BLITZ_DATA` for the kernel; as in the environment where `None`.
    pub data: Option<String>,
    /// The time that one cell may take.
    pub timeout: Duration,
    /// The kernel.
    pub kernel: Kernel,
}

/// Executes the notebook `source` and writes it with its outputs to `target`, also when a cell
/// fails. Returns how many code cells there are.
///
/// # Errors
/// A cell fails or does not run (named, with the reason), or `target` cannot be written.
pub fn execute(
    project: &Project,
    source: &Path,
    target: &Path,
    options: &ExecuteOptions,
) -> Result<usize> {
    let name = notebook_name(source);
    let cells = Notebook::read(source)?.code_cells().count();
    let step = Step::start(format!("executing {name}"));
    let executed = drive(project, source, target, options, &step, cells)
        .and_then(|stopped| finish(target, options.kernel, stopped.as_ref()));
    match executed {
        Ok(()) => {
            step.done(&format!("{cells} cells"));
            Ok(cells)
        }
        Err(error) => {
            step.failed();
            Err(error)
        }
    }
}

/// Runs the script and returns where and why it stopped before the end, if it says so.
fn drive(
    project: &Project,
    source: &Path,
    target: &Path,
    options: &ExecuteOptions,
    step: &Step,
    cells: usize,
) -> Result<Option<Stopped>> {
    let log = log_path(project, source);
    let _ = fs::create_dir_all(log.parent().unwrap_or(&log));
    let stderr = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = project.python_command();
    command.args(["-c", SCRIPT]).arg(source).arg(target);
    command
        .arg(source.parent().unwrap_or(Path::new(".")))
        .arg(options.timeout.as_secs().to_string())
        .arg(options.kernel.name());
    if let Some(data) = &options.data {
        command.env("BLITZ_DATA", data);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child = command.spawn().context("cannot start the environment's Python")?;
    let (mut stopped, mut started) = (None, 0);
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
        let event: serde_json::Value = serde_json::from_str(&line?).unwrap_or_default();
        if event["event"] == "cell" {
            started += 1;
            step.detail(&format!("cell {started} of {cells}"));
        } else if let Some(reason) = event["reason"].as_str() {
            let index = event["index"].as_u64().and_then(|index| index.try_into().ok());
            let mut reason = reason.to_owned();
            if event["event"] == "not started" {
                // Why a kernel does not start is on its standard error, and that is the log.
                reason = format!("{reason}\n    {}", last_lines(&log).join("\n    "));
            }
            stopped = Some(Stopped { index: index.unwrap_or(0), reason });
        }
    }
    let status = child.wait()?;
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let last = text.lines().last().unwrap_or("no message").to_owned();
        return Err(anyhow!("the notebook could not be executed: {last} (see {})", log.display()));
    }
    Ok(stopped)
}

/// Tidies the executed notebook and judges it.
fn finish(target: &Path, kernel: Kernel, stopped: Option<&Stopped>) -> Result<()> {
    let mut notebook = Notebook::read(target)?;
    notebook.set_language();
    notebook.number_from_one();
    notebook.write(target)?;
    judge::check_executed(&notebook, kernel, stopped)
}

fn log_path(project: &Project, source: &Path) -> PathBuf {
    project.own_path(&format!("logs/execute-{}.log", notebook_name(source)))
}

/// Runs a Python module of the environment as part of `step`, with its output in a log.
///
/// # Errors
/// It fails.
pub fn run_module(project: &Project, step: &Step, log: &str, arguments: &[&str]) -> Result<()> {
    let mut command = project.python_command();
    command.arg("-m").args(arguments).current_dir(project.root());
    run_logged(step, command, &project.own_path(&format!("logs/{log}.log")), &Cancel::default())
}
