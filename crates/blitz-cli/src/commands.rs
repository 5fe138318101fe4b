//! The command line: a module for each subcommand, with its options.

mod bench;
mod class;
mod clean;
mod doctor;
mod exercises;
mod html;
mod kernelspec;
mod lab;
mod launch;
mod programs;
mod run;
mod setup;
mod site;
mod test;
mod train;
mod translate;

pub use lab::corrected;

use crate::project::Project;
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// Rust Blitz: PyTorch's 60-minute blitz as Rust notebooks.
#[derive(Parser)]
#[command(name = "cargo blitz", bin_name = "cargo blitz", version, arg_required_else_help = true)]
pub struct Cli {
    /// The repository to work on, where it is not the one that this tool was built in
    #[arg(long, value_name = "DIR", global = true, hide = true)]
    pub root: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Subcommand)]
pub enum Command {
    /// Make everything that the notebooks need, below this repository
    #[command(long_about = "Make everything that the notebooks need, below this repository: \
        Python packages with JupyterLab and PyTorch's libtorch in .venv, the Rust kernel and the \
        notebooks' compiled dependencies in .blitz. A second run does nothing; an interrupted one \
        is resumed; a changed pin redoes just its step.")]
    Setup(setup::SetupOptions),
    /// Execute notebooks and make the site of them
    #[command(
        long_about = "Execute notebooks. All of them: executed copies go to site/notebooks, and the \
        site is made of them. Those that are named: an executed copy and a page of each go to \
        site/single."
    )]
    Run(run::RunOptions),
    /// Open JupyterLab on the notebooks
    #[command(long_about = "Open JupyterLab on the notebooks. It listens on the loopback address \
        and asks for a token, so it also runs as root. Options for Jupyter itself go behind `--`: \
        cargo blitz lab -- --ServerApp.ip=0.0.0.0")]
    Lab(lab::LabOptions),
    /// Make exercise notebooks to work in
    #[command(
        long_about = "Make exercise notebooks to work in, in notebooks/my_exercises: those of \
        notebooks/exercises without solutions and hidden tests, and with a folded solution below each \
        check. One that you have worked in is never overwritten. `cargo blitz lab` makes those that \
        are missing, too."
    )]
    Exercises(exercises::ExercisesOptions),
    /// The exercises for a class, handed out and graded by nbgrader
    #[command(
        long_about = "The exercises for a class, handed out and graded by nbgrader, which is \
        installed into .blitz/nbgrader when it is first needed. docs/classes.md has the whole chain, \
        command by command."
    )]
    Class {
        /// What to do
        #[command(subcommand)]
        what: class::ClassCommand,
    },
    /// Check everything that CI checks: format, lints, tests, the kernel, and the notebooks
    Test(test::TestOptions),
    /// Train the classifier without Jupyter: crates/blitz/examples/cifar10.rs, with its own options
    #[command(disable_help_flag = true)]
    Train {
        /// The example's options; --help lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
        options: Vec<OsString>,
    },
    /// Train the classifier by several processes, on this machine or on many
    #[command(after_help = launch::EXAMPLES)]
    Launch(launch::LaunchOptions),
    /// Measure, on this machine
    Bench {
        /// What to measure
        #[command(subcommand)]
        what: bench::Bench,
    },
    /// Export notebooks as they are stored to single HTML files in site/single, to send around
    Html(html::HtmlOptions),
    /// Make the site of the executed notebooks: all pages and languages, search, downloads
    #[command(
        long_about = "Make the site of the notebooks, with navigation, search and downloads, in all \
        languages: index.html opens by a double click and needs no network. Notebooks that `cargo blitz \
        run` has executed into the site are shown with those outputs, the others as they are stored."
    )]
    Site(site::SiteOptions),
    /// Write the notebooks as Rust programs, which cargo compiles and runs
    Programs(programs::ProgramsOptions),
    /// Bring the translations' catalogues in po/ up to date, and write the translated notebooks
    Translate(translate::TranslateOptions),
    /// Make the kernel known to a Jupyter or VS Code that you already have
    #[command(long_about = "Make the kernel known to a Jupyter or VS Code that you already have, \
        as other kernels do, or take it away again. The environment .venv knows it in any case.")]
    Kernelspec {
        /// What to do
        #[command(subcommand)]
        what: kernelspec::KernelspecCommand,
    },
    /// Look for what could be wrong with this machine or this set-up, and say how to mend it
    Doctor,
    /// Remove what the other commands made, in parts
    #[command(long_about = "Remove what the other commands made, in parts, and say how much that \
        frees. `cargo blitz doctor` lists the parts with their sizes. Of a link, the link alone is \
        removed; directories of running kernels stay, and so does everything while somebody sets up.")]
    Clean(clean::CleanOptions),
}

impl Command {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// Those of the subcommand; [`Usage`](crate::usage::Usage) for arguments that clap cannot judge.
    pub fn run(self, project: &Project) -> Result<()> {
        match self {
            Command::Setup(options) => setup::setup(project, &options),
            Command::Run(options) => run::run(project, &options),
            Command::Lab(options) => lab::lab(project, &options),
            Command::Exercises(options) => exercises::exercises(project, &options),
            Command::Class { what } => class::class(project, &what),
            Command::Test(options) => test::test(project, &options),
            Command::Train { options } => train::train(project, &options),
            Command::Launch(options) => launch::launch(project, &options),
            Command::Bench { what } => bench::bench(project, &what),
            Command::Html(options) => html::html(project, &options),
            Command::Site(options) => site::site(project, &options),
            Command::Programs(options) => programs::programs(project, &options),
            Command::Translate(options) => translate::translate(project, &options),
            Command::Kernelspec { what } => kernelspec::kernelspec(project, &what),
            Command::Doctor => doctor::doctor(project),
            Command::Clean(options) => clean::clean(project, &options),
        }
    }
}
