//! Executing one notebook, through nbclient, as Jupyter's own tools do.

use super::judge::{self, Stopped};
use super::nbformat::Notebook;
use crate::kernel::Kernel;
use crate::process::events;
use crate::process::logs::last_lines;
use crate::process::progress::{Board, Step};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use blitz_contract::variables;
use serde_json::Value;
use std::fs;
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const SCRIPT: &str = include_str!("../../python/execute.py");

/// How a notebook is executed.
pub struct ExecuteOptions {
    /// The value of `BLITZ_DATA` for the kernel; as in the environment where `None`.
    pub data: Option<String>,
    /// The time that one cell may take.
    pub timeout: Duration,
    /// The kernel.
    pub kernel: Kernel,
}

/// What the script has told.
#[derive(Default)]
struct Told {
    /// How many cells were begun.
    started: usize,
    /// Where and why it stopped before the end.
    stopped: Option<Stopped>,
    /// The notebook with its outputs.
    executed: Option<String>,
}

/// How many notebooks are executed at once unless told otherwise: a kernel compiles on one core and
/// takes about 1 GB.
pub fn usual_jobs() -> NonZeroUsize {
    const MOST: NonZeroUsize = NonZeroUsize::new(4).expect("4 is not 0");
    thread::available_parallelism().map_or(NonZeroUsize::MIN, |cores| cores.min(MOST))
}

/// [Executes](execute) `sources`, `jobs` of them at once, each with its outputs to the file that
/// `target` names. Returns what each came to, in their order: one that fails does not keep the
/// others from being executed.
pub fn execute_all(
    project: &Project,
    sources: &[Notebook],
    target: impl Fn(&Notebook) -> PathBuf + Sync,
    options: &ExecuteOptions,
    jobs: NonZeroUsize,
) -> Vec<Result<Notebook>> {
    let board = Board::default();
    let next = AtomicUsize::new(0);
    let work = || {
        let take = || sources.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed));
        let execute = |(index, source): (usize, &Notebook)| {
            (index, execute_on(&board, project, source, &target(source), options))
        };
        std::iter::from_fn(take).map(execute).collect::<Vec<_>>()
    };
    let mut executed: Vec<_> = thread::scope(|scope| {
        let threads = jobs.get().min(sources.len());
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results.flat_map(|result| result.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    executed.sort_by_key(|(index, _)| *index);
    executed.into_iter().map(|(_, result)| result).collect()
}

/// Executes the notebook `source` and writes it with its outputs to `target`, also when a cell
/// fails. Returns the executed notebook.
///
/// # Errors
/// A cell fails or does not run (named, with the reason), or `target` cannot be written.
pub fn execute(
    project: &Project,
    source: &Notebook,
    target: &Path,
    options: &ExecuteOptions,
) -> Result<Notebook> {
    execute_on(&Board::default(), project, source, target, options)
}

fn execute_on(
    board: &Board,
    project: &Project,
    source: &Notebook,
    target: &Path,
    options: &ExecuteOptions,
) -> Result<Notebook> {
    let cells = source.code_cells().count();
    let step = board.step(format!("executing {}", source.name()));
    let executed = drive(project, source, options, &step, cells)
        .and_then(|told| finish(told, target, options.kernel));
    step.end(executed, |_| format!("{cells} cells"))
}

/// Runs the script.
fn drive(
    project: &Project,
    source: &Notebook,
    options: &ExecuteOptions,
    step: &Step,
    cells: usize,
) -> Result<Told> {
    let log = project.own_log(&format!("execute-{}", source.name()));
    let mut command = project.python_command();
    command
        .args(["-c", SCRIPT])
        .arg(source.path().parent().unwrap_or(Path::new(".")))
        .arg(options.timeout.as_secs().to_string())
        .arg(options.kernel.name());
    // Outputs are kept and compared, so a person's locale must not change them.
    if std::env::var_os(variables::LANGUAGE).is_none() {
        command.env(variables::LANGUAGE, variables::ENGLISH);
    }
    if let Some(data) = &options.data {
        command.env(variables::DATA, data);
    }
    command.env(variables::COMPLETION, variables::WHEN_ASKED);
    let mut told = Told::default();
    let status = events::run(command, &source.to_bytes()?, &log, |event| {
        told.hear(&event, &log);
        step.detail(&format!("cell {} of {cells}", told.started));
    })?;
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let last = text.lines().last().unwrap_or("no message");
        bail!("the notebook could not be executed: {last} (see {})", log.display());
    }
    Ok(told)
}

impl Told {
    fn hear(&mut self, event: &Value, log: &Path) {
        match event["event"].as_str() {
            Some("cell") => self.started += 1,
            Some("executed") => self.executed = event["notebook"].as_str().map(str::to_owned),
            name => {
                let Some(reason) = event["reason"].as_str() else { return };
                let index = event["index"].as_u64().and_then(|index| index.try_into().ok());
                let mut reason = reason.to_owned();
                if name == Some("not started") {
                    // Why a kernel does not start is on its standard error, and that is the log.
                    reason = format!("{reason}\n    {}", last_lines(log).join("\n    "));
                }
                self.stopped = Some(Stopped { index: index.unwrap_or(0), reason });
            }
        }
    }
}

/// Tidies the executed notebook, writes it and judges it.
fn finish(told: Told, target: &Path, kernel: Kernel) -> Result<Notebook> {
    let executed = told.executed.context("the notebook was not passed back")?;
    let mut notebook = Notebook::parse(target.to_owned(), &executed)?;
    notebook.set_language();
    notebook.number_from_one();
    notebook.write(target)?;
    judge::check_executed(&notebook, kernel, told.stopped.as_ref())?;
    Ok(notebook)
}
