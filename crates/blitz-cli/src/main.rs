//! `cargo blitz`: sets up, runs, tests and exports the Rust Blitz notebooks.
//!
//! Everything it makes lies below the repository: Python packages in `.venv`, everything else in
//! `.blitz`, executed notebooks and pages in `site`.
//!
//! Imports run one way: `commands` use `exercises`, `program`, `setup` and `notebook`, those use
//! `process` and `project`.

mod commands;
mod disk;
mod exercises;
mod files;
mod fingerprint;
mod kernel;
mod notebook;
mod process;
mod program;
mod project;
mod setup;
mod site;
mod translation;
mod usage;

use anyhow::{Context, Result};
use blitz_contract::Layout;
use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use commands::Cli;
use project::Project;
use std::path::PathBuf;
use std::process::ExitCode;
use usage::Usage;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| with_advice(error).exit());
    match find(cli.root).and_then(|project| cli.command.run(&project)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            // As clap does for arguments that it can judge itself.
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

/// The project at `root`, else the one that this program was built in, else the one that the working
/// directory belongs to.
fn find(root: Option<PathBuf>) -> Result<Project> {
    let layout = match root {
        Some(root) => Layout::new(root),
        None => {
            let (program, dir) = (std::env::current_exe().ok(), std::env::current_dir().ok());
            Layout::find(program.as_deref(), dir.as_deref()).context(
                "neither this program nor the working directory lies in a clone of Rust Blitz; go to \
                 the clone, or name it with --root DIR",
            )?
        }
    };
    Ok(Project::new(layout))
}

/// Says where Jupyter's own options go, where one was given to `lab`.
fn with_advice(mut error: clap::Error) -> clap::Error {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg)
        && let Some(line) = commands::corrected(&arguments, unknown)
    {
        let tip = format!("options and arguments for Jupyter go behind `--`: {line}");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
