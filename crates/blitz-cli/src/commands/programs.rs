//! `cargo blitz programs`: the notebooks as Rust programs.

use crate::disk::name;
use crate::files::write_atomically;
use crate::notebook::find::find;
use crate::notebook::nbformat::Notebook;
use crate::program::{self, Words, package};
use crate::project::Project;
use anyhow::{Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};

/// Names that have another meaning beside a program: our example, and cargo's own.
const TAKEN: [&str; 6] = ["cifar10", "build", "deps", "examples", "incremental", "test"];

/// Options of `programs`.
#[derive(Args)]
pub struct ProgramsOptions {
    /// Notebooks: 04, 04_cifar10_classifier or a path; all of notebooks/ if none is named
    #[arg(value_name = "NOTEBOOK")]
    pub notebooks: Vec<String>,
    /// Write them here, as a package of its own with a Cargo.toml [default: crates/blitz/examples]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// Writes the programs, and says how to run one.
///
/// # Errors
/// An unknown name, a cell that is no Rust or defines what a program cannot have, or a place that
/// cannot be written.
pub fn programs(project: &Project, options: &ProgramsOptions) -> Result<()> {
    let programs = of(&find(project, &options.notebooks)?)?;
    let first = programs.keys().next().cloned().unwrap_or_default();
    let (dir, run) = match &options.to {
        Some(to) => {
            let dir = std::path::absolute(to)?;
            package::write(project, &dir, &programs)?;
            let run = format!("cd {}; cargo run --bin {first}", quoted(&dir));
            (dir, run)
        }
        None => {
            let dir = project.helper_crate().join("examples");
            for (name, program) in &programs {
                write_atomically(&dir.join(format!("{name}.rs")), program.as_bytes())?;
            }
            (dir, format!("cargo run --package blitz --example {first}"))
        }
    };
    for program in programs.keys() {
        println!("{}", name(project, &dir.join(format!("{program}.rs"))));
    }
    eprintln!("Run one, after `cargo blitz setup`: {run}");
    Ok(())
}

/// The notebooks' programs, by name.
///
/// # Errors
/// That of the first that is none; two have one name.
pub fn of(notebooks: &[Notebook]) -> Result<package::Programs> {
    let mut programs = package::Programs::new();
    for notebook in notebooks {
        let name = program::name(notebook);
        if TAKEN.contains(&name.as_str()) || programs.contains_key(&name) {
            bail!(
                "the program of {} cannot be called `{name}`: something else is. Rename the notebook, \
                 or name it once",
                notebook.path().display()
            );
        }
        programs.insert(name, program::of(notebook, &Words::default())?);
    }
    Ok(programs)
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    match path.contains(|it: char| !it.is_alphanumeric() && !"/._-".contains(it)) {
        true => format!("'{}'", path.replace('\'', "'\\''")),
        false => path,
    }
}
