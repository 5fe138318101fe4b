//! `cargo blitz class`: the exercises for a class, handed out and graded by nbgrader.

use crate::exercises::teachers;
use crate::files::write_atomically;
use crate::notebook::find::find_in;
use crate::project::Project;
use crate::setup::{self, nbgrader};
use crate::usage::Usage;
use anyhow::{Context, Result, bail};
use blitz_contract::variables::{self, BUILTIN_DATA};
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const CONFIG: &str = include_str!("../../templates/class/nbgrader_config.py");
const CONFIG_FILE: &str = "nbgrader_config.py";
const COURSE: &str = "@COURSE@";

/// What can be done for a class.
#[derive(Subcommand)]
pub enum ClassCommand {
    /// Lay out an nbgrader course: its configuration, and an assignment for each exercise notebook
    New(NewOptions),
    /// Run nbgrader in a course, with this project's kernel; installs nbgrader if need be
    Nbgrader(NbgraderOptions),
}

/// Options of `class new`.
#[derive(Args)]
pub struct NewOptions {
    /// The course's directory, which is made; what is there already stays as it is
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// The course's name, for nbgrader's exchange [default: the directory's]
    #[arg(long, value_name = "COURSE")]
    pub name: Option<String>,
    /// Exercise notebooks: 03, 03_neural_networks, or the path of one of your own; all if none is named
    #[arg(long = "exercises", value_name = "NOTEBOOK", num_args = 1..)]
    pub notebooks: Vec<String>,
}

/// Options of `class nbgrader`.
#[derive(Args)]
pub struct NbgraderOptions {
    /// The course's directory, as `class new` made it
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
    /// What nbgrader shall do, after `--`: generate_assignment 01_tensors, autograde 01_tensors, …
    #[arg(last = true, required = true, value_name = "ARGUMENTS")]
    pub arguments: Vec<OsString>,
}

/// Runs a subcommand.
///
/// # Errors
/// Those of the subcommand.
pub fn class(project: &Project, command: &ClassCommand) -> Result<()> {
    match command {
        ClassCommand::New(options) => new(project, options),
        ClassCommand::Nbgrader(options) => run(project, options),
    }
}

/// Writes what is missing of a course.
fn new(project: &Project, options: &NewOptions) -> Result<()> {
    let dir = std::path::absolute(&options.dir)?;
    let name = course_name(options, &dir)?;
    let sources = find_in(&project.exercises_dir(), &options.notebooks)?;
    let mut files = vec![(dir.join(CONFIG_FILE), CONFIG.replace(COURSE, &name).into_bytes())];
    for source in &sources {
        let assignment = dir.join("source").join(source.name());
        let path = assignment.join(format!("{}.ipynb", source.name()));
        files.push((path.clone(), teachers(source, path)?.to_bytes()?));
    }
    for (path, contents) in files {
        let shown = path.strip_prefix(&dir).unwrap_or(&path).display();
        if path.symlink_metadata().is_ok() {
            println!("{shown}: stays as it is");
            continue;
        }
        write_atomically(&path, &contents)?;
        println!("{shown}: written");
    }
    let first = sources.first().map_or_else(|| "ASSIGNMENT".to_owned(), |source| source.name());
    println!(
        "The course `{name}` is in {}. Next: cargo blitz class nbgrader {} -- generate_assignment {first}",
        dir.display(),
        options.dir.display()
    );
    Ok(())
}

/// nbgrader writes the name into paths, and this program into the configuration.
fn course_name(options: &NewOptions, dir: &Path) -> Result<String> {
    let of_dir = || dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = options.name.clone().unwrap_or_else(of_dir);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || !name.chars().all(allowed) || name.chars().all(|c| c == '.') {
        return Err(Usage(format!(
            "a course's name has ASCII letters, digits, and `.`, `_`, `-` only, `{name}` has others; \
             choose one with --name COURSE"
        ))
        .into());
    }
    Ok(name)
}

/// Has nbgrader take this process's place.
fn run(project: &Project, options: &NbgraderOptions) -> Result<()> {
    let dir = &options.dir;
    if !dir.join(CONFIG_FILE).is_file() {
        bail!(
            "{} has no {CONFIG_FILE}: `cargo blitz class new {}` makes a course there",
            dir.display(),
            dir.display()
        );
    }
    setup::ensure(project)?;
    nbgrader::ENVIRONMENT.ensure(project)?;
    let mut command = nbgrader_command(project);
    let dir = fs::canonicalize(dir).with_context(|| format!("cannot open {}", dir.display()))?;
    command.args(["-m", "nbgrader"]).args(&options.arguments).current_dir(dir);
    Err(command.exec()).context("cannot start nbgrader")
}

/// Python with nbgrader, to which the kernels of the notebooks' environment are known.
fn nbgrader_command(project: &Project) -> Command {
    let mut command = project.jupyter_command(&nbgrader::ENVIRONMENT.dir(project));
    command.env("JUPYTER_PATH", project.venv().join("share/jupyter"));
    let data = std::env::var_os(variables::DATA).filter(|data| !data.is_empty());
    command.env(variables::DATA, data.unwrap_or_else(|| BUILTIN_DATA.into()));
    command
}
