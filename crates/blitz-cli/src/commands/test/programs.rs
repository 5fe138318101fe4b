//! The notebooks as programs: compiled, run, and what they print against what is stored.

use crate::commands::programs;
use crate::notebook::find::find;
use crate::notebook::nbformat::{Cell, Notebook};
use crate::process::progress::elapsed;
use crate::program::package::Programs;
use crate::program::{cell_at, compare};
use crate::project::Project;
use crate::setup::linked;
use anyhow::{Context, Result, bail, ensure};
use blitz_contract::variables::{self, BUILTIN_DATA};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many programs run at once.
const AT_ONCE: usize = 2;

/// Writes, compiles and runs the programs of all notebooks, on the built-in data set.
///
/// # Errors
/// One does not compile, does not come to its end, or does something else than its notebook; the
/// message names the cells.
pub fn programs(project: &Project) -> Result<()> {
    let notebooks = find(project, &[])?;
    let programs = programs::of(&notebooks)?;
    let compiled = linked::notebooks(project, &programs)
        .map_err(|error| error.context(compile_errors(project, &notebooks, &programs)))?;
    let failures = run_all(project, &notebooks, &compiled);
    ensure!(failures.is_empty(), "{}", failures.join("\n  "));
    Ok(())
}

/// Runs the programs, those that take longest first.
fn run_all(project: &Project, notebooks: &[Notebook], compiled: &Path) -> Vec<String> {
    let mut waiting: Vec<&Notebook> = notebooks.iter().collect();
    waiting.sort_by_key(|notebook| slow_calls(notebook));
    let (waiting, failures) = (Mutex::new(waiting), Mutex::new(Vec::new()));
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work = || {
        while let Some(notebook) = next() {
            let start = Instant::now();
            let result = run(project, notebook, compiled);
            let mark = if result.is_ok() { "✓" } else { "✗" };
            eprintln!("  {mark} {} [{}]", notebook.name(), elapsed(start.elapsed()));
            if let Err(error) = result {
                let failure = format!("{}: {error:#}", notebook.name());
                failures.lock().unwrap_or_else(PoisonError::into_inner).push(failure);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    failures.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// How often a notebook does what takes seconds: starts processes, trains, measures.
fn slow_calls(notebook: &Notebook) -> usize {
    const SLOW: [&str; 4] = ["launch(", "fit(", "resume(", "width_speed("];
    let calls = |cell: Cell<'_>| SLOW.map(|call| cell.source().matches(call).count());
    notebook.code_cells().flat_map(calls).sum()
}

/// Runs the program of `notebook` where nothing else is.
fn run(project: &Project, notebook: &Notebook, compiled: &Path) -> Result<()> {
    let dir = project.test_dir().join("programs").join(notebook.name());
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    let mut command = Command::new(compiled.join(notebook.name()));
    command.current_dir(&dir).env(variables::DATA, BUILTIN_DATA).env_remove(variables::DEVICE);
    let output = command.output().context("the program cannot be started")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    fs::write(dir.join("stdout.txt"), printed.as_bytes())
        .and_then(|()| fs::write(dir.join("stderr.txt"), stderr.as_bytes()))
        .with_context(|| format!("cannot write to {}", dir.display()))?;
    let last: Vec<&str> = stderr.lines().rev().take(3).collect();
    ensure!(output.status.success(), "{}: {}", output.status, last.join(" | "));
    let mut differences = compare::differences(notebook, &printed);
    differences.extend(pictures(notebook, &dir)?);
    if !differences.is_empty() {
        bail!("{}; what it printed is in {}", differences.join("; "), dir.display());
    }
    Ok(())
}

/// What is wrong with the pictures that were saved in `dir`.
fn pictures(notebook: &Notebook, dir: &Path) -> Result<Option<String>> {
    let entries = fs::read_dir(dir.join("pictures")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let name =
        |(index, ending): (usize, &&str)| format!("{}-{:02}.{ending}", notebook.name(), index + 1);
    let expected: Vec<String> = compare::pictures(notebook).iter().enumerate().map(name).collect();
    let saved: Vec<String> = paths
        .iter()
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    if saved != expected {
        return Ok(Some(format!(
            "expected the pictures {}, got {}",
            expected.join(" "),
            saved.join(" ")
        )));
    }
    for path in &paths {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_whole = match path.extension().and_then(|ending| ending.to_str()) {
            Some("png") => bytes.starts_with(b"\x89PNG") && bytes.len() > 200,
            _ => bytes.len() > 200,
        };
        if !is_whole {
            return Ok(Some(format!("{} is no picture", path.display())));
        }
    }
    Ok(None)
}

/// What rustc said, with the cells that it is about.
fn compile_errors(project: &Project, notebooks: &[Notebook], programs: &Programs) -> String {
    let log = linked::log(project);
    let text = fs::read_to_string(&log).unwrap_or_default();
    let (mut error, mut told) = (None, Vec::new());
    for line in text.lines() {
        if line.starts_with("error") {
            error = Some(line);
        } else if let Some(place) = line.trim().strip_prefix("--> ")
            && let Some(error) = error.take()
        {
            let cell = cell(place, notebooks, programs).unwrap_or_else(|| place.to_owned());
            told.push(format!("{cell}: {error}"));
        }
    }
    told.push(format!("see {}", log.display()));
    told.join("\n  ")
}

/// The cell at `NAME.rs:LINE:COLUMN`.
fn cell(place: &str, notebooks: &[Notebook], programs: &Programs) -> Option<String> {
    let (file, rest) = place.split_once(".rs:")?;
    let line = rest.split(':').next()?.parse().ok()?;
    let number = cell_at(programs.get(file)?, line)?;
    let notebook = notebooks.iter().find(|notebook| notebook.name() == file)?;
    let cell = notebook.code_cells().nth(number.checked_sub(1)?)?;
    Some(format!("{file}: In [{number}], {}", cell.name()))
}
