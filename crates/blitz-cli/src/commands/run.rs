//! `cargo blitz run`: executed copies and HTML pages in `site/`.

use crate::commands::site::make;
use crate::kernel::Kernel;
use crate::notebook::execute::{ExecuteOptions, execute_all, usual_jobs};
use crate::notebook::nbformat::Notebook;
use crate::notebook::{data, export, find, quote, site};
use crate::project::Project;
use crate::setup;
use crate::site::{Book, EXECUTED};
use crate::usage::Usage;
use anyhow::{Result, bail};
use blitz_contract::variables::{self, BUILTIN_DATA};
use clap::Args;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of `run`.
#[derive(Args)]
pub struct RunOptions {
    /// Notebooks: 04, 04_cifar10_classifier or a path; all of notebooks/ if none is named
    #[arg(value_name = "NOTEBOOK")]
    pub notebooks: Vec<String>,
    /// CIFAR-10 to use: a directory with the official binary files, or `builtin` for the drawn set
    #[arg(long, value_name = "DIR", env = variables::DATA)]
    pub data: Option<String>,
    /// Where executed notebooks and pages go
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// The kernel to execute with
    #[arg(long, value_enum, value_name = "KERNEL", default_value_t = Kernel::Rust)]
    pub kernel: Kernel,
    /// Seconds that one cell may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub timeout: u64,
    /// Notebooks executed at once; 1 where the times that they print matter [default: one a core, at
    /// most 4]
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Execute on the built-in data set and store the outputs in the notebooks themselves, for
    /// nbval to compare with
    #[arg(long, conflicts_with = "site")]
    pub store: bool,
    /// Put what cells print on the data of --data into the Markdown cells that quote them: the real
    /// CIFAR-10's numbers beside those of the drawn set
    #[arg(long, conflicts_with = "store", requires = "data")]
    pub quote: bool,
}

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
    let notebooks = find::find(project, &options.notebooks)?;
    let execution = ExecuteOptions {
        data: data::resolve(if options.store {
            Some(BUILTIN_DATA)
        } else {
            options.data.as_deref()
        })?,
        timeout: Duration::from_secs(options.timeout),
        kernel: options.kernel,
    };
    // All of them make the site; those that are named, a page each.
    let is_whole = options.notebooks.is_empty();
    let site = match is_whole {
        true => site::checked_dir(project, options.site.as_deref())?,
        false => site::prepare(project, options.site.as_deref(), &notebooks)?,
    };
    let copies = if is_whole { site.join(EXECUTED) } else { site.clone() };
    setup::ensure(project)?;
    // What is stored shall be what a kernel with the machine for itself gives.
    let usual = if options.store { NonZeroUsize::MIN } else { usual_jobs() };
    let jobs = options.jobs.unwrap_or(usual);
    let copy = |notebook: &Notebook| copies.join(format!("{}.ipynb", notebook.name()));
    let results = execute_all(project, &notebooks, copy, &execution, jobs);
    let mut failures = Vec::new();
    let mut executed = Vec::new();
    for (notebook, result) in notebooks.iter().zip(results) {
        match result {
            Ok(result) => executed.push((notebook, result)),
            Err(error) => {
                failures.push(format!("{}, {error:#}", file_name(notebook.path())));
                // A page of an earlier run would look like a success of this one.
                let _ = fs::remove_file(copy(notebook).with_extension("html"));
            }
        }
    }
    if options.store {
        for (notebook, result) in &executed {
            result.write(notebook.path())?;
        }
    }
    if options.quote {
        for (notebook, result) in &executed {
            let mut quoting = Notebook::read(notebook.path().to_owned())?;
            let count = quote::quote(&mut quoting, result)?;
            quoting.write(notebook.path())?;
            eprintln!("{}: {count} cells quote what was printed", notebook.name());
        }
    }
    let results: Vec<_> = executed.into_iter().map(|(_, result)| result).collect();
    let made = match is_whole {
        true if failures.is_empty() => make(project, &site, Book::Not),
        false if !results.is_empty() => export::export(project, results, &site),
        _ => Ok(()),
    };
    if let Err(error) = made {
        failures.push(format!("{error:#}"));
    }
    report(notebooks.len(), &failures, &copies)
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
