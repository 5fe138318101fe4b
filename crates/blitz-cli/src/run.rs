//! `cargo blitz run`: executed copies and HTML pages in `site/`.

use crate::cli::RunOptions;
use crate::execute::{ExecuteOptions, execute};
use crate::notebook::Notebook;
use crate::project::{Project, Usage, notebook_name};
use crate::setup::kernelspec::Kernel;
use crate::{html, setup};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Executes the notebooks and writes executed copies and pages. A notebook that fails does not keep
/// the others from being executed.
///
/// # Errors
/// An unknown name, a file that is no notebook, a `site/` that cannot be written (all before
/// anything runs), or a notebook with a cell that failed or did not run.
pub fn run(project: &Project, options: &RunOptions) -> Result<()> {
    if options.store && options.kernel != Kernel::Rust {
        let message =
            "only the outputs of the kernel `rust` can be stored: leave out --store or --kernel";
        return Err(Usage(message.to_owned()).into());
    }
    let notebooks = project.find_notebooks(&options.notebooks)?;
    for notebook in &notebooks {
        Notebook::read(notebook)?;
    }
    let execution = ExecuteOptions {
        data: data(if options.store { Some("builtin") } else { options.data.as_deref() })?,
        timeout: Duration::from_secs(options.timeout),
        kernel: options.kernel,
    };
    let site = site(project, options.site.as_deref(), &notebooks)?;
    setup::ensure(project)?;
    let mut failures = Vec::new();
    let mut executed = Vec::new();
    for notebook in &notebooks {
        let copy = site.join(format!("{}.ipynb", notebook_name(notebook)));
        match execute(project, notebook, &copy, &execution) {
            Ok(_) => executed.push((notebook, copy)),
            Err(error) => {
                failures.push(format!("{}, {error:#}", file_name(notebook)));
                // A page of an earlier run would look like a success of this one.
                let _ = fs::remove_file(copy.with_extension("html"));
            }
        }
    }
    let copies: Vec<PathBuf> = executed.iter().map(|(_, copy)| copy.clone()).collect();
    if !copies.is_empty()
        && let Err(error) = html::export(project, &copies, &site)
    {
        failures.push(format!("{error:#}"));
    }
    if options.store {
        for (notebook, copy) in &executed {
            Notebook::read(copy)?.write(notebook)?;
        }
    }
    report(notebooks.len(), &failures, &site)
}

/// The data directory as an absolute path: the kernel works in another directory.
///
/// # Errors
/// It is not there.
pub fn data(given: Option<&str>) -> Result<Option<String>> {
    match given {
        None | Some("") => Ok(None),
        Some("builtin") => Ok(Some("builtin".to_owned())),
        Some(dir) => {
            let path = fs::canonicalize(dir).map_err(|error| {
                Usage(format!("the data directory {dir} cannot be read: {error}"))
            })?;
            Ok(Some(path.display().to_string()))
        }
    }
}

/// The directory for the results as an absolute path, after checking that every notebook has a
/// place of its own there.
///
/// # Errors
/// [`Usage`] for results that would overwrite each other or a notebook; or it cannot be written.
pub fn site(project: &Project, given: Option<&Path>, notebooks: &[PathBuf]) -> Result<PathBuf> {
    let site = match given {
        Some(given) => std::path::absolute(given)?,
        None => project.site_dir(),
    };
    for (index, notebook) in notebooks.iter().enumerate() {
        let name = notebook_name(notebook);
        let taken = notebooks[..index].iter().any(|other| notebook_name(other) == name);
        if taken || name == "index" || notebook.parent() == Some(&site) {
            return Err(Usage(format!(
                "the results of {} would overwrite another file in {}; rename the notebook, name it \
                 once, or choose another place with --site DIR",
                notebook.display(),
                site.display()
            ))
            .into());
        }
    }
    check_writable(&site)?;
    Ok(site)
}

/// Fails before anything has run where the result could not be written.
fn check_writable(site: &Path) -> Result<()> {
    let probe = site.join(".writable");
    fs::create_dir_all(site)
        .and_then(|()| fs::write(&probe, ""))
        .and_then(|()| fs::remove_file(&probe))
        .with_context(|| {
            format!(
                "cannot write to {}; make it writable or choose another place with --site DIR",
                site.display()
            )
        })
}

fn report(notebooks: usize, failures: &[String], site: &Path) -> Result<()> {
    let passed = notebooks - failures.len();
    if failures.is_empty() {
        eprintln!("{passed} notebooks executed. Open {}", site.join("index.html").display());
        return Ok(());
    }
    bail!(
        "{} of {notebooks} notebooks failed:\n  {}\nWhat was executed is in {}.",
        failures.len(),
        failures.join("\n  "),
        site.display()
    )
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
